//! Whether a load had come to rest: one whose rate or latency still moves at its end says little about a longer one.

use crate::plan::PlannedRow;

use super::decimal::human;
use crate::results::gathered::collect::GeneratorOutcome;
use crate::results::gathered::record::{LoadRecord, Timeline};

/// Parts of the load that are compared.
const PARTS: usize = 3;
/// A part has at least so many good answers, or nothing is said.
const LEAST: f64 = 30.0;
/// The last part differs from the first by more than this, and from the middle one by more than the smaller, the same way.
const WHOLE: f64 = 1.25;
const LATE: f64 = 1.10;

/// Good answers of a part of the load.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    ok: f64,
    /// Sum of the buckets' medians, each as often as it has answers; and how many those were.
    medians: f64,
    counted: f64,
}

/// "ingest: the latency still grew: median 20, 35, 61 ms in the thirds of the load".
pub fn drift(planned: &PlannedRow, outcomes: &[(u32, GeneratorOutcome)]) -> Vec<String> {
    let mut notes = Vec::new();
    for load in &planned.loads {
        let records: Vec<&LoadRecord> =
            outcomes.iter().flat_map(|(_, o)| o.loads()).filter(|record| record.name == load.name.0).collect();
        let Some(parts) = parts(&records) else { continue };
        let latency = parts.map(|part| part.medians / part.counted / 1000.0);
        if let Some(word) = moved(latency).filter(|_| parts.iter().all(|part| part.counted >= LEAST)) {
            let [a, b, c] = latency.map(human);
            notes.push(format!(
                "{}: the latency still {word}: median {a}, {b}, {c} ms in the thirds of the load",
                load.name.0
            ));
        }
        // A rate is asked for; and clients with so many iterations end one after the other.
        let free = load.rate.is_none() && load.duration_seconds.is_some();
        let rate = parts.map(|part| part.ok);
        if let (true, Some(word)) = (free, moved(rate)) {
            let change = human((rate[2] / rate[0] - 1.0).abs() * 100.0);
            notes.push(format!(
                "{}: the rate still {word}, by {change} % from the first third to the last",
                load.name.0
            ));
        }
    }
    notes
}

/// The thirds of the time from the first request due to the last end; [`None`]: too little to tell.
fn parts(records: &[&LoadRecord]) -> Option<[Part; PARTS]> {
    let start = records.iter().filter_map(|record| record.counts.first_due_ms).min()?;
    let end = records.iter().filter_map(|record| record.counts.last_end_ms).max()?;
    let mut parts = [Part::default(); PARTS];
    for record in records {
        fill(&mut parts, &record.timeline, start, end);
    }
    parts.iter().all(|part| part.ok >= LEAST).then_some(parts)
}

/// A bucket belongs to the part that its middle lies in.
fn fill(parts: &mut [Part; PARTS], timeline: &Timeline, start: i64, end: i64) {
    let length = (end - start).max(1);
    let step = i64::from(timeline.bucket_ms.max(1));
    for (i, bucket) in timeline.buckets.iter().enumerate() {
        let middle = timeline.start_ms + step * i64::try_from(i).unwrap_or(0) + step / 2;
        if !(start..end).contains(&middle) || step * 4 * PARTS as i64 > length {
            continue;
        }
        let part = &mut parts[usize::try_from((middle - start) * PARTS as i64 / length).unwrap_or(0).min(PARTS - 1)];
        part.ok += f64::from(bucket.ok);
        if let Some(median) = bucket.p50 {
            part.medians += f64::from(median) * f64::from(bucket.ok);
            part.counted += f64::from(bucket.ok);
        }
    }
}

/// Whether it went one way until the end: `grew` or `fell`.
fn moved([first, middle, last]: [f64; PARTS]) -> Option<&'static str> {
    let further = |a: f64, b: f64, by: f64| a > 0.0 && b > a * by;
    if further(first, last, WHOLE) && further(middle, last, LATE) {
        Some("grew")
    } else if further(last, first, WHOLE) && further(last, middle, LATE) {
        Some("fell")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::fixture::{START, Scene, good};
    use crate::results::gathered::record::Bucket;

    /// A row of 60 s with a bucket a second: good answers and their median in milliseconds, by the second.
    fn row(of: impl Fn(u32) -> (u32, u32)) -> Scene {
        let mut scene = good(60);
        for index in 0..2 {
            let bucket = |second| {
                let (ok, ms) = of(second);
                Bucket { ok, p50: Some(ms * 1000), ..Bucket::default() }
            };
            scene.load(index).timeline =
                Timeline { start_ms: START, bucket_ms: 1000, buckets: (0..60).map(bucket).collect() };
        }
        scene
    }

    #[test]
    fn a_latency_that_grows_until_the_end_is_said_and_the_row_keeps_its_verdict() {
        let scene = row(|second| (5, 20 + second));
        let (row, outcome) = scene.judged();
        assert_eq!(outcome.verdict, crate::api::Verdict::Passed);
        let said = row.observations.join("; ");
        assert!(said.contains("ingest: the latency still grew: median 29.5, 49.5, 69.5 ms"), "{said}");
    }

    #[test]
    fn what_came_to_rest_or_only_wavers_says_nothing() {
        for steady in [|_| (5, 20), |second| (5, if second < 15 { 80 } else { 20 }), |second| (5, 20 + second % 7)] {
            let scene = row(steady);
            assert_eq!(drift(&scene.planned, &scene.outcomes), Vec::<String>::new());
        }
    }

    #[test]
    fn a_rate_that_falls_is_said_of_clients_and_not_of_a_rate_that_is_asked_for() {
        let mut scene = row(|second| (20 - second / 5, 20));
        assert!(drift(&scene.planned, &scene.outcomes).is_empty());
        scene.planned.loads[0].rate = None;
        let said = drift(&scene.planned, &scene.outcomes);
        assert!(said.len() == 1 && said[0].contains("the rate still fell, by"), "{said:?}");
    }

    #[test]
    fn few_answers_say_nothing() {
        let scene = row(|second| (u32::from(second % 10 == 0), 20 + second));
        assert!(drift(&scene.planned, &scene.outcomes).is_empty());
    }
}
