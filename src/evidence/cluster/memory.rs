//! Memory of a target's pods over time, from the metrics API: the most of it, and whether it grows.
//!
//! Growth is the Theil-Sen slope (the median of the slopes between all pairs of points) over the second half of the load, so
//! that neither warming up nor single peaks count; its interval is Sen's at 95 % (P. K. Sen, Journal of the American
//! Statistical Association 63, 1968).

use std::collections::BTreeMap;

use super::metrics::PodMetrics;
use super::pods::PodFact;
use crate::api::Quantity;
use crate::results::judged::metric::LEAST_MEMORY_POINTS;

/// More points are thinned out: their pairs grow with the square.
const MOST_POINTS: usize = 400;
/// Longest time without a point, milliseconds; in a long window a quarter of it.
const MOST_GAP: i64 = 60_000;

/// Memory of each pod that was there, by its uid: a pod that replaces another has a course of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemoryCourse {
    /// It was looked at before: pods that are new are replacements.
    begun: bool,
    pods: BTreeMap<String, Life>,
}

/// A pod, as long as it was seen; milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq)]
struct Life {
    from: i64,
    to: i64,
    /// MiB by instant.
    points: Vec<(i64, f64)>,
}

/// Growth of memory, in percent of its median a minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    pub percent_per_minute: f64,
    /// The true slope lies between these two with 95 %.
    pub low: f64,
    pub high: f64,
}

impl MemoryCourse {
    /// Adds what was measured in a window (milliseconds since the epoch, until now) of the container `container` (none: the only
    /// one) of the pods that are there now.
    pub fn add(&mut self, metrics: &[PodMetrics], pods: &[PodFact], container: Option<&str>, window_ms: (i64, i64)) {
        for pod in pods {
            let from = if self.begun { window_ms.1 } else { window_ms.0 };
            let life = Life { from, to: from, points: Vec::new() };
            let life = self.pods.entry(pod.uid.clone()).or_insert(life);
            life.to = life.to.max(window_ms.1);
            let Some(measured) = metrics.iter().find(|measured| measured.metadata.name == pod.name) else { continue };
            let at = measured.timestamp.as_millisecond();
            // A pod of a StatefulSet has the name of the one that it replaces, and at first its figures.
            if at < life.from || at > window_ms.1 {
                continue;
            }
            let usage = match container {
                Some(name) => measured.containers.iter().find(|c| c.name == name),
                None => measured.containers.first().filter(|_| measured.containers.len() == 1),
            };
            let Some(mib) = usage.and_then(|usage| mib(usage.usage.memory.as_deref()?)) else { continue };
            if life.points.last().is_none_or(|(last, _)| *last < at) {
                life.points.push((at, mib));
            }
        }
        self.begun = true;
    }

    /// The most that one pod used, MiB; `None`: nothing is known of some part of the load in which a pod was there.
    pub fn most(&self, window_ms: (i64, i64)) -> Option<f64> {
        let longest = longest_gap(window_ms);
        let known = |life: &Life| {
            let end = if life.to + longest >= window_ms.1 { window_ms.1 } else { life.to };
            end - life.from <= longest && life.points.is_empty() || covers(&life.points, (life.from, end), longest)
        };
        let all = self.pods.values().flat_map(|life| &life.points).map(|(_, mib)| *mib);
        all.reduce(f64::max).filter(|_| self.pods.values().all(known))
    }

    /// The growth of the pod that grows most, of those that live through the second half of the window; `None`: there is none, or too
    /// little is known of one.
    pub fn growth(&self, window_ms: (i64, i64)) -> Option<Growth> {
        let half = ((window_ms.0 + window_ms.1) / 2, window_ms.1);
        let longest = longest_gap(half);
        let mut worst: Option<Growth> = None;
        for life in self.pods.values().filter(|life| life.from <= half.0 && life.to + longest >= half.1) {
            let late: Vec<_> = life.points.iter().copied().filter(|(at, _)| *at >= half.0).collect();
            let growth = growth(&late).filter(|_| covers(&late, half, longest))?;
            if worst.is_none_or(|worst| growth.percent_per_minute > worst.percent_per_minute) {
                worst = Some(growth);
            }
        }
        worst
    }
}

fn mib(text: &str) -> Option<f64> {
    Some(Quantity::parse(text)?.percent_of(Quantity::parse("1Mi")?)? / 100.0)
}

/// Longest time without a point in a window, milliseconds.
fn longest_gap((from, to): (i64, i64)) -> i64 {
    MOST_GAP.max((to - from) / 4)
}

/// No part of the window is without a point for longer than that.
fn covers(points: &[(i64, f64)], (from, to): (i64, i64), longest: i64) -> bool {
    let instants = points.iter().map(|(at, _)| *at);
    let with_ends: Vec<i64> = std::iter::once(from).chain(instants).chain([to]).collect();
    !points.is_empty() && with_ends.windows(2).all(|pair| pair[1] - pair[0] <= longest)
}

/// Theil-Sen slope with Sen's interval.
fn growth(points: &[(i64, f64)]) -> Option<Growth> {
    let every = points.len().div_ceil(MOST_POINTS).max(1);
    let points: Vec<_> = points.iter().step_by(every).collect();
    let n = points.len();
    if n < LEAST_MEMORY_POINTS {
        return None;
    }
    let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
    let slope = |(i, j): (usize, usize)| (points[j].1 - points[i].1) / (points[j].0 - points[i].0) as f64;
    let mut slopes: Vec<f64> = pairs.map(slope).collect();
    slopes.sort_by(f64::total_cmp);
    let mut values: Vec<f64> = points.iter().map(|(_, mib)| *mib).collect();
    values.sort_by(f64::total_cmp);
    let level = median(&values).filter(|level| *level > 0.0)?;
    let percent = |slope: f64| slope * 60_000.0 * 100.0 / level;
    let count = slopes.len() as f64;
    let spread = 1.96 * (n as f64 * (n as f64 - 1.0) * (2.0 * n as f64 + 5.0) / 18.0).sqrt();
    let at = |rank: f64| slopes[(rank.max(0.0) as usize).min(slopes.len() - 1)];
    Some(Growth {
        percent_per_minute: percent(median(&slopes)?),
        low: percent(at(((count - spread) / 2.0).floor())),
        high: percent(at(((count + spread) / 2.0).ceil())),
    })
}

fn median(sorted: &[f64]) -> Option<f64> {
    let (a, b) = (sorted.get(sorted.len().checked_sub(1)? / 2)?, sorted.get(sorted.len() / 2)?);
    Some((a + b) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Five minutes, a point every ten seconds.
    const WINDOW: (i64, i64) = (0, 300_000);

    fn course(mib: impl Fn(i64) -> f64, instants: impl Iterator<Item = i64>) -> MemoryCourse {
        let pods = [PodFact { name: "a".into(), ..PodFact::default() }];
        let mut course = MemoryCourse::default();
        for at in instants {
            let timestamp = jiff::Timestamp::from_millisecond(at).expect("an instant").to_string();
            let memory = format!("{}", (mib(at) * 1024.0 * 1024.0).round());
            let measured: PodMetrics =
                serde_json::from_value(json!({"metadata": {"name": "a"}, "timestamp": timestamp,
                "window": "10s", "containers": [{"name": "api", "usage": {"cpu": "1", "memory": memory}}]}))
                .expect("metrics");
            // The API says the same until it measured again.
            course.add(std::slice::from_ref(&measured), &pods, None, WINDOW);
            course.add(&[measured], &pods, None, WINDOW);
        }
        course
    }

    fn ten_seconds() -> impl Iterator<Item = i64> {
        (0..=30).map(|n| n * 10_000)
    }

    /// Noise of up to half a MiB, the same in every run.
    fn noise(at: i64) -> f64 {
        ((at / 10_000 * 7919) % 101) as f64 / 100.0 - 0.5
    }

    #[test]
    fn a_leak_of_one_percent_a_minute_is_found_within_its_interval() {
        let leak = course(|at| 200.0 + 2.0 * at as f64 / 60_000.0 + noise(at), ten_seconds());
        let growth = leak.growth(WINDOW).expect("a slope");
        assert!((growth.percent_per_minute - 0.98).abs() < 0.1, "{growth:?}");
        assert!(growth.low > 0.5 && growth.low <= growth.percent_per_minute, "{growth:?}");
        assert!(growth.high >= growth.percent_per_minute && growth.high < 1.5, "{growth:?}");
    }

    #[test]
    fn flat_memory_with_peaks_and_a_warm_up_does_not_grow() {
        let peak = |at: i64| if at % 70_000 == 0 { 80.0 } else { 0.0 };
        let flat = course(|at| 200.0 + noise(at) + peak(at) - 50.0 * f64::from(at < 100_000), ten_seconds());
        let growth = flat.growth(WINDOW).expect("a slope");
        assert!(growth.percent_per_minute.abs() < 0.1 && growth.low <= 0.0 && growth.high >= 0.0, "{growth:?}");
        assert!(flat.most(WINDOW).is_some_and(|most| (279.0..=281.0).contains(&most)));
    }

    #[test]
    fn what_was_not_looked_at_for_a_while_is_no_figure() {
        let gap = course(|_| 200.0, ten_seconds().filter(|at| !(110_000..200_000).contains(at)));
        assert_eq!((gap.most(WINDOW), gap.growth(WINDOW).is_some()), (None, true));
        let late = course(|_| 200.0, ten_seconds().filter(|at| *at < 200_000));
        assert_eq!((late.most(WINDOW), late.growth(WINDOW)), (None, None));
        assert_eq!(MemoryCourse::default().most(WINDOW), None);
    }

    fn pod(uid: &str, name: &str) -> PodFact {
        PodFact { uid: uid.into(), name: name.into(), ..PodFact::default() }
    }

    /// Looks each ten seconds at the pods that are there then, each with its MiB.
    fn looks(pods_at: impl Fn(i64) -> Vec<(PodFact, f64)>) -> MemoryCourse {
        let mut course = MemoryCourse::default();
        for at in ten_seconds() {
            let pods = pods_at(at);
            let measured = |(pod, mib): &(PodFact, f64)| -> PodMetrics {
                let timestamp = jiff::Timestamp::from_millisecond(at).expect("an instant").to_string();
                let memory = format!("{}", (mib * 1024.0 * 1024.0).round());
                serde_json::from_value(json!({"metadata": {"name": pod.name}, "timestamp": timestamp,
                "window": "10s", "containers": [{"name": "api", "usage": {"cpu": "1", "memory": memory}}]}))
                .expect("metrics")
            };
            let metrics: Vec<PodMetrics> = pods.iter().map(measured).collect();
            let facts: Vec<PodFact> = pods.into_iter().map(|(pod, _)| pod).collect();
            course.add(&metrics, &facts, None, (WINDOW.0, at));
        }
        course
    }

    #[test]
    fn a_pod_that_was_replaced_does_not_hide_what_the_others_need_and_grow() {
        let stays = |at: i64| (pod("1", "a"), 200.0 + 4.0 * at as f64 / 60_000.0 + noise(at));
        let killed = looks(|at| {
            let other = if at <= 100_000 { pod("2", "b") } else { pod("3", "c") };
            let mib = if at == 90_000 { 500.0 } else { 100.0 };
            vec![stays(at), (other, mib)]
        });
        assert_eq!(killed.most(WINDOW), Some(500.0), "also of the one that is gone");
        let growth = killed.growth(WINDOW).expect("both live through the second half");
        assert!(growth.low > 1.0 && growth.percent_per_minute < 2.5, "{growth:?}");
    }

    #[test]
    fn a_pod_of_the_same_name_is_another_one_and_where_none_lives_long_there_is_no_slope() {
        // One of a StatefulSet grows, is replaced after 200 s, and grows again from the bottom.
        let course = looks(|at| {
            vec![(pod(if at < 200_000 { "1" } else { "2" }, "db-0"), 100.0 + (at % 200_000) as f64 / 1_000.0)]
        });
        assert_eq!((course.most(WINDOW), course.growth(WINDOW)), (Some(290.0), None));
        let none_at_first = looks(|at| if at < 100_000 { vec![] } else { vec![(pod("1", "a"), 100.0 + noise(at))] });
        assert!(none_at_first.most(WINDOW).is_some() && none_at_first.growth(WINDOW).is_some());
    }

    #[test]
    fn few_points_say_nothing_of_growth() {
        let few = course(|at| at as f64 / 1000.0 + 1.0, (0..=6).map(|n| n * 50_000));
        assert_eq!(few.growth(WINDOW), None);
    }
}
