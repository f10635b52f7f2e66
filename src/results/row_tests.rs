//! Figures of a row that rest on several sources: rates by measured time, the backlog, what the clients and the application count.

use super::fixture::{START, Scene, cpu, good, share};
use serde_json::json;

use super::gathered::recovery::{OutageRecord, RecoveryRecord};
use super::gathered::sample::Sample;

fn text(decimal: Option<crate::api::Decimal>) -> Option<String> {
    decimal.map(|d| d.0)
}

#[test]
fn tasks_a_second_are_by_the_time_until_the_last_answer_and_not_by_the_planned_one() {
    let mut scene = good(60);
    assert_eq!(text(scene.row().tasks_per_second).as_deref(), Some("10"));
    scene.load(1).counts.last_end_ms = Some(START + 80_000);
    let row = scene.row();
    assert_eq!((row.tasks.map(|n| n.0), text(row.tasks_per_second).as_deref()), (Some(600), Some("7.5")));
}

#[test]
fn no_rate_is_higher_because_the_last_answer_came_before_the_planned_end() {
    let mut scene = good(60);
    for index in 0..2 {
        scene.load(index).counts.last_end_ms = Some(START + 50_000);
    }
    let row = scene.row();
    let requests = row.loads[0].requests.clone().expect("requests");
    assert_eq!((text(row.tasks_per_second).as_deref(), text(requests.per_second).as_deref()), (Some("10"), Some("10")));
}

#[test]
fn a_backlog_has_its_size_at_the_end_its_growth_under_load_and_the_time_until_it_was_gone() {
    let mut scene = good(60);
    for sample in &mut scene.samples {
        let second = (sample.t - START) / 1000;
        let left = if second <= 60 { 3 * second } else { 180 - 40 * (second - 60) };
        sample.m.insert("pending".into(), left.max(0) as f64);
    }
    scene.drained_at_ms = Some(START + 65_000);
    let row = scene.row();
    assert_eq!(row.backlog.map(|n| n.0), Some(180));
    assert_eq!(text(row.backlog_slope_per_second).as_deref(), Some("3"));
    assert_eq!(text(row.drain_seconds).as_deref(), Some("5"));
}

/// 600 tasks in 60 s, and 180 of them left, which take 60 s more; PostgreSQL has more connections meanwhile.
fn worked_off_later() -> Scene {
    let mut scene = good(60);
    let template = scene.samples[0].clone();
    scene.samples = (-2..=130)
        .map(|second: i64| {
            let mut sample = Sample { t: START + second * 1000, ..template.clone() };
            let left = if second <= 60 { 3 * second } else { 180 - 3 * (second - 60) };
            sample.m = [("created".into(), 600.0), ("pending".into(), left.max(0) as f64)].into();
            let pg = sample.pg.as_mut().expect("sessions");
            pg.connections = if (61..=120).contains(&second) { 40 } else { 12 };
            pg.transactions = Some(5_000 + 20 * second);
            sample
        })
        .collect();
    scene.drained_at_ms = Some(START + 120_000);
    scene.settled_ms = START + 130_000;
    scene
}

#[test]
fn processed_per_second_is_tasks_by_the_time_until_they_were_worked_off() {
    let row = worked_off_later().row();
    assert_eq!(text(row.tasks_per_second).as_deref(), Some("10"), "accepted in 60 s");
    assert_eq!(text(row.processed_per_second).as_deref(), Some("5"), "worked off in 120 s");
    assert_eq!(text(row.drain_seconds).as_deref(), Some("60"));
    let mut endless = worked_off_later();
    endless.drained_at_ms = None;
    assert_eq!(endless.row().processed_per_second, None);
    let mut uncounted = worked_off_later();
    (0..2).for_each(|index| uncounted.load(index).counts.tasks = None);
    assert_eq!(uncounted.row().processed_per_second, None, "tasks are not known");
}

#[test]
fn with_measure_the_figures_go_on_until_the_backlog_was_worked_off_and_without_it_they_end_with_the_load() {
    let most = |scene: &Scene| {
        let row = scene.row();
        let figure = row.database.iter().find(|figure| figure.name == "connections").expect("sampled").clone();
        let left = row.measurements.iter().find(|one| one.name.0 == "pending").expect("measured").clone();
        let backlog = row.backlog.map(|n| n.0);
        (text(figure.statistics.maximum), figure.statistics.expected, text(left.statistics.last), backlog)
    };
    let mut scene = worked_off_later();
    assert_eq!(most(&scene), (Some("12".into()), Some(60), Some("180".into()), Some(180)));
    scene.spec.settle.as_mut().expect("settle").measure = true;
    assert_eq!(most(&scene), (Some("40".into()), Some(120), Some("0".into()), Some(180)));
    assert_eq!(scene.row().measured_until, Some(crate::api::Instant::from_millis(START + 120_000)));
    scene.drained_at_ms = None;
    assert_eq!(scene.row().measured_until, None, "it never held");
}

#[test]
fn a_row_whose_backlog_takes_whole_minutes_carries_cloudwatch_when_it_is_measured() {
    let scene = worked_off_later().threshold(serde_json::json!({"metric": "database.cpuPercent.maximum", "max": 90}));
    let carried = |scene: &Scene| scene.judged().0.database.iter().any(|figure| figure.name == "cpuPercent");
    let mut measured = scene.clone();
    measured.spec.settle.as_mut().expect("settle").measure = true;
    measured.series = vec![cpu(0..3)];
    assert_eq!((carried(&scene), carried(&measured)), (false, true));
}

#[test]
fn every_sent_request_is_good_or_failed_and_what_timed_out_capped_or_late_is_told_beside() {
    let mut scene = good(60);
    *scene.load(0) = share(280, START + 60_000);
    (scene.load(0).counts.due, scene.load(0).counts.capped) = (300, 20);
    scene.fail(1, 4, "timeout", None);
    scene.load(1).counts.timed_out = 4;
    let requests = scene.row().loads[0].requests.clone().expect("counts");
    let n = |count: Option<crate::api::Count>| count.map(|n| n.0);
    assert_eq!((n(requests.sent), n(requests.ok), n(requests.failed)), (Some(580), Some(576), Some(4)));
    assert_eq!((n(requests.timed_out), n(requests.capped), n(requests.late)), (Some(4), Some(20), Some(0)));
}

#[test]
fn a_row_whose_generator_was_late_says_which_thresholds_did_not_hold_too() {
    let mut scene = good(60)
        .threshold(serde_json::json!({"metric": "tasksPerSecond", "min": 20}))
        .threshold(serde_json::json!({"metric": "requests.sent", "max": 10}));
    scene.later(1, 7, 11_000);
    let (_, outcome) = scene.judged();
    assert_eq!(outcome.reason, crate::api::Reason::GeneratorSaturated);
    let message = outcome.message;
    let both = "Did not hold, either: tasksPerSecond was 10, allowed is at least 20; requests.sent was 600, allowed is at most 10.";
    assert!(message.contains("the generator was late: 7 of 600 requests") && message.contains(both), "{message}");
}

#[test]
fn a_growth_of_memory_that_rests_on_too_few_points_says_so() {
    let metric = "targets.api.memorySlopePercentPerMinute";
    let (row, outcome) = good(60).threshold(serde_json::json!({"metric": metric, "max": "0.5"})).judged();
    assert_eq!(outcome.reason, crate::api::Reason::EvidenceMissing);
    let why = format!("no figure for {metric}: fewer than 5 points in the load's second half, or none for a minute");
    assert_eq!(row.observations[0], why);
}

#[test]
fn of_several_thresholds_that_did_not_hold_the_sentence_names_one_and_says_how_many_more() {
    let mut scene = good(60);
    for n in 1..=6 {
        let one = scene.clone().threshold(json!({"metric": "latency.p99Ms", "max": n}));
        scene = if n == 1 { one } else { one.threshold(json!({"metric": "tasks", "max": n})) };
    }
    let (row, outcome) = scene.judged();
    assert!(
        outcome.message.ends_with("allowed is at most 1, and 10 more thresholds did not hold."),
        "{} {row:#?}",
        outcome.message
    );
    let one = good(60).threshold(json!({"metric": "latency.p99Ms", "max": 1})).judged().1.message;
    assert!(one.ends_with("allowed is at most 1."), "{one}");
}

#[test]
fn a_missing_figure_is_told_with_what_is_known_of_the_cause() {
    let mut scene = good(60).threshold(json!({"metric": "measurements.pending.maximum", "max": 100}));
    scene.spec.settle = None;
    for sample in &mut scene.samples {
        sample.m.remove("pending");
        sample.lost.insert("pending".into(), "the answer has nothing at \"/b\"".into());
    }
    let said = scene.judged().1.message;
    assert!(said.contains("no figure for measurements.pending.maximum: it has 0 of"), "{said}");
    assert!(said.contains("; pending answered 0 of") && said.contains("the answer has nothing at \"/b\""), "{said}");
}

#[test]
fn a_percentile_of_answers_that_failed_says_that_they_failed_and_how_many_it_needs() {
    let mut scene = good(60).threshold(json!({"metric": "latency.p99Ms", "max": 100}));
    for index in 0..2 {
        scene.fail(index, 300, "status 500", Some(500));
    }
    let (row, outcome) = scene.judged();
    let said = "ingest has 0 good answers, and 459 are needed; 600 of 600 requests failed.";
    assert!(outcome.message.contains(said), "{} {row:#?}", outcome.message);
    assert!(row.observations.iter().any(|text| text == "600 answers were 500"), "{row:#?}");
}

#[test]
fn how_requests_failed_stands_before_that_no_good_answer_came_afterwards() {
    let mut scene = good(60);
    scene.fail(0, 20, "status 500", Some(500));
    let outage = OutageRecord { open: true, to_ms: 9_000, ..OutageRecord::default() };
    scene.load(0).recovery = Some(RecoveryRecord { count: 1, outages: vec![outage], ..RecoveryRecord::default() });
    let (row, outcome) = scene.judged();
    assert!(outcome.message.contains("20 answers were 500"), "{}", outcome.message);
    assert!(row.observations.iter().any(|text| text.contains("did not answer well again")), "{row:#?}");
    for index in 0..2 {
        let left = scene.load(index).counts.ok;
        scene.fail(index, left, "status 503", Some(503));
    }
    let row = scene.row();
    assert!(!row.observations.iter().any(|text| text.contains("again")), "it never did: {row:#?}");
}
