//! What a load did, in the API's figures.

use crate::api::{Count, Decimal, Latency, Lateness, Load, LoadFigures, MAX_INTEGER, Name, Recovery, Requests};

use super::decimal::decimal;
use super::rate::{answered_per_second, over_ms};
use crate::results::gathered::histogram::Micros;
use crate::results::gathered::merge::MergedLoad;
use crate::results::gathered::recovery::RecoveryRecord;

/// Fewest samples from which a percentile is known with 99 % confidence: p50, p90, p95, p99. Below, it is withheld and
/// the maximum stands alone.
pub const SAMPLE_FLOOR: [(f64, u64); 4] = [(0.50, 7), (0.90, 44), (0.95, 90), (0.99, 459)];

/// The figures of one load of a row.
///
/// `late_limit` is [`crate::results::gathered::merge::late_limit`] of the row, microseconds. What is not known is absent.
pub fn load_figures(load: &Load, merged: &MergedLoad, late_limit: u64) -> LoadFigures {
    let name = Name(merged.name.clone());
    if merged.counts.first_due_ms.is_none() && merged.counts.due == 0 {
        return nothing(name);
    }
    let seconds = merged.counts.seconds();
    let measured = over_ms(load, merged).zip(merged.counts.first_due_ms).map(|(over, first)| over - first);
    let by_time = |n: u64| measured.and_then(|ms| decimal(n as f64 * 1000.0 / ms as f64));
    let histograms = merged.histograms.as_ref();
    LoadFigures {
        name,
        tasks: merged.counts.tasks.map(count),
        tasks_per_second: merged.counts.tasks.and_then(by_time),
        seconds: seconds.and_then(decimal),
        requests: Some(Requests {
            sent: Some(count(merged.counts.sent)),
            ok: Some(count(merged.counts.ok)),
            failed: Some(count(merged.counts.failed)),
            timed_out: Some(count(merged.counts.timed_out)),
            late: merged.late(late_limit).map(count),
            capped: Some(count(merged.counts.capped)),
            failed_percent: percent(merged.counts.failed, merged.counts.sent),
            per_second: answered_per_second(load, merged).and_then(decimal),
            offered_per_second: offered(load),
            excused: merged.counts.excused.map(count),
        }),
        latency: histograms.and_then(|h| latency(&h.latency)),
        service: histograms.and_then(|h| latency(&h.service)),
        lateness: histograms.and_then(|h| lateness(&h.lateness)),
        recovery: merged.recovery.as_ref().map(recovery),
    }
}

/// A load of which nothing is known.
pub fn nothing(name: Name) -> LoadFigures {
    LoadFigures {
        name,
        tasks: None,
        tasks_per_second: None,
        seconds: None,
        requests: None,
        latency: None,
        service: None,
        lateness: None,
        recovery: None,
    }
}

fn recovery(record: &RecoveryRecord) -> Recovery {
    Recovery {
        outages: i32::try_from(record.count).unwrap_or(i32::MAX).min(1_000_000),
        longest_ms: decimal(record.longest_ms as f64),
        recovery_ms: record.recovery_ms.and_then(|ms| decimal(ms as f64)),
    }
}

/// A count for the API, cut at what JSON carries exactly.
pub fn count(n: u64) -> Count {
    Count(i64::try_from(n).map_or(MAX_INTEGER, |n| n.min(MAX_INTEGER)))
}

/// `part` of `all` in percent; `None` of nothing.
pub fn percent(part: u64, all: u64) -> Option<Decimal> {
    if all == 0 { None } else { decimal(part as f64 * 100.0 / all as f64) }
}

fn offered(load: &Load) -> Option<Decimal> {
    decimal(f64::from(load.rate?) / f64::from(load.per_seconds.unwrap_or(1).max(1)))
}

/// Latency in the API's figures; `None` of no answers.
pub fn latency(micros: &Micros) -> Option<Latency> {
    if micros.is_empty() {
        return None;
    }
    let [p50, p90, p95, p99] = SAMPLE_FLOOR.map(|(q, floor)| quantile(micros, q, floor));
    Some(Latency {
        mean_ms: decimal(micros.mean() / 1000.0),
        p50_ms: p50,
        p90_ms: p90,
        p95_ms: p95,
        p99_ms: p99,
        max_ms: ms(micros.max()),
    })
}

fn lateness(micros: &Micros) -> Option<Lateness> {
    if micros.is_empty() {
        return None;
    }
    let [p50, _, _, p99] = SAMPLE_FLOOR.map(|(q, floor)| quantile(micros, q, floor));
    Some(Lateness { p50_ms: p50, p99_ms: p99, max_ms: ms(micros.max()) })
}

/// hdrhistogram takes 0 to 1 (99.0 would silently be the maximum).
fn quantile(micros: &Micros, quantile: f64, floor: u64) -> Option<Decimal> {
    if micros.len() < floor { None } else { ms(micros.value_at_quantile(quantile)) }
}

fn ms(micros: u64) -> Option<Decimal> {
    decimal(micros as f64 / 1000.0)
}
