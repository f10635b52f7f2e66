//! PURE: how much was done in a second.

use crate::api::Load;
use crate::results::gathered::merge::MergedLoad;
use crate::results::gathered::record::Timeline;

/// When the counted part of a load was over, milliseconds since the epoch: its last answer, and not before the planned end of a
/// load that came to it. `None`: nothing was due.
pub fn over_ms(load: &Load, merged: &MergedLoad) -> Option<i64> {
    let first = merged.counts.first_due_ms?;
    let planned = planned_ms(load, merged).map(|length| first + length);
    planned.into_iter().chain(merged.counts.last_end_ms).max().filter(|end| *end > first)
}

/// Answers per second of a load, by the definition of throughput, completions by the time that they took: X = C / T (E. D.
/// Lazowska and others, Quantitative System Performance, 1984, section 3.2).
///
/// T begins with the first request due. It is never shorter than the load was planned to last, and longer only where the answers
/// that came later raise the rate: those of a system that was still working are counted with their time, and a straggler takes
/// nothing from what was done before it. So many answers were given in that time, whatever came after. Of a load that was stopped,
/// what it was planned to last is the time in which it sent; of one that ends with its iterations, until its last answer.
pub fn answered_per_second(load: &Load, merged: &MergedLoad) -> Option<f64> {
    let (first, last) = (merged.counts.first_due_ms?, merged.counts.last_end_ms?);
    let answered = merged.answered() as f64;
    let Some(least) = sending_ms(load, merged, first) else {
        return (last > first).then(|| per_second(answered, last - first));
    };
    let whole = per_second(answered, (last - first).max(least));
    let earlier = answers(merged, last).into_iter().map(|(at, n)| per_second(n, (at - first).max(least)));
    Some(earlier.fold(whole, f64::max))
}

fn per_second(n: f64, ms: i64) -> f64 {
    n * 1000.0 / ms.max(1) as f64
}

/// What the counted part was planned to last, milliseconds, and did. `None`: it ends with its iterations, or was stopped.
fn planned_ms(load: &Load, merged: &MergedLoad) -> Option<i64> {
    let seconds = load.duration_seconds.filter(|seconds| *seconds > 0)?;
    merged.stopped.is_empty().then(|| i64::from(seconds) * 1000)
}

/// The least time that the rate is of, milliseconds.
fn sending_ms(load: &Load, merged: &MergedLoad, first: i64) -> Option<i64> {
    load.duration_seconds?;
    let sent = || merged.timelines.iter().filter_map(last_sent).max().map(|at| at - first).filter(|length| *length > 0);
    planned_ms(load, merged).or_else(sent)
}

/// The end of the last bucket in which something was sent, milliseconds since the epoch.
fn last_sent(timeline: &Timeline) -> Option<i64> {
    let last = timeline.buckets.iter().rposition(|bucket| bucket.sent > 0)?;
    Some(timeline.start_ms + (last as i64 + 1) * i64::from(timeline.bucket_ms))
}

/// How many answers there were by when (milliseconds since the epoch), at the end of each bucket. A bucket tells failures without
/// an answer from others no more: they share in it as they do in the whole.
fn answers(merged: &MergedLoad, last: i64) -> Vec<(i64, f64)> {
    let ended = |timeline: &Timeline| timeline.buckets.iter().map(|b| u64::from(b.failed)).sum::<u64>();
    let failed: u64 = merged.timelines.iter().map(ended).sum();
    let share = (merged.answered() - merged.counts.ok) as f64 / (failed as f64).max(1.0);
    let mut all: Vec<(i64, f64)> = Vec::new();
    for timeline in &merged.timelines {
        all.extend(timeline.buckets.iter().zip(1..).map(|(bucket, number)| {
            let end = timeline.start_ms + number * i64::from(timeline.bucket_ms);
            (end.min(last), f64::from(bucket.ok) + f64::from(bucket.failed) * share.min(1.0))
        }));
    }
    all.sort_by_key(|(end, _)| *end);
    let mut sum = 0.0;
    all.into_iter()
        .map(|(end, n)| {
            (end, {
                sum += n;
                sum
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::results::gathered::record::{Bucket, Counts};

    fn load(arrivals: serde_json::Value) -> Load {
        let mut load = json!({"name": "a", "url": "http://a/"});
        load.as_object_mut().expect("an object").extend(arrivals.as_object().expect("an object").clone());
        serde_json::from_value(load).expect("a load")
    }

    /// Requests due and answered at these times, in tenths of a second.
    fn merged(times: &[(usize, usize)]) -> MergedLoad {
        let last = times.iter().map(|(_, end)| *end).max().unwrap_or(0);
        let mut buckets = vec![Bucket::default(); last.max(1)];
        for (due, end) in times {
            buckets[*due].sent += 1;
            buckets[end - 1].ok += 1;
        }
        let n = times.len() as u64;
        MergedLoad {
            counts: Counts {
                due: n,
                sent: n,
                ok: n,
                first_due_ms: Some(1_000),
                last_end_ms: Some(1_000 + last as i64 * 100),
                ..Counts::default()
            },
            statuses: [(200, n)].into(),
            timelines: vec![Timeline { start_ms: 1_000, bucket_ms: 100, buckets }],
            ..MergedLoad::default()
        }
    }

    /// Two a second for five seconds, each answered in a tenth.
    fn two_a_second() -> Vec<(usize, usize)> {
        (0..10).map(|n| (n * 5, n * 5 + 1)).collect()
    }

    fn rate(load: &Load, merged: &MergedLoad) -> f64 {
        (answered_per_second(load, merged).expect("a rate") * 100.0).round() / 100.0
    }

    #[test]
    fn a_rate_that_was_held_is_the_rate() {
        let load = load(json!({"rate": 2, "durationSeconds": 5}));
        let merged = merged(&two_a_second());
        assert_eq!((rate(&load, &merged), over_ms(&load, &merged)), (2.0, Some(6_000)));
    }

    #[test]
    fn a_straggler_counts_for_nothing_and_takes_nothing_away() {
        let mut times = two_a_second();
        times[9].1 += 50;
        assert_eq!(rate(&load(json!({"rate": 2, "durationSeconds": 5})), &merged(&times)), 1.8);
        assert_eq!(rate(&load(json!({"clients": 2, "durationSeconds": 5})), &merged(&times)), 1.8);
    }

    #[test]
    fn who_answers_slower_than_is_asked_does_not_show_the_rate_that_was_asked_for() {
        let slow: Vec<_> = (0..50).map(|n| (n, n * 10 + 10)).collect();
        assert_eq!(rate(&load(json!({"rate": 10, "durationSeconds": 5})), &merged(&slow)), 1.0);
    }

    #[test]
    fn clients_whose_last_requests_end_after_the_end_are_not_counted_as_idle() {
        // One client, iterations of 2.5 s, begun until 6 s.
        let times = [(0, 25), (25, 50), (50, 75)];
        assert_eq!(rate(&load(json!({"clients": 1, "durationSeconds": 6})), &merged(&times)), 0.4);
    }

    #[test]
    fn a_load_that_was_stopped_has_the_rate_of_the_time_in_which_it_sent() {
        let load = load(json!({"rate": 2, "durationSeconds": 500}));
        let mut merged = merged(&two_a_second());
        merged.stopped = vec!["sigterm".into()];
        assert_eq!((rate(&load, &merged), over_ms(&load, &merged)), (2.17, Some(5_600)));
    }

    #[test]
    fn iterations_end_with_their_last_answer() {
        let load = load(json!({"clients": 2, "iterations": 5}));
        let merged = merged(&two_a_second());
        assert_eq!((rate(&load, &merged), over_ms(&load, &merged)), (2.17, Some(5_600)));
    }

    #[test]
    fn without_a_timeline_all_answers_count_with_all_their_time() {
        let load = load(json!({"rate": 2, "durationSeconds": 5}));
        let mut times = two_a_second();
        times[9].1 += 54;
        let mut merged = merged(&times);
        merged.timelines.clear();
        assert_eq!(rate(&load, &merged), 1.0);
    }
}
