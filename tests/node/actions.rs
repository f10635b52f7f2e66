//! Faults on purpose: a target restarted before a row, scaled to nothing for a while and its pod deleted in mid-load.

use serde_json::{Value, json};

use crate::application::load_test;
use crate::checks::{assert_ended, row};
use crate::space::Space;
use crate::wait::{PATIENCE, eventually};

const SPEC: &str = "
  seed: 7
  targets:
  - {name: side, workloadRef: {name: side}}
  loads:
  - name: main
    url: http://web:8080
    clients: 1
    durationSeconds: 60
    steps: [{name: task, path: /cgi-bin/task, timeoutSeconds: 10}]
  - name: probe
    url: http://side:8080/cgi-bin/task
    rate: 1
    durationSeconds: 60
    steps: [{name: task, timeoutSeconds: 10}]
  actions:
  - {name: fresh, when: BeforeRow, restart: {target: side}}
  - {name: away, when: DuringLoad, afterSeconds: 5, forSeconds: 10, graceSeconds: 15, scale: {target: side, replicas: 0}}
  - {name: kill, when: DuringLoad, afterSeconds: 38, graceSeconds: 20, deletePods: {target: side}}
  settle: {seconds: 0}
";

/// Uids of the web server's pods that are not on their way out.
async fn pods(space: &Space) -> Vec<String> {
    let pods = space.list("pods", Some("app=side")).await;
    let stays = |pod: &&Value| pod["metadata"]["deletionTimestamp"].is_null();
    pods.iter().filter(stays).map(|pod| pod["metadata"]["uid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_target_is_restarted_scaled_to_nothing_for_a_while_and_its_pod_deleted_each_once_and_then_put_back() {
    let Some(space) = Space::new("acts").await else { return };
    space.with_web_servers().await;
    let (before, first) = (space.written().await, pods(&space).await);
    space.apply(&load_test("test", SPEC)).await;

    space.at("test", 1, "Loading").await;
    let fresh = pods(&space).await;
    assert!(fresh.len() == 1 && fresh != first, "not restarted before the load: {fresh:?}");
    eventually("the target has no pod", PATIENCE, async || match pods(&space).await.len() {
        0 => Ok(()),
        n => Err(format!("{n} pods")),
    })
    .await;
    let mut again = Vec::new();
    eventually("the target has a pod again", PATIENCE, async || {
        again = pods(&space).await;
        if again.len() == 1 { Ok(()) } else { Err(format!("{again:?}")) }
    })
    .await;

    let test = space.ended("test").await;
    assert_ended(&test, "Passed", "ThresholdsMet");
    let row = row(&test, 1);
    let acts = row["actions"].as_array().unwrap();
    let times: Vec<_> = acts.iter().map(|act| (&act["name"], &act["times"], act.get("failed"))).collect();
    let once = json!(1);
    let names = [json!("fresh"), json!("away"), json!("kill")];
    assert_eq!(times, names.iter().map(|name| (name, &once, None)).collect::<Vec<_>>(), "{row}");
    let last = pods(&space).await;
    assert!(last.len() == 1 && last != again, "the pod was not deleted: {last:?}");
    let probe = row["loads"].as_array().unwrap().iter().find(|load| load["name"] == "probe").unwrap();
    assert!(probe["requests"]["excused"].as_i64().is_some_and(|n| n > 0), "nothing failed while it was away: {probe}");
    assert_eq!(probe["requests"]["failed"], 0, "{probe}");

    // A restart leaves its mark in the pods' template, as kubectl's does.
    let mut wanted = before;
    let side = wanted.iter_mut().find(|written| written.is("side")).unwrap();
    let now = space.written().await.into_iter().find(|written| written.is("side")).unwrap();
    let mark = &now.spec["template"]["metadata"]["annotations"];
    assert!(mark["loadtest.dev/restarted-at"].is_string(), "{mark}");
    side.spec["template"]["metadata"]["annotations"] = mark.clone();
    space.assert_put_back(&wanted).await;
}
