//! Nobody operates while load is sent: the pods of the operator are killed and stay away until the last request is answered.

use serde_json::{Value, json};

use super::node::{Away, on_node};
use crate::application::{SIZED, load_of, load_test, web};
use crate::checks::{assert_ended, row};
use crate::space::Space;
use crate::wait::{PATIENCE, eventually, for_a_while};

fn is_of(pod: &Value, test: &str) -> bool {
    pod["metadata"]["name"].as_str().is_some_and(|name| name.starts_with(&format!("{test}-")))
}

#[tokio::test]
async fn an_operator_away_for_the_whole_load_judges_it_afterwards_and_a_lost_log_is_not_zero() {
    let Some(space) = Space::new("away").await else { return };
    space.with_web_servers().await;
    space.create(&web("other")).await;
    space.all_ready().await;
    let before = space.written().await;
    let settle = "  settle: {seconds: 0}\n";
    space.apply(&load_test("kept", &format!("  targets:\n{SIZED}{}{settle}", load_of("web", 2, 8)))).await;
    space.apply(&load_test("lost", &format!("{}{settle}", load_of("other", 1, 8)))).await;
    let kept = space.at("kept", 1, "Loading").await;
    space.at("lost", 1, "Loading").await;
    let away = Away::begin(&space.cluster).await;
    let pods = eventually("every generator ended", PATIENCE, async || {
        let pods = space.list("pods", Some("loadtest.dev/row=1")).await;
        let ended = pods.len() == 2 && pods.iter().all(|pod| pod["status"]["phase"] == "Succeeded");
        if ended { Ok(pods) } else { Err(pods.iter().map(|pod| pod["status"]["phase"].to_string()).collect()) }
    })
    .await;
    let pod = &pods.iter().find(|pod| is_of(pod, "lost")).unwrap()["metadata"];
    let log = format!("{}_{}_{}", space.name, pod["name"].as_str().unwrap(), pod["uid"].as_str().unwrap());
    on_node(&format!("truncate -s 0 /var/log/pods/{log}/generate/0.log"));
    for_a_while().await;
    assert_eq!(space.test("kept").await["status"]["run"]["step"], "Loading", "somebody operates");
    drop(away);

    let test = space.ended("kept").await;
    assert_ended(&test, "Passed", "ThresholdsMet");
    let whole = row(&test, 1);
    assert_eq!(whole["startedAt"], kept["status"]["run"]["current"]["startAt"], "fired at another instant");
    assert_eq!((&whole["tasks"], space.served("web")), (&json!(16), 16), "{whole}");

    let test = space.ended("lost").await;
    assert_eq!(test["status"]["verdict"], "Invalid", "{}", test["status"]["conditions"]);
    let without = row(&test, 1);
    assert_eq!(without["loads"][0]["requests"]["ok"], 8, "the counts are in the pod's summary: {without}");
    assert_eq!(space.served("other"), 8);
    for latency in [&without["latency"], &without["loads"][0]["latency"]] {
        assert!(latency.is_null() || latency["p95Ms"].is_null(), "a latency out of nothing: {without}");
    }
    space.assert_put_back(&before).await;
}
