//! Lies that only a cluster can tell: what is loaded is not what the test names, or not as the test wants it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cluster::agents::lose_some;
use crate::cluster::ways::Rollouts;
use crate::fake::fault::{Call, Trouble};
use crate::fake::store::key;
use crate::lab::{Lab, NAMESPACE, TEST, on_virtual_time, reference_spec};
use crate::stories::LIMIT;
use loadtest_operator::api::{Phase, RowStep};

type Plant = fn(&mut Lab);

/// A lie that is there from the beginning, or told while row 1 loads; the test it is told to.
struct Lie {
    before: Plant,
    while_loading: Option<Plant>,
    spec: Value,
}

/// From the beginning.
fn planted(before: Plant) -> Lie {
    Lie { before, while_loading: None, spec: reference_spec() }
}

/// While the first row loads.
fn in_mid_row(while_loading: Plant) -> Lie {
    Lie { before: |_| {}, while_loading: Some(while_loading), spec: reference_spec() }
}

impl Lie {
    /// So it is before the operator starts.
    fn before(self, before: Plant) -> Self {
        Self { before, ..self }
    }

    fn with(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.spec);
        self
    }

    /// The test ends as Invalid with this reason, and says these words; it goes back to what it was all the same.
    fn gets(self, reason: &str, words: &str) {
        on_virtual_time(async || {
            let mut lab = Lab::new();
            lab.apply(TEST, self.spec);
            (self.before)(&mut lab);
            lab.start();
            if let Some(tell) = self.while_loading {
                lab.until(LIMIT, "row 1 loads", loads).await;
                lab.live(Duration::from_secs(2)).await;
                tell(&mut lab);
                lab.fake.wake();
            }
            let end = lab.finish(LIMIT).await;
            let said = said(&lab);
            assert_eq!(
                (end.verdict.as_str(), lab.reason(TEST).as_str()),
                ("Invalid", reason),
                "{said}\n{}",
                lab.story()
            );
            assert!(said.contains(words), "{words:?} is not in: {said}");
            assert_eq!(end.finalizers, 0, "{}", lab.story());
            println!("lie: {} {reason}: {said}", end.verdict);
        });
    }
}

pub fn loads(status: &loadtest_operator::api::LoadTestStatus) -> bool {
    status.run.as_ref().is_some_and(|run| run.row == Some(1) && run.step == Some(RowStep::Loading))
}

/// The message of Ready, and the first row's observations.
pub fn said(lab: &Lab) -> String {
    let status = lab.status(TEST);
    let message = status.conditions.iter().find(|c| c.type_ == "Ready").map(|c| c.message.clone()).unwrap_or_default();
    let observations = status.results.first().map(|row| row.observations.join("; ")).unwrap_or_default();
    format!("{message} [{observations}]")
}

fn edit(lab: &mut Lab, resource: &str, name: &str, change: impl FnOnce(&mut Value)) {
    lab.fake.world().store.edit(&key(resource, NAMESPACE, name), change);
}

/// A pod of the Deployment `api`.
fn pod_of_api(lab: &Lab) -> String {
    let world = lab.fake.world();
    let mut pods = world.store.list("pods", NAMESPACE).filter(|pod| pod["metadata"]["labels"]["app"] == "api");
    pods.next().and_then(|pod| pod["metadata"]["name"].as_str()).expect("a pod").to_owned()
}

fn stub() -> Value {
    json!([{"addresses": ["10.0.0.9"], "conditions": {"ready": true}, "targetRef": {"kind": "Pod", "name": "stub", "uid": "stub"}}])
}

#[test]
fn wrong_service() {
    planted(|lab| edit(lab, "services", "api", |service| service["spec"]["selector"] = json!({"app": "stub"})))
        .gets("ServiceMismatch", "Service api selects pods with app=stub");
}

#[test]
fn service_that_is_led_away_in_mid_row() {
    in_mid_row(|lab| edit(lab, "endpointslices", "api", |slice| slice["endpoints"] = stub()))
        .gets("TargetDisturbed", "Service api came to lead to 1 pods that are no target's");
}

#[test]
fn generators_that_may_not_be_made() {
    planted(|lab| {
        let refused = |call: &Call| call.class == "create jobs" && !call.what.contains("observe");
        lab.fake.trouble(move |call| refused(call).then_some(Trouble::Answer { code: 403, applied: false }));
    })
    .gets("DeadlineExceeded", "creating the generator Job");
}

fn of_one_row(spec: &mut Value) {
    spec["sweep"] = json!([]);
}

#[test]
fn service_that_is_deleted_in_mid_row() {
    let gone: Plant = |lab| drop(lab.fake.world().store.remove(&key("services", NAMESPACE, "api")));
    in_mid_row(gone).with(of_one_row).gets("TargetDisturbed", "Service api was deleted, or lost its selector");
}

#[test]
fn service_that_cannot_be_read_when_the_row_is_over() {
    let silent: Plant = |lab| {
        let reply = |call: &Call| {
            (call.class == "list endpointslices").then_some(Trouble::Answer { code: 500, applied: false })
        };
        lab.fake.trouble(reply);
    };
    in_mid_row(silent).with(of_one_row).gets("TargetDisturbed", "where the load's Services lead could not be read");
}

#[test]
fn service_that_keeps_pods_of_the_old_replica_set() {
    planted(|lab| lab.fake.world().cluster.ways.stale_endpoints = true)
        .gets("RolloutFailed", "Service api still names pods that are not wanted");
}

#[test]
fn old_replica_set_still_serving() {
    planted(|lab| lab.fake.world().cluster.ways.rollouts = Rollouts::Linger)
        .gets("RolloutFailed", "2 old pods still there");
}

#[test]
fn limit_not_applied() {
    planted(|lab| lab.fake.world().cluster.ways.rollouts = Rollouts::Starve)
        .gets("RolloutFailed", "has CPU limit 100m, not 500m");
}

#[test]
fn limit_changed_by_a_webhook() {
    planted(|lab| lab.fake.world().cluster.ways.webhook = true).gets("TargetMutated", "stores another");
}

#[test]
fn autoscaler_moved_the_target_in_mid_row() {
    in_mid_row(|lab| edit(lab, "deployments", "api", |deployment| deployment["spec"]["replicas"] = 5.into()))
        .gets("TargetDisturbed", "somebody else changed api while the load ran");
}

#[test]
fn container_restarted_in_mid_row() {
    in_mid_row(|lab| {
        let pod = pod_of_api(lab);
        edit(lab, "pods", &pod, |pod| pod["status"]["containerStatuses"][0]["restartCount"] = 1.into());
    })
    .gets("TargetDisturbed", "1 container restarts of api while the load ran");
}

#[test]
fn pod_replaced_in_mid_row() {
    in_mid_row(|lab| {
        let at = key("pods", NAMESPACE, &pod_of_api(lab));
        let mut world = lab.fake.world();
        let old = world.store.remove(&at).expect("a pod");
        world.store.create(&key("pods", NAMESPACE, "api-new"), old);
    })
    .gets("TargetDisturbed", "1 pods of api were replaced while the load ran");
}

#[test]
fn one_of_three_generators_gone() {
    in_mid_row(|lab| lose_some(&mut lab.fake.world(), 1, |index| index == 2))
        .with(|spec| spec["loads"][0]["generators"] = 3.into())
        .gets("GeneratorLost", "generator 3 of 3: its pod is gone, and its records with it");
}

#[test]
fn backlog_of_the_row_before() {
    in_mid_row(|lab| lab.fake.world().cluster.ways.backlog = 40.0).gets("DrainTimeout", "pending");
}

#[test]
fn observer_gone_in_mid_row() {
    in_mid_row(|lab| {
        let mut world = lab.fake.world();
        let pods = world.store.list("pods", NAMESPACE);
        let name = |pod: &Value| pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let observer = pods.map(name).find(|name| name.contains("observe")).expect("an observer");
        world.store.remove(&key("pods", NAMESPACE, &observer));
    })
    .with(|spec| {
        spec["settle"] = json!({"seconds": 2});
        spec["thresholds"] = json!([{"metric": "measurements.pending.maximum", "max": 100}]);
    })
    .gets("EvidenceMissing", "measurements.pending.maximum");
}

/// A test that allows no timeouts in the log of `api`.
pub fn counts_timeouts(spec: &mut Value) {
    let log = json!({"name": "timeouts", "log": {"target": "api", "regex": "timed out"}});
    spec["measurements"].as_array_mut().expect("a list").push(log);
    spec["thresholds"] = json!([{"metric": "measurements.timeouts.last", "max": 0}]);
}

/// Leaks a log, which a test may do.
pub fn log(lines: &[(i64, &'static str)]) -> &'static [(i64, &'static str)] {
    lines.to_vec().leak()
}

#[test]
fn log_rotated_away_in_mid_row() {
    // Nobody follows it just then.
    in_mid_row(|lab| {
        let now = lab.fake.now();
        lab.kill();
        lab.fake.world().cluster.ways.app_log = log(&[(now, "fine")]);
        lab.start();
    })
    .with(counts_timeouts)
    .before(|lab| lab.fake.world().cluster.ways.app_log = log(&[(crate::fake::EPOCH - 60_000, "began")]))
    .gets("EvidenceMissing", "was rotated away");
}

#[test]
fn two_tests_that_watch_one_target() {
    planted(|lab| lab.apply("other", watching()))
        .with(|spec| *spec = watching())
        .gets("TargetDisturbed", "test other sent load to the same targets at the same time");
}

/// A test that gives its target no size, and so claims nothing.
fn watching() -> Value {
    json!({
        "targets": [{"name": "api", "workloadRef": {"name": "api"}}],
        "loads": [{"name": "main", "url": "http://api:8080", "rate": 20, "durationSeconds": 20}],
        "settle": {"seconds": 1}
    })
}

#[test]
fn two_tests_that_size_one_target() {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        lab.apply(TEST, reference_spec());
        lab.apply("other", reference_spec());
        lab.start();
        lab.until(LIMIT, "row 1 loads, of whichever comes first", |_| true).await;
        let mut waited = String::new();
        while [TEST, "other"].iter().any(|name| lab.status(name).phase != Some(Phase::Finished)) {
            lab.live(Duration::from_millis(250)).await;
            let busy = [TEST, "other"].into_iter().find(|name| lab.reason(name) == "TargetBusy");
            waited = busy.map_or(waited, |name| format!("{name} waited until the other had put its targets back"));
            assert!(lab.fake.now() < crate::fake::EPOCH + 1_200_000, "{}", lab.story());
        }
        let world = lab.fake.world();
        let mut runs: std::collections::BTreeMap<&str, (i64, i64)> = std::collections::BTreeMap::new();
        for fired in &world.cluster.fired {
            let (first, last) = runs.entry(fired.run.as_str()).or_insert((i64::MAX, 0));
            (*first, *last) = ((*first).min(fired.at), (*last).max(fired.until.expect("it ended")));
        }
        let mut times: Vec<(i64, i64)> = runs.into_values().collect();
        times.sort_unstable();
        assert_eq!(times.len(), 2);
        assert!(times[0].1 < times[1].0, "both sent load at the same time: {times:?}");
        assert!(!waited.is_empty(), "nobody waited");
        println!("lie: TargetBusy: {waited}");
    });
}
