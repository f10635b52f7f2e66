//! Lies of answers and counts: failures that look good, percentiles of nothing, tasks that nobody ran.

use super::*;
use crate::results::gathered::histogram;
use crate::results::gathered::record::{Bucket, StepCounts, StepRecord, Timeline};

#[test]
fn rate_of_answers_that_came_long_after_the_end() {
    let mut scene = good(60).threshold(json!({"metric": "requests.perSecond", "min": 9}));
    scene.spec.tasks_check = None;
    for index in 0..2 {
        let load = scene.load(index);
        let bucket = |sent, ok| Bucket { due: sent, sent, ok, ..Bucket::default() };
        let buckets = (0..150).map(|second| bucket(if second < 60 { 5 } else { 0 }, 2)).collect();
        load.timeline = Timeline { start_ms: START, bucket_ms: 1_000, buckets };
        load.counts.last_end_ms = Some(START + 150_000);
    }
    failed(&scene, Reason::ThresholdsBreached, "requests.perSecond was 4, allowed is at least 9");
}

#[test]
fn instant_500s() {
    let mut scene = good(60).threshold(json!({"metric": "latency.p50Ms", "max": 50}));
    scene.fail(0, 150, "status 500", Some(500));
    scene.fail(1, 150, "status 500", Some(500));
    scene.spec.tasks_check = None;
    failed(&scene, Reason::RequestsFailed, "300 answers were 500");
    let (row, _) = scene.judged();
    let latency = row.loads[0].latency.clone().expect("good answers");
    assert_eq!(latency.p50_ms.map(|d| d.0), Some("20.015".into()), "failures don't make latency better");
    let requests = row.loads[0].requests.clone().expect("counts");
    assert_eq!(requests.failed_percent.map(|d| d.0), Some("50".into()));
}

#[test]
fn status_200_with_an_error_body() {
    let mut scene = good(60);
    scene.fail(0, 3, "bad json", Some(200));
    failed(&scene, Reason::RequestsFailed, "3 requests failed: bad json");
}

#[test]
fn missing_json_pointer() {
    let mut scene = good(60);
    scene.fail(0, 300, "no number at /tasks_executed", Some(200));
    failed(&scene, Reason::RequestsFailed, "300 requests failed: no number at /tasks_executed");
}

#[test]
fn failures_allowed_for_one_load_are_not_allowed_for_another() {
    let mut scene = good(60).threshold(json!({"metric": "loads.ingest2.requests.failed", "max": 10}));
    scene.spec.thresholds[0].optional = true;
    scene.fail(0, 1, "timeout", None);
    failed(&scene, Reason::RequestsFailed, "1 request timed out after 60 s");
}

#[test]
fn more_failures_than_allowed() {
    let mut scene = good(60).threshold(json!({"metric": "requests.failedPercent", "max": 1}));
    scene.spec.tasks_check = None;
    scene.fail(0, 6, "timeout", None);
    caught(&scene, Verdict::Passed, Reason::ThresholdsMet, "6 requests timed out after 60 s");
    scene.fail(0, 7, "timeout", None);
    failed(&scene, Reason::ThresholdsBreached, "requests.failedPercent");
}

#[test]
fn cached_answers_that_made_no_task() {
    let mut scene = good(60);
    for sample in &mut scene.samples {
        sample.m.insert("created".into(), 0.0);
    }
    failed(&scene, Reason::TasksUnaccounted, "600 tasks more than the application (600 and 0)");
}

#[test]
fn requests_that_timed_out_and_ran_all_the_same() {
    let mut scene = good(60)
        .threshold(json!({"metric": "requests.failed", "max": 10}))
        .threshold(json!({"metric": "tasksUnaccounted", "min": 0, "max": 0}));
    scene.fail(0, 2, "timeout", None);
    failed(&scene, Reason::ThresholdsBreached, "2 tasks fewer than the application (598 and 600)");
}

#[test]
fn count_from_the_wrong_window() {
    // The application's count while the load still ran is not its count after it settled.
    let mut scene = good(60);
    scene.samples.retain(|s| s.t <= START + 60_000);
    invalid(&scene, Reason::EvidenceMissing, "tasksUnaccounted");
}

#[test]
fn warmup_left_out_of_the_account() {
    let mut scene = good(60);
    scene.warmup_tasks = None;
    invalid(&scene, Reason::EvidenceMissing, "tasksUnaccounted");
    scene.warmup_tasks = Some(50);
    failed(&scene, Reason::TasksUnaccounted, "50 tasks more");
}

#[test]
fn one_sample_percentile() {
    let mut scene = good(60).threshold(json!({"metric": "latency.p99Ms", "max": 500}));
    scene.planned.loads[0].rate = None;
    scene.spec.tasks_check = None;
    for i in 0..2 {
        *scene.load(i) = share(1, START + 60_000);
    }
    invalid(&scene, Reason::EvidenceMissing, "good answers, and 459 are needed");
    let latency = scene.judged().0.loads[0].latency.clone().expect("measured");
    assert_eq!((latency.p50_ms, latency.p99_ms), (None, None));
    assert!(latency.max_ms.is_some() && latency.mean_ms.is_some());
}

#[test]
fn averaged_percentiles() {
    // 5 % of all requests take 5 s, all on one generator: averaged, p99 would be about 2.5 s.
    let mut scene = good(60).threshold(json!({"metric": "latency.p99Ms", "max": 3000}));
    let mut times = histogram::empty();
    (0..270).for_each(|_| histogram::record(&mut times, 20_000));
    (0..30).for_each(|_| histogram::record(&mut times, 5_000_000));
    scene.load(0).latency = histogram::encode(&times);
    failed(&scene, Reason::ThresholdsBreached, "latency.p99Ms");
}

#[test]
fn backlog_that_never_went_down() {
    let mut scene = good(60);
    scene.drained_at_ms = None;
    scene.later_facts.push(Fact { reason: Some(Reason::DrainTimeout), message: "412 tasks were still pending".into() });
    invalid(&scene, Reason::DrainTimeout, "412 tasks");
    assert_eq!(scene.judged().0.drain_seconds, None);
}

#[test]
fn failures_of_a_journey_are_named_by_their_step() {
    let mut scene = good(60);
    let failed: std::collections::BTreeMap<String, u64> = [("status 503".to_owned(), 3)].into();
    let second = scene.planned.loads[0].steps[0].clone();
    scene.planned.loads[0].steps.push(second);
    scene.load(0).counts.failures = failed.clone();
    let step = |name: &str, failures| StepRecord {
        counts: StepCounts { name: name.into(), failures, ..StepCounts::default() },
        ..StepRecord::default()
    };
    scene.load(0).steps = vec![step("post", Default::default()), step("pay", failed)];
    let row = scene.row();
    assert!(row.observations.iter().any(|said| said == "pay: 3 answers were 503"), "{:?}", row.observations);
}
