//! Lies of the instrument: what was sent, by whom, when, and who says so.

use super::*;
use crate::results::gathered::record::{LoadRecord, Termination};
use crate::results::judged::verdict::EarlyEnd;

#[test]
fn saturated_generator() {
    let mut scene = good(60);
    scene.later(1, 7, 11_000);
    invalid(&scene, Reason::GeneratorSaturated, "the generator was late: 7 of 600 requests");
}

#[test]
fn one_late_request_of_few_is_no_late_generator_and_two_are() {
    let mut scene = good(60).threshold(json!({"metric": "requests.failedPercent", "max": 50}));
    scene.planned.loads[0].rate = Some(1);
    scene.planned.loads[0].per_seconds = Some(2);
    for index in 0..2 {
        *scene.load(index) = share(15, START + 60_000);
    }
    scene.spec.tasks_check = None;
    scene.later(1, 1, 11_000);
    caught(&scene, Verdict::Passed, Reason::ThresholdsMet, "The threshold held");
    assert_eq!(scene.row().loads[0].requests.as_ref().and_then(|all| all.late).map(|n| n.0), Some(1), "it is told");
    scene.later(1, 2, 11_000);
    invalid(&scene, Reason::GeneratorSaturated, "the generator was late: 2 of 30 requests of ingest were sent");
}

#[test]
fn one_request_of_few_that_was_never_sent() {
    let mut scene = good(60);
    scene.planned.loads[0].rate = Some(1);
    scene.planned.loads[0].per_seconds = Some(2);
    *scene.load(0) = share(14, START + 60_000);
    *scene.load(1) = share(15, START + 60_000);
    (scene.load(0).counts.due, scene.load(0).counts.unsent) = (15, 1);
    invalid(&scene, Reason::GeneratorSaturated, "1 of 30 requests of ingest was sent");
}

#[test]
fn what_never_became_due_after_a_stop_is_not_late() {
    let mut scene = good(60);
    *scene.load(0) = share(100, START + 20_000);
    (scene.load(0).counts.due, scene.load(0).counts.unsent) = (300, 200);
    scene.load(0).stopped = Some("sigterm".into());
    invalid(&scene, Reason::ResultsIncomplete, "200 planned requests were not sent");
    let row = scene.row();
    assert_eq!(row.loads[0].requests.as_ref().and_then(|all| all.late).map(|n| n.0), Some(0));
}

#[test]
fn unsent_requests_left_out_of_the_count() {
    let mut scene = good(60);
    *scene.load(0) = share(293, START + 60_000);
    scene.load(0).counts.due = 300;
    scene.load(0).counts.unsent = 7;
    invalid(&scene, Reason::GeneratorSaturated, "late");
}

#[test]
fn rate_that_was_never_offered() {
    let mut scene = good(60);
    *scene.load(0) = share(100, START + 60_000);
    invalid(&scene, Reason::GeneratorSaturated, "only 400 of 600 requests became due");
}

#[test]
fn full_in_flight_cap() {
    let mut scene = good(60);
    *scene.load(0) = share(200, START + 60_000);
    scene.load(0).counts.due = 300;
    scene.load(0).counts.capped = 100;
    failed(&scene, Reason::InFlightCapReached, "at least");
}

#[test]
fn full_cap_does_not_hide_a_late_generator() {
    let mut scene = good(60);
    *scene.load(0) = share(200, START + 60_000);
    scene.load(0).counts.due = 300;
    scene.load(0).counts.capped = 100;
    scene.later(1, 100, 50_000);
    invalid(&scene, Reason::GeneratorSaturated, "late");
}

#[test]
fn skewed_clock() {
    let mut scene = good(60);
    scene.report(1).header.grant_seen_after_ms = 1_500;
    invalid(&scene, Reason::ClockSkew, "clocks");
    scene.report(1).header.grant_seen_after_ms = -1_500;
    invalid(&scene, Reason::ClockSkew, "clocks");
}

#[test]
fn early_cut() {
    let mut scene = good(60);
    scene.load(0).stopped = Some("sigterm".into());
    invalid(&scene, Reason::ResultsIncomplete, "stopped before its end (sigterm)");
}

#[test]
fn hard_end_before_the_plan_was_done() {
    let mut scene = good(60);
    scene.load(0).stopped = Some("hard-end".into());
    invalid(&scene, Reason::DeadlineExceeded, "hard-end");
}

#[test]
fn duplicated_pod() {
    let mut scene = good(60);
    scene.outcomes.push((1, report(1, share(300, START + 60_000))));
    invalid(&scene, Reason::ResultsIncomplete, "more than once");
}

#[test]
fn one_generator_gone_without_a_word() {
    let mut scene = good(60);
    scene.outcomes.pop();
    invalid(&scene, Reason::GeneratorLost, "1 generator of 2 said nothing");
}

#[test]
fn one_generator_killed() {
    let mut scene = good(60);
    let message = "killed for using more than 256Mi".to_owned();
    scene.outcomes[1].1 = GeneratorOutcome::Lost { reason: Reason::GeneratorOutOfMemory, message };
    invalid(&scene, Reason::GeneratorOutOfMemory, "generator 2 of 2: killed");
}

#[test]
fn log_gone_counts_only() {
    let mut scene = good(60).threshold(json!({"metric": "latency.p99Ms", "max": 500}));
    let loads = vec![share(300, START + 60_000)];
    scene.outcomes[1].1 = GeneratorOutcome::Counts(Termination { reason: None, message: None, loads });
    invalid(&scene, Reason::ResultsIncomplete, "its latency is not");
    let (row, _) = scene.judged();
    assert_eq!(row.loads[0].latency, None, "the latency of one generator is not that of two");
    assert_eq!(row.tasks.map(|n| n.0), Some(600));
}

#[test]
fn records_of_another_row() {
    let mut scene = good(60);
    scene.report(0).header.row = 2;
    invalid(&scene, Reason::ResultsIncomplete, "another row");
}

#[test]
fn records_of_another_start() {
    let mut scene = good(60);
    scene.report(0).header.start_at_ms -= 60_000;
    invalid(&scene, Reason::ResultsIncomplete, "another start");
}

#[test]
fn answers_that_were_never_asked_for() {
    let mut scene = good(60);
    scene.load(0).counts.ok += 1_000;
    invalid(&scene, Reason::ResultsIncomplete, "contradict");
}

#[test]
fn failures_dropped_from_the_count() {
    let mut scene = good(60);
    scene.load(0).counts.sent += 50;
    scene.load(0).counts.due += 50;
    invalid(&scene, Reason::ResultsIncomplete, "contradict");
}

#[test]
fn nothing_sent_nothing_failed() {
    let mut scene = good(60);
    for i in 0..2 {
        *scene.load(i) = LoadRecord { name: "ingest".into(), ..Default::default() };
    }
    invalid(&scene, Reason::ResultsIncomplete, "ingest sent nothing");
}

#[test]
fn rows_that_were_never_run() {
    let mut scene = good(60);
    let message = "the total deadline passed".to_owned();
    scene.early = Some(EarlyEnd { reason: Reason::DeadlineExceeded, message });
    invalid(&scene, Reason::DeadlineExceeded, "1 row was done of 1");
    scene.early = Some(EarlyEnd { reason: Reason::Cancelled, message: String::new() });
    caught(&scene, Verdict::Aborted, Reason::Cancelled, "The run was cancelled");
}

#[test]
fn a_row_that_a_threshold_stopped_is_failed_though_less_is_known_of_it() {
    let mut scene = good(60)
        .threshold(json!({"metric": "requests.failedPercent", "max": 5, "stop": true}))
        .threshold(json!({"metric": "latency.p99Ms", "max": 50}));
    for index in 0..2 {
        let GeneratorOutcome::Complete(report) = &mut scene.outcomes[index].1 else { panic!("a report") };
        report.loads[0] = share(5, START + 1_000);
        report.loads[0].stopped = Some("threshold".into());
        report.loads[0].breach = Some(crate::api::Breach {
            metric: "requests.failedPercent".into(),
            observed: "100".into(),
            limit: "max 5".into(),
        });
    }
    failed(
        &scene,
        Reason::ThresholdsBreached,
        "ingest was stopped early by 2 of its 2 generators: requests.failedPercent",
    );
    scene.later(1, 5, 20_000);
    invalid(&scene, Reason::GeneratorSaturated, "late");
}
