//! Endings other than Passed: a threshold that does not hold, a cancelled test, a deleted one.

use serde_json::json;

use crate::application::{SIZED, load_of, load_test};
use crate::checks::{assert_ended, row};
use crate::space::Space;
use crate::wait::{PATIENCE, eventually, for_a_while};

fn sized(clients: u32, iterations: u32, more: &str) -> String {
    let spec = format!("  targets:\n{SIZED}{}  settle: {{seconds: 0}}\n{more}", load_of("web", clients, iterations));
    load_test("test", &spec)
}

#[tokio::test]
async fn a_threshold_that_does_not_hold_fails_the_test_and_everything_is_put_back() {
    let Some(space) = Space::new("breach").await else { return };
    space.with_web_servers().await;
    let before = space.written().await;
    let more = "  thresholds: [{metric: latency.maxMs, max: 100}, {metric: targets.front.restarts, max: 0}]\n";
    let watched = "  targets:\n  - {name: front, workloadRef: {name: web}}\n";
    space.apply(&sized(1, 3, more).replace("  targets:\n", watched)).await;
    space.at("test", 1, "Loading").await;
    let now = space.written().await;
    assert_eq!(now[1], before[1], "a target without a size is never written");
    assert_ne!(now[0], before[0], "the size is not set");
    let test = space.ended("test").await;
    assert_ended(&test, "Failed", "ThresholdsBreached");
    let breach = &row(&test, 1)["breaches"][0];
    assert_eq!(breach["metric"], "latency.maxMs");
    let observed: f64 = breach["observed"].as_str().unwrap().parse().unwrap();
    assert!(observed > 100.0, "{breach}");
    assert!(breach["limit"].as_str().unwrap().contains("100"), "{breach}");
    assert_eq!(row(&test, 1)["breaches"].as_array().map(Vec::len), Some(1), "the other threshold held");
    space.assert_put_back(&before).await;
}

#[tokio::test]
async fn a_cancelled_or_deleted_test_stops_sending_and_puts_everything_back() {
    let Some(space) = Space::new("cancel").await else { return };
    space.with_web_servers().await;
    let before = space.written().await;
    space.apply(&sized(2, 30, "")).await;
    space.in_mid_row("test", 1).await;
    assert!(space.served("web") > 0, "in mid-row nothing had been sent");
    space.merge("loadtests", "test", json!({"spec": {"cancel": true}})).await;
    let test = space.ended("test").await;
    assert_ended(&test, "Aborted", "Cancelled");
    space.assert_put_back(&before).await;
    let sent = space.served("web");
    for_a_while().await;
    assert_eq!(space.served("web"), sent, "requests arrive after the end");
    assert!(sent < 60, "the load ran to its end");

    space.merge("loadtests", "test", json!({"spec": {"runId": "again"}})).await;
    let test = eventually("the edit is seen", PATIENCE, async || {
        let test = space.test("test").await;
        let seen = test["status"]["observedGeneration"] == test["metadata"]["generation"];
        if seen { Ok(test) } else { Err(test["status"]["observedGeneration"].to_string()) }
    })
    .await;
    assert_ended(&test, "Aborted", "Cancelled");
    assert_eq!(test["status"]["run"]["id"], 1, "the cancelled run is forgotten");
    assert!(space.list("jobs", None).await.is_empty(), "a cancelled test starts no other run");

    space.delete("loadtests", "test").await;
    space.gone("loadtests", "test").await;
    space.apply(&sized(2, 30, "")).await;
    space.in_mid_row("test", 1).await;
    space.delete("loadtests", "test").await;
    assert!(space.get("loadtests", "test").await.is_some(), "it went before anything was put back");
    space.gone("loadtests", "test").await;
    assert_eq!(space.written().await, before);
    space.assert_put_back(&before).await;
    let sent = space.served("web");
    for_a_while().await;
    assert_eq!(space.served("web"), sent, "requests arrive after the deletion");
}
