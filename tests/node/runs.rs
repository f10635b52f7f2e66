//! Runs of one LoadTest: held, frozen while it runs, and run again by an edit or by runId.

use serde_json::{Value, json};

use crate::application::{WORK, load_of, load_test};
use crate::checks::{assert_ended, condition, row};
use crate::space::Space;
use crate::wait::for_a_while;

/// Runs that are kept beside the present one.
const HISTORY: usize = 5;

/// An edit that changes the number of clients.
fn clients(number: u32) -> Value {
    let step =
        json!({"name": "task", "path": "/cgi-bin/task", "timeoutSeconds": 10, "tasks": {"jsonPointer": "/tasks"}});
    let load = json!({"name": "main", "url": "http://web:8080", "clients": number, "iterations": 1, "steps": [step]});
    json!({"spec": {"loads": [load]}})
}

/// Numbers of the runs that have ConfigMaps; the end of a label `<uid>.<run>`.
async fn runs_with_config_maps(space: &Space) -> Vec<u32> {
    let maps = space.list("configmaps", Some("app.kubernetes.io/managed-by=loadtest-operator")).await;
    let run = |map: &Value| map["metadata"]["labels"]["loadtest.dev/run"].as_str()?.rsplit('.').next()?.parse().ok();
    let mut runs: Vec<u32> = maps.iter().filter_map(run).collect();
    runs.sort_unstable();
    runs.dedup();
    runs
}

#[tokio::test]
async fn each_edit_runs_once_more_with_fresh_numbers_and_a_running_test_is_frozen() {
    let Some(space) = Space::new("runs").await else { return };
    space.with_web_servers().await;
    let spec = format!("{}  settle: {{seconds: 0}}\n  suspend: true\n", load_of("web", 1, 1));
    space.apply(&load_test("test", &spec)).await;
    let message = space.waits_with("test", "Suspended").await;
    assert!(message.contains("1 row") && message.contains("1 generator"), "the plan is not shown: {message}");
    for_a_while().await;
    let test = space.test("test").await;
    let absent = ["Reconciling", "Stalled"].map(|name| condition(&test, name).is_null());
    assert_eq!((condition(&test, "Ready")["status"].as_str(), absent), (Some("False"), [true, true]));
    assert!(space.list("jobs", None).await.is_empty(), "a held test made a Job");

    space.merge("loadtests", "test", json!({"spec": {"suspend": false}})).await;
    space.at("test", 1, "Loading").await;
    let refusal = space.refused_merge("loadtests", "test", clients(2)).await;
    assert!(refusal.contains("immutable"), "{refusal}");

    let mut starts = Vec::new();
    let again = |id: &str| json!({"spec": {"runId": id}});
    let edits =
        [json!({"spec": {"suspend": false}}), clients(2), clients(1), again("a"), again("b"), again("c"), again("d")];
    for (edit, (run, tasks)) in edits.into_iter().zip((1..).zip([1, 2, 1, 1, 1, 1, 1])) {
        space.merge("loadtests", "test", edit).await;
        let test = space.run_ended("test", run).await;
        assert_ended(&test, "Passed", "ThresholdsMet");
        assert_eq!(row(&test, 1)["tasks"], tasks, "run {run}");
        assert_eq!(
            test["status"]["history"].as_array().map_or(0, Vec::len),
            usize::try_from(run - 1).unwrap().min(HISTORY)
        );
        starts.push(row(&test, 1)["startedAt"].to_string());
    }
    assert!(starts.is_sorted(), "{starts:?}");
    starts.dedup();
    assert_eq!(starts.len(), 7, "a run shows an earlier run's row: {starts:?}");
    assert_eq!(space.served("web"), 8, "requests of {WORK} s in seven runs");
    assert_eq!(runs_with_config_maps(&space).await, [2, 3, 4, 5, 6, 7], "the last six are kept");

    space
        .merge("loadtests", "test", json!({"metadata": {"labels": {"edited": "yes"}}, "spec": {"suspend": true}}))
        .await;
    for_a_while().await;
    assert_eq!(space.test("test").await["status"]["run"]["id"], 7, "what is not the plan starts nothing");

    space.merge("loadtests", "test", json!({"spec": {"ttlSecondsAfterFinished": 0}})).await;
    space.gone("loadtests", "test").await;
    assert_eq!(space.served("web"), 8, "a test that goes begins no other run");
}
