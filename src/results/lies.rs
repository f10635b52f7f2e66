//! Ways to look good wrongly. Each is planted in a test that else passes, and must come out with its reason.

use serde_json::json;

use crate::api::{Reason, Verdict};

use super::collect::GeneratorOutcome;
use super::fixture::{START, Scene, cpu, good, report, share};
use super::histogram;
use super::measurements::LogCount;
use super::record::Termination;
use super::row_input::Fact;
use super::series::MINUTE_MS;
use super::verdict::EarlyEnd;

/// The test ends with this verdict and reason, and its message or the row's observations and breaches hold these words.
#[track_caller]
fn caught(scene: &Scene, verdict: Verdict, reason: Reason, words: &str) {
    let (row, outcome) = scene.judged();
    assert_eq!((outcome.verdict, outcome.reason), (verdict, reason), "{} {row:#?}", outcome.message);
    let said = format!("{} {:?} {:?}", outcome.message, row.observations, row.breaches);
    assert!(said.contains(words), "{words:?} is not in: {said}");
    assert!(row.observations.len() <= 4 && row.observations.iter().all(|o| o.chars().count() <= 160));
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

#[test]
fn saturated_generator() {
    let mut scene = good(60);
    scene.later(1, 7, 11_000);
    invalid(&scene, Reason::GeneratorSaturated, "the generator was late: 7 of 600 requests");
}

#[test]
fn unsent_requests_left_out_of_the_count() {
    let mut scene = good(60);
    *scene.load(0) = share(293, START + 60_000);
    scene.load(0).due = 300;
    scene.load(0).unsent = 7;
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
    scene.load(0).due = 300;
    scene.load(0).capped = 100;
    failed(&scene, Reason::InFlightCapReached, "at least");
}

#[test]
fn full_cap_does_not_hide_a_late_generator() {
    let mut scene = good(60);
    *scene.load(0) = share(200, START + 60_000);
    scene.load(0).due = 300;
    scene.load(0).capped = 100;
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
    scene.load(0).ok += 1_000;
    invalid(&scene, Reason::ResultsIncomplete, "contradict");
}

#[test]
fn failures_dropped_from_the_count() {
    let mut scene = good(60);
    scene.load(0).sent += 50;
    scene.load(0).due += 50;
    invalid(&scene, Reason::ResultsIncomplete, "contradict");
}

#[test]
fn nothing_sent_nothing_failed() {
    let mut scene = good(60);
    for i in 0..2 {
        *scene.load(i) = crate::results::record::LoadRecord { name: "ingest".into(), ..Default::default() };
    }
    invalid(&scene, Reason::ResultsIncomplete, "ingest sent nothing");
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
fn one_sample_percentile() {
    let mut scene = good(60).threshold(json!({"metric": "latency.p99Ms", "max": 500}));
    scene.planned.loads[0].rate = None;
    scene.spec.tasks_check = None;
    for i in 0..2 {
        *scene.load(i) = share(1, START + 60_000);
    }
    invalid(&scene, Reason::EvidenceMissing, "too few requests for a percentile");
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
fn backlog_that_never_went_down() {
    let mut scene = good(60);
    scene.drained_at_ms = None;
    scene.later_facts.push(Fact { reason: Some(Reason::DrainTimeout), message: "412 tasks were still pending".into() });
    invalid(&scene, Reason::DrainTimeout, "412 tasks");
    assert_eq!(scene.judged().0.drain_seconds, None);
}

#[test]
fn measurement_that_is_not_there() {
    let mut scene = good(60).threshold(json!({"metric": "measurements.pending.maximum", "max": 100}));
    for sample in &mut scene.samples {
        sample.m.remove("pending");
    }
    invalid(&scene, Reason::EvidenceMissing, "measurements.pending.maximum");
}

#[test]
fn rows_that_were_never_run() {
    let mut scene = good(60);
    let message = "the total deadline passed".to_owned();
    scene.early = Some(EarlyEnd { reason: Reason::DeadlineExceeded, message });
    invalid(&scene, Reason::DeadlineExceeded, "1 row was done of 1");
    scene.early = Some(EarlyEnd { reason: Reason::Cancelled, message: String::new() });
    caught(&scene, Verdict::Aborted, Reason::Cancelled, "spec.cancel ended the run");
}

#[test]
fn failures_of_a_journey_are_named_by_their_step() {
    let mut scene = good(60);
    let failed: std::collections::BTreeMap<String, u64> = [("status 503".to_owned(), 3)].into();
    let second = scene.planned.loads[0].steps[0].clone();
    scene.planned.loads[0].steps.push(second);
    scene.load(0).failures = failed.clone();
    let step = |name: &str, failures| super::record::StepRecord { name: name.into(), failures, ..Default::default() };
    scene.load(0).steps = vec![step("post", Default::default()), step("pay", failed)];
    let row = scene.row();
    assert!(row.observations.iter().any(|said| said == "pay: 3 answers were 503"), "{:?}", row.observations);
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
