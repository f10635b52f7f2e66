//! Properties of adding up: the order and the grouping of the generators change nothing.

use proptest::prelude::*;

use super::collect::{GeneratorOutcome, GeneratorReport};
use super::histogram;
use super::merge::{MergedLoad, late_limit, merged};
use super::record::{Counts, Header, LoadRecord};
use super::series::{MINUTE_MS, Point, Series, carries, minutes};
use crate::results::fixture::START;

/// What one generator may say: latencies of its good answers in microseconds, failures, tasks, when it ended.
fn record() -> impl Strategy<Value = LoadRecord> {
    (
        proptest::collection::vec(1u64..5_000_000, 0..40),
        proptest::collection::btree_map("(timeout|status 50[0-3]|reset)", 1u64..9, 0..3),
        0u64..5,
        proptest::option::of(0u64..900),
        0i64..60_000,
    )
        .prop_map(|(latencies, failures, capped, tasks, end)| {
            let times = |of: &[u64]| {
                let mut times = histogram::empty();
                of.iter().for_each(|micros| histogram::record(&mut times, *micros));
                histogram::encode(&times)
            };
            let (ok, failed) = (latencies.len() as u64, failures.values().sum::<u64>());
            let lateness: Vec<u64> = (0..ok + failed).map(|i| 1 + i * 700).collect();
            LoadRecord {
                name: "l".into(),
                counts: Counts {
                    due: ok + failed + capped,
                    sent: ok + failed,
                    ok,
                    failed,
                    capped,
                    tasks,
                    failures,
                    first_due_ms: Some(START + end % 7),
                    last_end_ms: Some(START + end),
                    ..Counts::default()
                },
                statuses: [(200, ok)].into(),
                latency: times(&latencies),
                service: times(&latencies),
                lateness: times(&lateness),
                ..LoadRecord::default()
            }
        })
}

fn said(records: &[LoadRecord]) -> Vec<(u32, GeneratorOutcome)> {
    let header = |index| Header {
        protocol: crate::plan::PROTOCOL_VERSION,
        run_id: "r".into(),
        row: 1,
        index,
        start_at_ms: START,
        grant_seen_after_ms: 60,
        version: String::new(),
    };
    let report = |(index, record): (usize, &LoadRecord)| {
        let index = u32::try_from(index).expect("few");
        (index, GeneratorOutcome::Complete(GeneratorReport { header: header(index), loads: vec![record.clone()] }))
    };
    records.iter().enumerate().map(report).collect()
}

/// All of it that is told, percentiles included.
fn told(load: &MergedLoad) -> String {
    let micros = load.histograms.as_ref().map(|h| {
        let quantiles = |times: &histogram::Micros| {
            [0.0, 0.5, 0.9, 0.99, 1.0].map(|q| times.value_at_quantile(q)).map(|v| v.to_string()).join(" ")
        };
        format!("{} {} {}", h.latency.len(), quantiles(&h.latency), quantiles(&h.lateness))
    });
    let late = load.late(late_limit(std::slice::from_ref(load)));
    let counts = (
        load.counts.due,
        load.counts.sent,
        load.counts.ok,
        load.counts.failed,
        load.counts.capped,
        load.counts.unsent,
        load.counts.tasks,
        late,
    );
    format!(
        "{counts:?} {:?} {:?} {:?} {:?} {:?} {micros:?}",
        load.counts.first_due_ms, load.counts.last_end_ms, load.counts.failures, load.statuses, load.contradictions
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_the_generators_changes_nothing(records in proptest::collection::vec(record(), 1..5), turn in 0usize..5) {
        let mut turned = records.clone();
        turned.rotate_left(turn % records.len());
        turned.reverse();
        prop_assert_eq!(told(&merged("l", &said(&records))), told(&merged("l", &said(&turned))));
    }

    #[test]
    fn generators_that_were_added_up_before_count_as_one(records in proptest::collection::vec(record(), 2..5), at in 1usize..4) {
        let at = at.min(records.len() - 1);
        let sum = |records: &[LoadRecord]| {
            let sum = merged("l", &said(records));
            let h = sum.histograms.clone().expect("all spoke");
            LoadRecord {
                name: sum.name.clone(), counts: sum.counts.clone(), statuses: sum.statuses.clone(),
                latency: histogram::encode(&h.latency), service: histogram::encode(&h.service),
                lateness: histogram::encode(&h.lateness), ..LoadRecord::default()
            }
        };
        let grouped = [sum(&records[..at]), sum(&records[at..])];
        prop_assert_eq!(told(&merged("l", &said(&records))), told(&merged("l", &said(&grouped))));
    }

    #[test]
    fn no_minute_is_shared_lost_or_counted_twice(start in 0i64..20_000_000, length in 0i64..1_000_000, settle in 0i64..200_000) {
        let end = start + length;
        // Every minute there is around the window, each twice, in turn.
        let around = (start / MINUTE_MS - 2)..=(end / MINUTE_MS + 5);
        let point = |m: i64| Point { start_ms: m * MINUTE_MS, average: m as f64, maximum: m as f64 };
        let points = around.clone().rev().chain(around).map(point).collect();
        let figure = Series::of_cloudwatch("cpuPercent", points, None).over(start, end, Some(end + settle));
        let inside = (0..=end / MINUTE_MS + 1).filter(|m| m * MINUTE_MS >= start && (m + 1) * MINUTE_MS <= end);
        let inside: Vec<i64> = inside.collect();
        prop_assert_eq!(figure.statistics.points, Some(inside.len() as i32), "whole minutes inside, no other");
        prop_assert_eq!(figure.statistics.expected, Some(inside.len() as i32));
        prop_assert_eq!(minutes(start, end), inside.len() as i64);
        prop_assert_eq!(carries(start, end), inside.len() >= 2);
        let text = |m: Option<&i64>| m.and_then(|m| crate::results::figures::decimal::decimal(*m as f64));
        prop_assert_eq!(figure.statistics.minimum, text(inside.first()));
        prop_assert_eq!(figure.statistics.last, text(inside.last()));
    }
}
