//! Plays a node: generators' pods start, are granted, send for as long as the row lasts, and end with their counts in the
//! termination message.

use std::time::Duration;

use http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::ROW;
use crate::cluster::Cluster;
use crate::cluster::space::Space;

const NODE: &str = "bench";

/// Starts it; it ends with its handle.
pub async fn start(space: &Space) -> JoinHandle<()> {
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}});
    let _ = space.cluster.post("/api/v1/nodes", &node).await;
    let (cluster, namespace) = (space.cluster.clone(), space.name.clone());
    tokio::spawn(async move {
        loop {
            node_is_ready(&cluster).await;
            let pods = cluster.list("pods", &namespace, None).await;
            for pod in &pods {
                play(&cluster, pod).await;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    })
}

async fn patch(cluster: &Cluster, path: &str, body: &Value) {
    let request = Request::patch(path).header("content-type", "application/merge-patch+json");
    // What changed meanwhile is written by the next look.
    let _ = cluster.send(request, serde_json::to_vec(body).unwrap()).await;
}

async fn node_is_ready(cluster: &Cluster) {
    let now = format!("{:.0}", Timestamp::now());
    let ready = json!({"type": "Ready", "status": "True", "reason": "Played", "message": "", "lastHeartbeatTime": now,
        "lastTransitionTime": now});
    let room = json!({"cpu": "1000", "memory": "1000Gi", "pods": "1000"});
    let status = json!({"status": {"capacity": room, "allocatable": room, "conditions": [ready]}});
    patch(cluster, &format!("/api/v1/nodes/{NODE}/status"), &status).await;
}

async fn play(cluster: &Cluster, pod: &Value) {
    let metadata = &pod["metadata"];
    let path = format!(
        "/api/v1/namespaces/{}/pods/{}",
        metadata["namespace"].as_str().unwrap(),
        metadata["name"].as_str().unwrap()
    );
    if pod["spec"]["nodeName"] != NODE {
        return;
    }
    if metadata["deletionTimestamp"].is_string() {
        let request = Request::delete(format!("{path}?gracePeriodSeconds=0"));
        let _ = cluster.send(request, Vec::new()).await;
        return;
    }
    let start = metadata["annotations"]["loadtest.dev/start-at"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
    let start = start.map(Timestamp::as_millisecond);
    let over =
        start.is_some_and(|start| Timestamp::now().as_millisecond() > start + i64::try_from(ROW).unwrap() * 1000);
    let status = match (pod["status"]["phase"].as_str(), start) {
        (Some("Pending"), _) => started(pod),
        (Some("Running"), Some(start)) if over => ended(pod, start),
        _ => return,
    };
    patch(cluster, &format!("{path}/status"), &json!({"status": status})).await;
}

fn container(pod: &Value, state: &Value, running: bool) -> Value {
    json!([{"name": pod["spec"]["containers"][0]["name"], "image": "dev.local/operator:1", "imageID": "played", "restartCount": 0,
        "ready": running, "started": running, "state": state}])
}

fn started(pod: &Value) -> Value {
    let now = format!("{:.0}", Timestamp::now());
    json!({"phase": "Running", "startTime": now, "containerStatuses": container(pod, &json!({"running": {"startedAt": now}}), true)})
}

/// Sixty requests, all answered.
fn ended(pod: &Value, start: i64) -> Value {
    let (now, end) = (format!("{:.0}", Timestamp::now()), start + i64::try_from(ROW).unwrap() * 1000);
    let load = json!({"name": "m", "due": 60, "sent": 60, "ok": 60, "firstDueMs": start, "lastEndMs": end, "statuses": {"200": 60}});
    let terminated = json!({"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now,
        "message": json!({"loads": [load]}).to_string()});
    json!({"phase": "Succeeded", "containerStatuses": container(pod, &json!({"terminated": terminated}), false)})
}
