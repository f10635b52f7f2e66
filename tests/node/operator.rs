//! The operator's pod is killed while load is being sent; the tests of all other scenarios go through that as well.

use serde_json::json;

use crate::application::{SIZED, load_of, load_test};
use crate::checks::{assert_ended, row};
use crate::space::Space;
use crate::wait::{PATIENCE, eventually};

const NAMESPACE: &str = "loadtest-system";

async fn operator_pods(space: &Space) -> Vec<String> {
    let pods = space.cluster.list("pods", NAMESPACE, Some("app.kubernetes.io/name=loadtest-operator")).await;
    pods.iter().map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_operator_killed_in_mid_row_goes_on_with_the_row_and_fires_it_once() {
    let Some(space) = Space::new("operator").await else { return };
    space.with_web_servers().await;
    let before = space.written().await;
    let spec = format!("  targets:\n{SIZED}{}  settle: {{seconds: 0}}\n", load_of("web", 2, 8));
    space.apply(&load_test("test", &spec)).await;
    let test = space.in_mid_row("test", 1).await;
    let job = test["status"]["run"]["current"]["jobUid"].clone();
    let start = test["status"]["run"]["current"]["startAt"].clone();

    let killed = operator_pods(&space).await;
    assert!(!killed.is_empty(), "no pod of the operator in {NAMESPACE}");
    for pod in &killed {
        space.cluster.delete("pods", NAMESPACE, pod, true).await;
    }
    eventually("another pod of the operator", PATIENCE, async || {
        let pods = operator_pods(&space).await;
        let new = !pods.is_empty() && pods.iter().all(|pod| !killed.contains(pod));
        if new { Ok(()) } else { Err(format!("{pods:?}")) }
    })
    .await;
    let jobs = space.list("jobs", None).await;
    assert_eq!(jobs.len(), 1, "one row, one Job");
    assert_eq!(jobs[0]["metadata"]["uid"], job);

    let test = space.ended("test").await;
    assert_ended(&test, "Passed", "ThresholdsMet");
    let row = row(&test, 1);
    assert_eq!(row["startedAt"], start, "fired at another instant than recorded");
    assert_eq!((&row["tasks"], space.served("web")), (&json!(16), 16), "{row}");
    space.assert_put_back(&before).await;
}
