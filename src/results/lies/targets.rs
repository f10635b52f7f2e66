//! Lies about the targets, their logs and their measurements.

use super::*;
use crate::results::figures::measurements::LogCount;

#[test]
fn disturbed_target() {
    let mut scene = good(60);
    let message = "the HorizontalPodAutoscaler set api to 5 pods".to_owned();
    scene.facts.push(Fact { reason: Some(Reason::TargetDisturbed), message });
    invalid(&scene, Reason::TargetDisturbed, "HorizontalPodAutoscaler");
}

#[test]
fn pod_restarted_in_mid_row() {
    let mut scene = good(60);
    scene.targets[0].restarts = Some(1);
    scene.targets[0].oom_kills = Some(1);
    let message = "pods of api restarted".to_owned();
    scene.facts.push(Fact { reason: Some(Reason::TargetDisturbed), message });
    invalid(&scene, Reason::TargetDisturbed, "api restarted once, out of memory");
    let scene = scene.threshold(json!({"metric": "targets.api.restarts", "max": 0}));
    failed(&scene, Reason::ThresholdsBreached, "targets.api.restarts");
}

#[test]
fn restart_threshold_does_not_excuse_a_late_generator() {
    let mut scene = good(60).threshold(json!({"metric": "targets.api.restarts", "max": 0}));
    scene.targets[0].restarts = Some(1);
    scene.facts.push(Fact { reason: Some(Reason::TargetDisturbed), message: "pods of api restarted".into() });
    scene.later(0, 100, 50_000);
    invalid(&scene, Reason::GeneratorSaturated, "late");
}

#[test]
fn log_rotated_away() {
    let mut scene = good(60).threshold(json!({"metric": "measurements.timeouts.last", "max": 0}));
    let problem = Some("the log of api-1 was rotated".to_owned());
    scene.logs = vec![LogCount { name: "timeouts".into(), count: None, problem }];
    invalid(&scene, Reason::EvidenceMissing, "measurements.timeouts.last");
}

#[test]
fn measurement_that_is_not_there() {
    let mut scene = good(60).threshold(json!({"metric": "measurements.pending.maximum", "max": 100}));
    for sample in &mut scene.samples {
        sample.m.remove("pending");
    }
    invalid(&scene, Reason::EvidenceMissing, "measurements.pending.maximum");
}
