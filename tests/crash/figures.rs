//! What a row and a test say about their targets: use, logs, scaling, the fingerprint.

use std::time::Duration;

use loadtest_operator::api::LoadTestStatus;
use serde_json::json;

use crate::fake::store::key;
use crate::lab::{Lab, NAMESPACE, TEST, on_virtual_time, reference_spec};
use crate::lies::{counts_timeouts, loads, log, said};
use crate::stories::LIMIT;

#[test]
fn a_load_that_meets_no_target_says_so() {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        let mut spec = reference_spec();
        spec["targets"] = json!([{"name": "api", "workloadRef": {"name": "api"}}]);
        spec["loads"][0]["url"] = "http://proxy:8080".into();
        lab.apply(TEST, spec);
        lab.start();
        let end = lab.finish(LIMIT).await;
        assert_eq!(end.verdict, "Passed", "a queue's worker is a target that no load meets: {}", lab.story());
        assert!(
            said(&lab).contains("Service proxy, which the load goes to, leads to no pod of a target"),
            "{}",
            said(&lab)
        );
    });
}

#[test]
fn a_target_shows_what_its_pods_used_of_their_limits() {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        let mut spec = reference_spec();
        spec["loads"][0]["durationSeconds"] = 30.into();
        spec["sweep"] = json!([{"target": "api", "cpu": ["500m"]}]);
        spec["thresholds"] = json!([{"metric": "targets.api.cpuMaxPercent", "max": 40}]);
        lab.apply(TEST, spec);
        lab.fake.world().cluster.ways.used = Some(("250m", "64Mi"));
        lab.start();
        let end = lab.finish(LIMIT).await;
        let target = lab.status(TEST).results[0].targets[0].clone();
        assert_eq!(target.cpu_max_percent.map(|d| d.0).as_deref(), Some("50"), "{}", lab.story());
        assert_eq!(target.memory_max_percent, None, "without a limit there is no percentage");
        assert_eq!(
            (target.replicas, target.cpu.as_deref(), target.restarts, target.oom_kills),
            (Some(2), Some("500m"), Some(0), Some(0))
        );
        assert_eq!((end.verdict.as_str(), end.reason.as_str()), ("Failed", "ThresholdsBreached"));
    });
}

/// A run of five minutes whose target's memory may not grow by half a percent a minute, with that leak planted.
async fn leaking(percent: f64) -> (String, loadtest_operator::api::Row, String) {
    let mut lab = Lab::new();
    let mut spec = reference_spec();
    spec["loads"][0]["durationSeconds"] = 300.into();
    spec["sweep"] = json!([{"target": "api", "cpu": ["500m"]}]);
    spec["thresholds"] = json!([{"metric": "targets.api.memorySlopePercentPerMinute", "max": "0.5"},
        {"metric": "targets.api.memoryMaxMiB", "max": 80}]);
    lab.apply(TEST, spec);
    lab.fake.world().cluster.ways.used = Some(("250m", "64Mi"));
    lab.fake.world().cluster.ways.leak_percent = percent;
    lab.start();
    let end = lab.finish(LIMIT).await;
    (end.verdict, lab.status(TEST).results.remove(0), lab.story())
}

#[test]
fn a_leak_of_one_percent_a_minute_fails_its_threshold_and_flat_memory_passes() {
    on_virtual_time(async || {
        let (verdict, row, story) = leaking(1.0).await;
        assert_eq!((verdict.as_str(), row.reason.as_deref()), ("Failed", Some("ThresholdsBreached")), "{story}");
        assert_eq!(row.breaches[0].metric, "targets.api.memorySlopePercentPerMinute");
        assert!(row.observations.iter().any(|text| text.contains("memory of api grew by")), "{:?}", row.observations);
    });
    on_virtual_time(async || {
        let (verdict, row, story) = leaking(0.0).await;
        assert_eq!(verdict, "Passed", "{story}");
        assert_eq!(row.targets[0].memory_max_mib.as_ref().map(|mib| mib.0.as_str()), Some("64"));
        assert_eq!(row.targets[0].memory_slope_percent_per_minute.as_ref().map(|slope| slope.0.as_str()), Some("0"));
    });
}

#[test]
fn timeouts_in_the_log_are_counted_over_all_pods_and_a_log_that_was_empty_before_is_whole() {
    for first in [Some((crate::fake::EPOCH - 60_000, "request timed out")), None] {
        on_virtual_time(async || {
            let mut lab = Lab::new();
            let mut spec = reference_spec();
            counts_timeouts(&mut spec);
            lab.apply(TEST, spec);
            lab.fake.world().cluster.ways.app_log = log(first.as_slice());
            lab.start();
            lab.until(LIMIT, "row 1 loads", loads).await;
            lab.live(Duration::from_secs(2)).await;
            let now = lab.fake.now();
            let lines = first.into_iter().chain([(now, "request timed out"), (now + 1, "fine")]);
            lab.fake.world().cluster.ways.app_log = log(&lines.collect::<Vec<_>>());
            let end = lab.finish(LIMIT).await;
            let figure =
                |row: usize| lab.status(TEST).results[row].measurements[1].statistics.last.clone().map(|d| d.0);
            assert_eq!(figure(0).as_deref(), Some("2"), "one line of each pod: {}", lab.story());
            assert_eq!(figure(1).as_deref(), Some("0"), "the row before is another window: {}", lab.story());
            assert_eq!(
                (end.verdict.as_str(), end.reason.as_str()),
                ("Failed", "ThresholdsBreached"),
                "{}",
                lab.story()
            );
        });
    }
}

#[test]
fn a_log_that_is_rotated_while_it_is_followed_is_counted_whole() {
    on_virtual_time(async || {
        let mut lab = lab_with_a_log();
        lab.until(LIMIT, "row 1 loads", loads).await;
        lab.live(Duration::from_secs(2)).await;
        let first = (lab.fake.now(), "request timed out");
        lab.fake.world().cluster.ways.app_log = log(&[BEGAN, first]);
        lab.live(Duration::from_secs(4)).await;
        let second = (lab.fake.now(), "request timed out");
        lab.fake.world().cluster.ways.app_log = log(&[second]);
        assert_two_lines_of_each_pod(&mut lab).await;
    });
}

#[test]
fn a_log_that_is_rotated_just_as_the_row_starts_is_counted_whole() {
    on_virtual_time(async || {
        let mut lab = lab_with_a_log();
        let granted = |status: &LoadTestStatus| starts_at(status).is_some();
        lab.until(LIMIT, "row 1 has its start", granted).await;
        let start = starts_at(&lab.status(TEST)).expect("a start");
        let ahead = u64::try_from(start - lab.fake.now()).expect("a start that is yet to come");
        lab.live(Duration::from_millis(ahead - 300)).await;
        // The node's clock is a little ahead, so that a reader who waits for the start comes too late.
        lab.fake.world().cluster.ways.app_log = log(&[BEGAN, (start + 1, "request timed out")]);
        lab.live(Duration::from_millis(200)).await;
        lab.fake.world().cluster.ways.app_log = log(&[(start + 2, "request timed out")]);
        assert_two_lines_of_each_pod(&mut lab).await;
    });
}

/// The first line of the log, from long before the row.
const BEGAN: (i64, &str) = (crate::fake::EPOCH - 60_000, "began");

/// An operator that counts timeouts in a log.
fn lab_with_a_log() -> Lab {
    let mut lab = Lab::new();
    let mut spec = reference_spec();
    counts_timeouts(&mut spec);
    lab.apply(TEST, spec);
    lab.fake.world().cluster.ways.app_log = log(&[BEGAN]);
    lab.start();
    lab
}

async fn assert_two_lines_of_each_pod(lab: &mut Lab) {
    lab.finish(LIMIT).await;
    let row = &lab.status(TEST).results[0];
    let count = row.measurements[1].statistics.last.clone().map(|d| d.0);
    assert_eq!(count.as_deref(), Some("4"), "two lines of two pods each: {:?}\n{}", row.observations, lab.story());
}

/// When the first row's load starts, milliseconds since the epoch.
fn starts_at(status: &LoadTestStatus) -> Option<i64> {
    Some(status.run.as_ref()?.current.as_ref()?.start_at.as_ref()?.as_millis())
}

#[test]
fn an_autoscaler_may_scale_a_target_that_is_only_watched_and_the_row_says_so() {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        let mut spec = reference_spec();
        spec["sweep"] = json!([{"target": "api", "cpu": ["500m"]}]);
        lab.apply(TEST, spec);
        lab.start();
        lab.until(LIMIT, "row 1 loads", loads).await;
        {
            let mut world = lab.fake.world();
            let mut pods =
                world.store.list("pods", NAMESPACE).filter(|pod| pod["metadata"]["labels"]["app"] == "proxy");
            let more = pods.next().expect("a pod").clone();
            drop(pods);
            world.store.create(&key("pods", NAMESPACE, "proxy-more"), more);
        }
        let end = lab.finish(LIMIT).await;
        assert_eq!(end.verdict, "Passed", "{}", lab.story());
        assert!(said(&lab).contains("proxy was scaled from 1 to 2 pods while the load ran"), "{}", said(&lab));
    });
}

#[test]
fn the_fingerprint_names_the_operator_the_nodes_and_the_images_of_each_target() {
    on_virtual_time(async || {
        let mut lab = Lab::with(reference_spec());
        lab.finish(LIMIT).await;
        let fingerprint = lab.status(TEST).fingerprint.expect("a fingerprint");
        assert!(fingerprint.operator_version.is_some_and(|version| !version.is_empty()));
        assert!(!fingerprint.nodes.is_empty(), "the generators ran somewhere");
        let images: Vec<(String, Vec<String>)> =
            fingerprint.targets.into_iter().map(|target| (target.name.0, target.images)).collect();
        let of = |name: &str| (name.to_owned(), vec!["sha256:app".to_owned()]);
        assert_eq!(images, [of("api"), of("proxy")]);
    });
}
