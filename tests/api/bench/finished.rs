//! Finished tests as a team leaves them behind: ten rows each, with their figures and the table.

use futures::StreamExt as _;
use serde_json::{Value, json};

use crate::cluster::space::Space;

/// Name of a finished test.
pub fn name(number: usize) -> String {
    format!("f{number}")
}

/// Creates so many.
pub async fn create(space: &Space, number: usize) {
    let one = async |number: usize| {
        let spec = json!({"loads": [{"name": "m", "url": "http://web/", "clients": 1, "durationSeconds": 60}]});
        let test = json!({"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest", "metadata": {"name": name(number)}, "spec": spec});
        space.cluster.create(&space.name, &test, false).await.unwrap();
        space.merge("loadtests", &format!("{}/status", name(number)), json!({"status": status()})).await;
    };
    futures::stream::iter((0..number).map(one)).buffer_unordered(8).collect::<Vec<()>>().await;
}

fn row(number: usize) -> Value {
    let latency = json!({"meanMs": "12.345", "p50Ms": "11.1", "p90Ms": "20.2", "p95Ms": "30.3", "p99Ms": "40.4", "maxMs": "50.5"});
    let figures = [
        "connections",
        "activeSessions",
        "waitingSessions",
        "connectMs",
        "slowQueries",
        "cpuPercent",
        "dbLoad",
        "readIops",
    ];
    let figure = |name: &&str| {
        json!({"name": name, "source": "PostgreSQL", "average": "1.5", "minimum": "1", "maximum": "2", "last": "1", "settled": "1",
            "points": 60, "expected": 60})
    };
    json!({
        "row": number, "verdict": "Passed", "reason": "ThresholdsMet", "set": [{"name": "m.clients", "value": "10"}],
        "startedAt": "2026-01-02T03:04:05.678Z", "loadEndedAt": "2026-01-02T03:05:05.678Z", "endedAt": "2026-01-02T03:05:15.678Z",
        "loads": [{"name": "m", "requests": {"due": 600, "sent": 600, "ok": 600, "failed": 0}, "latency": latency, "service": latency}],
        "database": figures.iter().map(figure).collect::<Vec<_>>(),
        "observations": ["the database's connections were at most 80 % of what it allows"],
    })
}

fn status() -> Value {
    let condition = |kind: &str, status: &str| {
        json!({"type": kind, "status": status, "reason": "ThresholdsMet", "message": "all thresholds held in all rows",
            "observedGeneration": 1, "lastTransitionTime": "2026-01-02T03:04:05.678Z"})
    };
    json!({
        "observedGeneration": 1, "phase": "Finished", "verdict": "Passed",
        "conditions": [condition("Ready", "True"), condition("Succeeded", "True"), condition("Finished", "True")],
        "run": {"id": 1, "generation": 1, "planHash": "0".repeat(64), "hashVersion": 1, "protocolVersion": 1, "reason": "ThresholdsMet",
            "rows": 10, "row": 10, "rowsDone": "10/10", "startedAt": "2026-01-02T03:04:05.678Z", "finishedAt": "2026-01-02T03:14:05.678Z"},
        "results": (1..=10).map(row).collect::<Vec<_>>(),
        "table": "| Run | Tasks | Observations |\n".repeat(100),
    })
}
