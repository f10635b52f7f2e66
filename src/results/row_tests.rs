//! Figures of a row that rest on several sources: rates by measured time, the backlog, what the clients and the application count.

use super::fixture::{START, good, share};

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
