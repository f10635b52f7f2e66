//! PURE: whether what one generator has seen so far breaks a threshold that stops it (`thresholds[].stop`).
//!
//! Invariants:
//! - A count stops as soon as it is above its limit: more requests can't bring it down.
//! - A share (failed requests, answers slower than a percentile's limit) stops when it is above its limit and a share
//!   within the limit would show as many by chance less than once in a thousand tries.
//! - Nothing stops that would hold with the same figures at the end; the first threshold that is broken is named.

use super::measure::snapshot::Snapshot;
use crate::api::Breach;
use crate::plan::StopInput;
use crate::results::figures::decimal::decimal;
use crate::results::gathered::histogram::Micros;

/// Logarithm of the thousand tries.
const SURE: f64 = 6.907_755;
/// Fewest answers from which a mean is one; as for a median.
const ENOUGH_FOR_MEAN: u64 = 7;

/// The thresholds that stop a load.
#[derive(Clone, Debug, Default)]
pub struct Breaker(Vec<Rule>);

#[derive(Clone, Debug)]
struct Rule {
    metric: String,
    /// Without the load's name.
    figure: String,
    max: f64,
    limit: String,
}

impl Breaker {
    /// For one load. A limit that is no number is passed over; the schema allows none.
    pub fn new(stops: &[StopInput]) -> Self {
        let rule = |stop: &StopInput| {
            let figure = match stop.metric.strip_prefix("loads.") {
                Some(rest) => rest.split_once('.')?.1,
                None => &stop.metric,
            };
            let (metric, limit) = (stop.metric.clone(), format!("max {}", stop.max));
            Some(Rule { metric, figure: figure.to_owned(), max: stop.max.parse().ok()?, limit })
        };
        Self(stops.iter().filter_map(rule).collect())
    }

    /// Nothing stops the load.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first threshold that the counted part breaks.
    pub fn broken(&self, seen: &Snapshot) -> Option<Breach> {
        self.0.iter().find_map(|rule| {
            let observed = rule.broken(seen)?;
            Some(Breach { metric: rule.metric.clone(), observed: decimal(observed)?.0, limit: rule.limit.clone() })
        })
    }
}

impl Rule {
    /// What was seen, when it is too much.
    #[allow(clippy::cast_precision_loss)] // counts that a load can reach
    fn broken(&self, seen: &Snapshot) -> Option<f64> {
        let (head, name) = self.figure.split_once('.').unwrap_or((&self.figure, ""));
        let count = match (head, name) {
            ("tasks", _) => seen.counts.tasks?,
            ("requests", "sent") => seen.counts.sent,
            ("requests", "ok") => seen.counts.ok,
            ("requests", "failed") => seen.counts.failed,
            ("requests", "timedOut") => seen.counts.timed_out,
            ("requests", "capped") => seen.counts.capped,
            ("requests", "failedPercent") => {
                let ended = seen.counts.ok + seen.counts.failed;
                return too_many(seen.counts.failed, ended, self.max / 100.0)
                    .then(|| seen.counts.failed as f64 * 100.0 / ended as f64);
            }
            ("latency", _) => return self.slow(&seen.latency, name),
            ("service", _) => return self.slow(&seen.service, name),
            ("lateness", _) => return self.slow(&seen.lateness, name),
            _ => return None,
        };
        (count as f64 > self.max).then_some(count as f64)
    }

    /// Milliseconds of a statistic, when they are too many.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at most an hour
    fn slow(&self, times: &Micros, statistic: &str) -> Option<f64> {
        let quantile = match statistic {
            "meanMs" => {
                let mean = times.mean() / 1000.0;
                return (times.len() >= ENOUGH_FOR_MEAN && mean > self.max).then_some(mean);
            }
            "maxMs" => {
                let most = times.max() as f64 / 1000.0;
                return (!times.is_empty() && most > self.max).then_some(most);
            }
            "p50Ms" => 0.50,
            "p90Ms" => 0.90,
            "p95Ms" => 0.95,
            "p99Ms" => 0.99,
            _ => return None,
        };
        let limit = (self.max.max(0.0) * 1000.0) as u64;
        let slower = times.len() - times.count_between(0, limit);
        too_many(slower, times.len(), 1.0 - quantile).then(|| times.value_at_quantile(quantile) as f64 / 1000.0)
    }
}

/// Whether `part` of `all` is more than the share `allowed`, and not by chance: by Chernoff's bound (in the form of
/// Hoeffding, 1963) so many or more come about with a probability of at most exp(-all * D(part/all || allowed)).
#[allow(clippy::cast_precision_loss)] // counts that a load can reach
fn too_many(part: u64, all: u64, allowed: f64) -> bool {
    if part == 0 || allowed >= 1.0 {
        return false;
    }
    let share = part as f64 / all as f64;
    if allowed <= 0.0 {
        return true;
    }
    let rest = if part == all { 0.0 } else { (1.0 - share) * ((1.0 - share) / (1.0 - allowed)).ln() };
    share > allowed && all as f64 * (share * (share / allowed).ln() + rest) >= SURE
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::results::gathered::histogram;
    use crate::results::gathered::record::Counts;

    fn stop(metric: &str, max: &str) -> Breaker {
        Breaker::new(&[StopInput { metric: metric.into(), max: max.into() }])
    }

    /// So many good answers of so many milliseconds, and so many failed requests.
    fn seen(answers: &[(u64, u64)], failed: u64) -> Snapshot {
        let mut latency = histogram::empty();
        answers.iter().for_each(|(n, ms)| (0..*n).for_each(|_| histogram::record(&mut latency, ms * 1000)));
        let ok = latency.len();
        let counts = Counts { due: ok + failed, sent: ok + failed, ok, failed, ..Counts::default() };
        Snapshot { counts, service: latency.clone(), lateness: histogram::empty(), latency }
    }

    #[test]
    fn a_count_above_its_limit_stops_and_one_at_it_does_not() {
        let breaker = stop("loads.a.requests.failed", "3");
        assert_eq!(breaker.broken(&seen(&[(9, 1)], 3)), None);
        let breach = breaker.broken(&seen(&[(9, 1)], 4)).unwrap();
        assert_eq!(
            (breach.metric.as_str(), breach.observed.as_str(), breach.limit.as_str()),
            ("loads.a.requests.failed", "4", "max 3")
        );
    }

    #[test]
    fn the_first_failure_of_many_requests_to_come_does_not_stop_but_a_few_in_a_row_do() {
        let breaker = stop("requests.failedPercent", "5");
        assert_eq!(breaker.broken(&seen(&[], 1)), None);
        assert_eq!(breaker.broken(&seen(&[(18, 1)], 2)), None, "10 % of 20 may be chance");
        assert_eq!(breaker.broken(&seen(&[], 3)).unwrap().observed, "100");
        assert!(breaker.broken(&seen(&[(900, 1)], 100)).is_some());
        assert!(stop("requests.failedPercent", "0").broken(&seen(&[(999, 1)], 1)).is_some(), "none is allowed");
    }

    #[test]
    fn slow_answers_stop_by_percentile_mean_and_maximum() {
        assert_eq!(stop("latency.p99Ms", "100").broken(&seen(&[(1000, 20), (10, 500)], 0)), None);
        assert!(stop("latency.p99Ms", "100").broken(&seen(&[(10, 20), (5, 500)], 0)).is_some());
        assert!(stop("service.p50Ms", "100").broken(&seen(&[(10, 500)], 0)).is_some());
        assert_eq!(stop("latency.meanMs", "100").broken(&seen(&[(6, 500)], 0)), None);
        assert!(stop("latency.meanMs", "100").broken(&seen(&[(7, 500)], 0)).is_some());
        assert!(stop("latency.maxMs", "100").broken(&seen(&[(1, 500)], 0)).is_some());
    }

    #[test]
    fn of_no_requests_nothing_is_broken() {
        for metric in ["requests.failedPercent", "latency.p99Ms", "latency.maxMs", "latency.meanMs", "tasks"] {
            assert_eq!(stop(metric, "0").broken(&seen(&[], 0)), None, "{metric}");
        }
    }

    proptest! {
        #[test]
        fn what_is_within_the_limit_never_stops(part in 0u64..500, more in 0u64..5000, spare in 0.0f64..50.0) {
            let all = part + more;
            let max = part as f64 * 100.0 / all.max(1) as f64 + spare;
            let answers = [(more, 1)];
            prop_assert_eq!(stop("requests.failedPercent", &max.to_string()).broken(&seen(&answers, part)), None);
        }
    }
}
