//! Figures of spec.measurements, the backlog and its slope.

use crate::api::{Decimal, LoadTestSpec, Measurement, MeasurementFigure, Statistics};

use super::database::{Values, Window, statistics};
use super::decimal::{decimal, number};
use super::timed::timed;
use crate::results::gathered::sample::Sample;

/// What the controller counted in the logs of a target, from the start of the row to the end of its settle time.
#[derive(Clone, Debug, PartialEq)]
pub struct LogCount {
    /// Name of the measurement.
    pub name: String,
    /// Matching lines; absent: the logs could not be read in full.
    pub count: Option<u64>,
    /// Why not, a sentence.
    pub problem: Option<String>,
}

/// The figures of all measurements over the load, and sentences about what is missing.
///
/// A log count is one point: the count is its `last`, `maximum` and `settled`.
pub fn measurement_figures(
    spec: &LoadTestSpec,
    samples: &[Sample],
    logs: &[LogCount],
    window: &Window,
) -> (Vec<MeasurementFigure>, Vec<String>) {
    let mut notes = Vec::new();
    let mut figures = Vec::new();
    for measurement in &spec.measurements {
        let name = measurement.name.clone();
        let number = |statistics| MeasurementFigure { name, statistics, p50: None, p95: None };
        figures.push(match &measurement.log {
            Some(_) => number(counted(measurement, logs, &mut notes)),
            None if measurement.durations().is_some() => timed(measurement, samples, window, &mut notes),
            None => number(sampled(measurement, samples, window, &mut notes)),
        });
    }
    (figures, notes)
}

fn sampled(measurement: &Measurement, samples: &[Sample], window: &Window, notes: &mut Vec<String>) -> Statistics {
    let name = &measurement.name.0;
    let statistics = statistics(&values(samples, name), window, interval_ms(measurement));
    let why = samples
        .iter()
        .rev()
        .filter(|s| s.t >= window.start_ms && s.t <= window.settled_ms.unwrap_or(window.end_ms))
        .find_map(|s| s.lost.get(name));
    if let (Some(points), Some(expected)) = (statistics.points, statistics.expected)
        && points < expected
        && let Some(why) = why
    {
        notes.push(format!("{name} answered {points} of {expected} times: {why}"));
    }
    statistics
}

fn counted(measurement: &Measurement, logs: &[LogCount], notes: &mut Vec<String>) -> Statistics {
    let name = &measurement.name.0;
    let log = logs.iter().find(|l| l.name == *name);
    let count = log.and_then(|l| l.count).and_then(|n| decimal(n as f64));
    if count.is_none() {
        let why = log.and_then(|l| l.problem.clone()).unwrap_or_else(|| "they were not counted".into());
        notes.push(format!("{name}: the logs could not be read in full: {why}"));
    }
    Statistics {
        maximum: count.clone(),
        last: count.clone(),
        settled: count.clone(),
        points: Some(i32::from(count.is_some())),
        expected: Some(1),
        ..Statistics::default()
    }
}

fn interval_ms(measurement: &Measurement) -> i64 {
    i64::from(measurement.interval_seconds.max(1)) * 1000
}

/// All values of a measurement, in order of time.
pub fn values(samples: &[Sample], name: &str) -> Values {
    let mut values: Values = samples.iter().filter_map(|s| Some((s.t, *s.m.get(name)?))).collect();
    values.sort_by_key(|(t, _)| *t);
    values
}

/// Value at the end of the load of settle.until's measurement: the last one under load, at most two intervals old.
pub fn backlog(values: &[(i64, f64)], measurement: &Measurement, load: &Window) -> Option<i64> {
    let value = number(statistics(values, load, interval_ms(measurement)).last.as_ref()?)?;
    (value >= 0.0).then_some(value.round() as i64)
}

/// Growth per second under load by least squares; `None` from fewer than three points.
pub fn slope(values: &[(i64, f64)], window: &Window) -> Option<Decimal> {
    let inside: Vec<(f64, f64)> = values
        .iter()
        .filter(|(t, _)| (window.start_ms..=window.end_ms).contains(t))
        .map(|(t, v)| ((t - window.start_ms) as f64 / 1000.0, *v))
        .collect();
    if inside.len() < 3 {
        return None;
    }
    let n = inside.len() as f64;
    let (mean_t, mean_v) = (inside.iter().map(|p| p.0).sum::<f64>() / n, inside.iter().map(|p| p.1).sum::<f64>() / n);
    let covariance: f64 = inside.iter().map(|(t, v)| (t - mean_t) * (v - mean_v)).sum();
    let variance: f64 = inside.iter().map(|(t, _)| (t - mean_t).powi(2)).sum();
    if variance > 0.0 { decimal(covariance / variance) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window { start_ms: 0, end_ms: 10_000, settled_ms: None };

    #[test]
    fn the_slope_is_the_growth_per_second_under_load() {
        let growing: Values = (-5..30).map(|t| (t * 1000, if t <= 10 { 3.0 * t as f64 } else { 0.0 })).collect();
        assert_eq!(slope(&growing, &WINDOW), decimal(3.0));
        assert_eq!(slope(&[(0, 1.0), (5000, 2.0)], &WINDOW), None);
        assert_eq!(slope(&[(0, 1.0), (0, 2.0), (0, 3.0)], &WINDOW), None);
    }

    #[test]
    fn logs_that_could_not_be_read_are_missing_not_zero() {
        let spec: LoadTestSpec = serde_json::from_value(serde_json::json!({
            "loads": [{"name": "a", "url": "http://a"}],
            "measurements": [{"name": "timeouts", "log": {"target": "api", "regex": "TIMEOUT"}}],
        }))
        .expect("a spec");
        let problem = Some("the log was rotated".to_owned());
        let lost = LogCount { name: "timeouts".into(), count: None, problem };
        let (figures, notes) = measurement_figures(&spec, &[], &[lost], &WINDOW);
        assert_eq!(figures[0].statistics.last, None);
        assert_eq!(figures[0].statistics.points, Some(0));
        assert!(notes[0].contains("rotated"));
        let none = LogCount { name: "timeouts".into(), count: Some(0), problem: None };
        let (figures, _) = measurement_figures(&spec, &[], &[none], &WINDOW);
        assert_eq!(figures[0].statistics.last, decimal(0.0));
    }
}
