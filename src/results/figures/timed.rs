//! Figures of a measurement that times items: those of the last time that all pages were read, once the row's work was over.

use crate::api::{Decimal, Measurement, MeasurementFigure, Statistics};

use super::database::Window;
use super::decimal::{decimal, human_count};
use super::load_figures::SAMPLE_FLOOR;
use super::note::plural;
use crate::results::gathered::durations::DurationsRecord;
use crate::results::gathered::sample::Sample;

/// The figures, seconds. What rests on them says how many of the items have both instants.
pub fn timed(
    measurement: &Measurement,
    samples: &[Sample],
    window: &Window,
    notes: &mut Vec<String>,
) -> MeasurementFigure {
    let name = &measurement.name.0;
    let over = |sample: &&Sample| sample.t >= window.end_ms && window.settled_ms.is_none_or(|end| sample.t <= end);
    let mut after = samples.iter().filter(over).rev();
    let record = after.clone().find_map(|sample| sample.d.get(name));
    let to = measurement.durations().map(|durations| durations.to.as_str()).unwrap_or_default();
    match (record, after.find_map(|sample| sample.lost.get(name))) {
        (Some(record), _) if record.missing > 0 => {
            let items = plural((record.timed + record.missing).into(), "item", "items");
            let missing = human_count(record.missing.into());
            notes.push(format!("{name}: {missing} of {items} have no instant at {to:?} yet"));
        }
        (Some(record), _) if record.timed == 0 => notes.push(format!("{name}: there were no items")),
        (Some(_), _) => {}
        (None, Some(why)) => notes.push(format!("{name} could not be measured: {why}")),
        (None, None) => {
            let text = "was not measured until the end of the settle time; a longer settle.seconds leaves it time";
            notes.push(format!("{name} {text}"));
        }
    }
    figure(measurement, record.unwrap_or(&DurationsRecord::default()))
}

fn figure(measurement: &Measurement, record: &DurationsRecord) -> MeasurementFigure {
    let count = |n: u32| i32::try_from(n).unwrap_or(i32::MAX).min(10_000_000);
    let times = record.times.as_ref();
    let [p50, _, p95, _] = SAMPLE_FLOOR.map(|(_, floor)| floor);
    let percentile = |floor: u64, of: Option<f64>| -> Option<Decimal> {
        of.filter(|_| u64::from(record.timed) >= floor).and_then(decimal)
    };
    MeasurementFigure {
        name: measurement.name.clone(),
        statistics: Statistics {
            average: times.and_then(|times| decimal(times.average)),
            minimum: times.and_then(|times| decimal(times.minimum)),
            maximum: times.and_then(|times| decimal(times.maximum)),
            points: Some(count(record.timed)),
            expected: Some(count(record.timed + record.missing)),
            ..Statistics::default()
        },
        p50: percentile(p50, times.map(|times| times.p50)),
        p95: percentile(p95, times.map(|times| times.p95)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::judged::metric::{Worst, value};
    use serde_json::json;

    const WINDOW: Window = Window { start_ms: 0, end_ms: 10_000, settled_ms: Some(20_000) };

    fn wait() -> Measurement {
        let durations = json!({"items": "/results", "next": "/next", "from": "/created", "to": "/started_at"});
        serde_json::from_value(json!({"name": "wait",
            "http": {"url": "http://a/", "jsonPointer": "", "durations": durations}}))
        .expect("a measurement")
    }

    /// What the threshold's metrics see, and the notes.
    fn seen(samples: &[Sample]) -> (Vec<Option<f64>>, Vec<String>) {
        let mut notes = Vec::new();
        let row =
            crate::api::Row { measurements: vec![timed(&wait(), samples, &WINDOW, &mut notes)], ..Default::default() };
        let of = |which: &str| value(&format!("measurements.wait.{which}"), &row, Worst::Largest).ok();
        (["average", "p50", "p95", "maximum"].map(of).to_vec(), notes)
    }

    fn at(t: i64, seconds: Vec<f64>, missing: usize) -> Sample {
        Sample { t, d: [("wait".into(), DurationsRecord::of(seconds, missing))].into(), ..Sample::default() }
    }

    #[test]
    fn the_last_reading_after_the_work_counts() {
        let hundred = || (1..=100).map(f64::from).collect::<Vec<_>>();
        let samples =
            [at(9_000, vec![9.0], 0), at(11_000, hundred(), 10), at(13_000, hundred(), 0), at(21_000, vec![], 0)];
        assert_eq!(seen(&samples), (vec![Some(50.5), Some(50.0), Some(95.0), Some(100.0)], vec![]));
    }

    #[test]
    fn few_items_have_no_percentile() {
        assert_eq!(seen(&[at(11_000, vec![1.0, 3.0], 0)]).0, [Some(2.0), None, None, Some(3.0)]);
    }

    #[test]
    fn items_that_are_not_done_are_missing_and_many_of_them_leave_no_figure() {
        let (figures, notes) = seen(&[at(11_000, vec![1.0; 9], 1)]);
        assert_eq!(figures[0], Some(1.0));
        assert_eq!(notes, ["wait: 1 of 10 items have no instant at \"/started_at\" yet"]);
        let (figures, notes) = seen(&[at(11_000, vec![1.0; 7], 3)]);
        assert_eq!(figures, [None, None, None, None], "those that wait longest are missing");
        assert!(notes[0].starts_with("wait: 3 of 10 items"));
    }

    #[test]
    fn what_was_not_read_is_missing_and_says_why() {
        let lost =
            Sample { t: 11_000, lost: [("wait".into(), "answered status 500".into())].into(), ..Sample::default() };
        assert_eq!(seen(&[lost]).1, ["wait could not be measured: answered status 500"]);
        let (figures, notes) = seen(&[]);
        assert!(figures.iter().all(Option::is_none) && notes[0].contains("a longer settle.seconds"), "{notes:?}");
        assert_eq!(seen(&[at(11_000, vec![], 0)]).1, ["wait: there were no items"]);
    }
}
