//! Ways to look good wrongly. Each is planted in a test that else passes, and must come out with its reason.
//!
//! `tests/truth.rs` has the list of all of them, with those that only other levels can show.

use serde_json::json;

use crate::api::{Reason, Verdict};

use super::fixture::{START, Scene, cpu, good, report, share};
use super::gathered::collect::GeneratorOutcome;
use super::row_input::Fact;

mod answers;
mod database;
mod instrument;
mod targets;

/// The test ends with this verdict and reason, and its message or the row's observations and breaches hold these words.
#[track_caller]
fn caught(scene: &Scene, verdict: Verdict, reason: Reason, words: &str) {
    let (row, outcome) = scene.judged();
    assert_eq!((outcome.verdict, outcome.reason), (verdict, reason), "{} {row:#?}", outcome.message);
    let said = format!("{} {:?} {:?}", outcome.message, row.observations, row.breaches);
    assert!(said.contains(words), "{words:?} is not in: {said}");
    assert!(row.observations.len() <= 4 && row.observations.iter().all(|o| o.chars().count() <= 160));
    if verdict != Verdict::Passed {
        println!("lie: {verdict:?} {}: {}", reason.as_str(), outcome.message);
    }
}
#[track_caller]
fn invalid(scene: &Scene, reason: Reason, words: &str) {
    caught(scene, Verdict::Invalid, reason, words);
}

#[track_caller]
fn failed(scene: &Scene, reason: Reason, words: &str) {
    caught(scene, Verdict::Failed, reason, words);
}

#[test]
fn the_truth_passes() {
    for seconds in [60, 180] {
        let scene = good(seconds)
            .threshold(json!({"metric": "latency.p99Ms", "max": 50}))
            .threshold(json!({"metric": "database.connections.maximum", "max": 80}))
            .threshold(json!({"metric": "database.cpuPercent.maximum", "max": 90}));
        caught(&scene, Verdict::Passed, Reason::ThresholdsMet, "All 3 thresholds held in the row");
    }
}
