//! What was sampled beside a row, over time: for charts only, nothing is judged by it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::{Instant, Row};
use crate::results::gathered::sample::{PostgresSample, Sample};

/// Most points of a figure.
const MOST_POINTS: i64 = 240;
/// Samples are taken once a second.
const SECOND_MS: i64 = 1_000;

/// Samples from a row's first request due to the end of its settle time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Course {
    /// Beginning of the first point, milliseconds since the epoch.
    pub start_ms: i64,
    /// Length of a point; of several samples in it the largest stands.
    pub step_ms: i64,
    /// By name: `connections`, `active`, `waiting`, `lock`, `idleInTransaction`, `slow`, `measurements.NAME`,
    /// `targets.NAME.cpuPercent` and `.memoryPercent`. Null: not seen.
    pub figures: BTreeMap<String, Vec<Option<f64>>>,
}

/// The row's samples, and `more` figures by name, with milliseconds since the epoch. `None`: there is none, or the row sent nothing.
pub fn course(row: &Row, samples: &[Sample], more: &[(String, Vec<(i64, f64)>)]) -> Option<Course> {
    let start_ms = row.started_at.map(Instant::as_millis)?;
    let end_ms = row.ended_at.or(row.load_ended_at).map(Instant::as_millis)?;
    let length = (end_ms - start_ms).max(SECOND_MS);
    let step_ms = ceiling(length, MOST_POINTS * SECOND_MS) * SECOND_MS;
    let points = usize::try_from(ceiling(length, step_ms)).ok()?;
    let mut course = Course { start_ms, step_ms, figures: BTreeMap::new() };
    let mut add = |name: String, at: i64, value: f64| {
        let Ok(at) = usize::try_from((at - start_ms).div_euclid(step_ms)) else { return };
        let figure = course.figures.entry(name).or_insert_with(|| vec![None; points]);
        if let Some(place) = figure.get_mut(at) {
            *place = Some(place.map_or(value, |known| known.max(value)));
        }
    };
    for sample in samples.iter().filter(|sample| (start_ms..end_ms).contains(&sample.t)) {
        let measured = sample.m.iter().map(|(name, value)| (format!("measurements.{name}"), *value));
        sample.pg.iter().flat_map(sessions).chain(measured).for_each(|(name, value)| add(name, sample.t, value));
    }
    for (name, looks) in more {
        looks
            .iter()
            .filter(|(at, _)| (start_ms..end_ms).contains(at))
            .for_each(|(at, value)| add(name.clone(), *at, *value));
    }
    (!course.figures.is_empty()).then_some(course)
}

/// Of two positive numbers, rounded up.
fn ceiling(whole: i64, part: i64) -> i64 {
    (whole + part - 1) / part
}

fn sessions(sample: &PostgresSample) -> Vec<(String, f64)> {
    let all = [
        ("connections", Some(sample.connections)),
        ("active", sample.active),
        ("waiting", sample.waiting),
        ("lock", sample.lock),
        ("idleInTransaction", sample.idle_in_transaction),
        ("slow", sample.slow),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), f64::from(value?)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::fixture::{START, good};

    #[test]
    fn a_row_keeps_what_was_sampled_from_its_start_to_the_end_of_its_settle_time() {
        let scene = good(60);
        let course = course(
            &scene.row(),
            &scene.samples,
            &[("targets.api.cpuPercent".into(), vec![(START + 10_000, 55.0), (START - 1, 99.0)])],
        )
        .expect("samples");
        assert_eq!((course.start_ms, course.step_ms), (START, 1_000));
        assert_eq!(course.figures["connections"].len(), 70);
        assert_eq!(course.figures["measurements.created"][30], Some(300.0));
        assert_eq!(course.figures.get("slow"), None, "what was never seen has no course");
        let cpu = &course.figures["targets.api.cpuPercent"];
        assert_eq!((cpu[10], cpu.iter().flatten().count()), (Some(55.0), 1), "what was before the row is not its own");
    }

    #[test]
    fn a_long_row_keeps_the_largest_of_each_point_and_a_gap_stays_a_gap() {
        let mut scene = good(600);
        scene.samples.retain(|sample| !(START + 30_000..START + 60_000).contains(&sample.t));
        scene.samples[102].pg.as_mut().expect("sessions").connections = 99;
        let course = course(&scene.row(), &scene.samples, &[]).expect("samples");
        let connections = &course.figures["connections"];
        assert!(connections.len() <= 240 && course.step_ms == 3_000, "{} points", connections.len());
        assert_eq!(connections.iter().flatten().fold(0.0, |most: f64, one| most.max(*one)), 99.0);
        assert_eq!(connections[15], None);
    }
}
