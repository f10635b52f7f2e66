//! How long the installed operator takes until its pod is ready. Nothing is asserted of the time: `make bench-operator` prints it.

use serde_json::Value;

use crate::space::Space;
use crate::wait::{PATIENCE, eventually};

const NAMESPACE: &str = "loadtest-system";
const SELECTOR: &str = "app.kubernetes.io/name=loadtest-operator";

/// The operator's pods.
async fn pods(space: &Space) -> Vec<Value> {
    space.cluster.list("pods", NAMESPACE, Some(SELECTOR)).await
}

/// A pod of the operator that is none of `old`, once it is ready.
async fn ready_pod(space: &Space, old: &[Value]) -> Value {
    eventually("a new pod of the operator is ready", PATIENCE, async || {
        let mut pods = pods(space).await;
        pods.retain(|pod| !old.contains(&pod["metadata"]["name"]));
        let Some(pod) = pods.first() else { return Err("none".into()) };
        let ready = pod["status"]["containerStatuses"][0]["ready"] == true;
        if ready { Ok(pod.clone()) } else { Err(pod["status"].to_string()) }
    })
    .await
}

fn seconds(text: &Value) -> i64 {
    text.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok()).expect("an instant").as_second()
}

#[tokio::test]
#[ignore = "a measurement: make bench-operator"]
async fn how_long_the_operator_takes_until_it_is_ready() {
    let Some(space) = Space::new("starts").await else { return };
    eprintln!(
        "\n| start | its process, until it says so, ms | its container, until its pod is Ready (whole seconds) |\n|---:|---:|---:|"
    );
    for start in 1..=5 {
        let there = pods(&space).await;
        // One that is going already has its successor.
        let stays = there.iter().find(|pod| pod["metadata"]["deletionTimestamp"].is_null()).expect("a pod that stays");
        let name = stays["metadata"]["name"].as_str().expect("its name");
        let old: Vec<Value> = there.iter().map(|pod| pod["metadata"]["name"].clone()).collect();
        space.cluster.delete("pods", NAMESPACE, name, false).await;
        let pod = ready_pod(&space, &old).await;
        let conditions = pod["status"]["conditions"].as_array().expect("conditions");
        let ready = conditions.iter().find(|condition| condition["type"] == "Ready").expect("Ready");
        let began = &pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"];
        let whole = seconds(&ready["lastTransitionTime"]) - seconds(began);
        let log = space.cluster.kubectl(&["-n", NAMESPACE, "logs", pod["metadata"]["name"].as_str().expect("a name")]);
        let log = log.expect("its log");
        let said = log.lines().find(|line| line.contains("\"message\":\"ready;")).expect("that it is ready");
        let said: Value = serde_json::from_str(said).expect("JSON");
        eprintln!("| {start} | {} | {whole} |", said["milliseconds"]);
    }
}
