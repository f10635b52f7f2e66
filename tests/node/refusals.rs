//! Tests that can't start: each ends inside its own deadline with a reason and a message, and changes nothing.

use serde_json::json;

use crate::application::{SIZED, load_of, load_test};
use crate::checks::{assert_ended, condition};
use crate::space::Space;
use crate::wait::{PATIENCE, eventually};

fn targets(entry: &str) -> String {
    format!("  targets:\n  - {entry}\n{}", load_of("web", 1, 1))
}

/// Name of the test, its manifest's keys, the reason, and a word that the message must have.
fn refused() -> [(&'static str, String, &'static str, &'static str); 6] {
    let load = load_of("web", 1, 1);
    let database = format!("{load}  database: {{rds: {{instance: no-such-db}}}}\n");
    let ca = "    tls: {caFrom: {configMapKeyRef: {name: no-such-map, key: ca.crt}}}\n";
    [
        ("host", load_of("web", 1, 1).replace("http://web:8080", "http://example.com"), "UrlNotAllowed", "example.com"),
        ("database", database, "DatabaseNotAllowed", "no-such-db"),
        ("autoscaler", format!("  targets:\n{SIZED}{load}"), "TargetHasAutoscaler", "side-scaler"),
        (
            "target",
            targets("{name: a, workloadRef: {name: no-such-app}, replicas: 2}"),
            "TargetNotFound",
            "no-such-app",
        ),
        ("service", load_of("no-such-service", 1, 1), "ServiceNotFound", "no-such-service"),
        ("ca", load_of("web", 1, 1).replace("http://", "https://") + ca, "ConfigMapMissing", "no-such-map"),
    ]
}

async fn assert_refused(space: &Space, name: &str, reason: &str, word: &str) {
    let test = space.ended(name).await;
    assert_ended(&test, "Invalid", reason);
    let message = condition(&test, "Stalled")["message"].as_str().unwrap();
    assert!(message.contains(word), "{reason}: {message}");
    assert_eq!(test["status"].get("results"), None, "a row that never ran has no entry");
}

#[tokio::test]
async fn what_is_not_there_not_allowed_or_has_no_room_refuses_the_test() {
    let Some(space) = Space::new("refused").await else { return };
    space.with_web_servers().await;
    let scaler = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "side-scaler"},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "side"}, "maxReplicas": 1}});
    space.cluster.create(&space.name, &scaler, false).await.unwrap();
    let before = space.written().await;
    for (name, spec, _, _) in refused() {
        space.apply(&load_test(name, &spec)).await;
    }
    for (name, _, reason, word) in refused() {
        assert_refused(&space, name, reason, word).await;
    }

    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}, "spec": {"hard": {"pods": "2"}}});
    space.cluster.create(&space.name, &quota, false).await.unwrap();
    eventually("the quota counts the two pods", PATIENCE, async || {
        let quota = space.get("resourcequotas", "small").await.unwrap();
        if quota["status"]["used"]["pods"] == "2" { Ok(()) } else { Err(quota["status"].to_string()) }
    })
    .await;
    space.apply(&load_test("quota", &load_of("web", 1, 1))).await;
    assert_refused(&space, "quota", "QuotaExceeded", "quota small").await;
    space.merge("resourcequotas", "small", json!({"spec": {"hard": {"pods": "3"}}})).await;
    eventually("the quota leaves one pod", PATIENCE, async || {
        let quota = space.get("resourcequotas", "small").await.unwrap();
        if quota["status"]["hard"]["pods"] == "3" { Ok(()) } else { Err(quota["status"].to_string()) }
    })
    .await;
    let growing = SIZED.replace("name: side, workloadRef: {name: side}", "name: web, workloadRef: {name: web}");
    space.apply(&load_test("growth", &format!("  targets:\n{growing}{}", load_of("web", 1, 1)))).await;
    assert_refused(&space, "growth", "QuotaExceeded", "what the targets grow by").await;
    assert_eq!(space.served("web"), 0);
    space.assert_put_back(&before).await;
}
