//! Lies of the database's figures: their window, their coverage, their source.

use super::*;
use crate::results::gathered::series::MINUTE_MS;

#[test]
fn warmup_inside_the_window() {
    let mut scene = good(60).threshold(json!({"metric": "database.connections.maximum", "max": 50}));
    for sample in scene.samples.iter_mut().filter(|s| s.t < START) {
        sample.pg.as_mut().expect("sampled").connections = 99;
    }
    caught(&scene, Verdict::Passed, Reason::ThresholdsMet, "");
    for sample in scene.samples.iter_mut().filter(|s| s.t == START + 30_000) {
        sample.pg.as_mut().expect("sampled").connections = 99;
    }
    failed(&scene, Reason::ThresholdsBreached, "database.connections.maximum");
}

#[test]
fn figure_with_too_few_points() {
    let mut scene = good(60).threshold(json!({"metric": "database.connections.maximum", "max": 80}));
    for sample in scene.samples.iter_mut().filter(|s| s.t % 3_000 == 0) {
        sample.pg = None;
        sample.lost.insert("postgres".into(), "timeout".into());
    }
    invalid(&scene, Reason::EvidenceMissing, "points, and 80 % are needed");
    let said = scene.judged().0.observations.join(" ");
    assert!(said.contains("PostgreSQL answered 40 of 60 samples: timeout"), "{said}");
}

#[test]
fn observer_died() {
    let mut scene = good(60).threshold(json!({"metric": "database.lockWaitPercent.average", "max": 50}));
    scene.spec.tasks_check = None;
    scene.samples.clear();
    scene.later_facts.push(Fact { reason: Some(Reason::ObserverLost), message: "the observer pod ended".into() });
    invalid(&scene, Reason::EvidenceMissing, "the observer pod ended");
    scene.spec.thresholds[0].optional = true;
    caught(&scene, Verdict::Passed, Reason::ThresholdsMet, "PostgreSQL answered 0 of 60 samples");
}

#[test]
fn database_restarted() {
    let mut scene = good(60).threshold(json!({"metric": "database.transactionsPerSecond.average", "min": 1}));
    for sample in scene.samples.iter_mut().filter(|s| s.t > START + 30_000) {
        sample.pg.as_mut().expect("sampled").transactions = Some(1);
    }
    invalid(&scene, Reason::EvidenceMissing, "transactionsPerSecond");
    assert!(scene.judged().0.observations.join(" ").contains("went back"));
}

#[test]
fn missing_minutes() {
    let threshold = json!({"metric": "database.cpuPercent.maximum", "max": 90});
    let mut scene = good(180).threshold(threshold);
    scene.series = vec![cpu(0..2)];
    invalid(&scene, Reason::EvidenceMissing, "2 of 3 points");
    scene.series = vec![];
    invalid(&scene, Reason::EvidenceMissing, "cpuPercent");
}

#[test]
fn minutes_of_another_time() {
    let mut scene = good(180).threshold(json!({"metric": "database.cpuPercent.maximum", "max": 90}));
    for point in &mut scene.series[0].points {
        point.start_ms -= 60 * MINUTE_MS;
    }
    invalid(&scene, Reason::EvidenceMissing, "cpuPercent");
}

#[test]
fn duplicated_minutes_are_no_coverage() {
    let mut scene = good(180).threshold(json!({"metric": "database.cpuPercent.maximum", "max": 90}));
    let first = scene.series[0].points[0];
    scene.series[0].points = vec![first; 10];
    invalid(&scene, Reason::EvidenceMissing, "1 of 3 points");
}

#[test]
fn forbidden_series() {
    let mut scene = good(180).threshold(json!({"metric": "database.cpuPercent.maximum", "max": 90}));
    scene.series[0].points.clear();
    scene.series[0].problem = Some("CloudWatch answered Forbidden".into());
    invalid(&scene, Reason::EvidenceMissing, "CloudWatch answered Forbidden");
}

#[test]
fn short_rows_are_judged_once_on_the_whole_test() {
    let mut scene = good(90).threshold(json!({"metric": "database.cpuPercent.maximum", "max": 42}));
    failed(&scene, Reason::ThresholdsBreached, "over the whole test");
    assert!(scene.judged().0.database.iter().all(|f| f.name != "cpuPercent"), "no row speaks for a minute it shares");
    scene.series[0].points.clear();
    invalid(&scene, Reason::EvidenceMissing, "over the whole test");
}

#[test]
fn late_breach_of_a_long_row() {
    let scene = good(180).threshold(json!({"metric": "database.cpuPercent.maximum", "max": 42}));
    assert_eq!(scene.row().verdict, None, "the row waits for CloudWatch");
    failed(&scene, Reason::ThresholdsBreached, "database.cpuPercent.maximum");
}
