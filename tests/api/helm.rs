//! Helm 4 waits for a LoadTest in a chart: it goes on when the test passed, and ends with an error when it did not.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::cluster::eventually::eventually;
use crate::cluster::space::Space;
use crate::operator::Operator;

/// A chart with one LoadTest, which no operator would run: its URL is not allowed.
fn chart(folder: &Path) {
    let test = json!({"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest", "metadata": {"name": "gate"},
        "spec": {"loads": [{"name": "m", "url": "http://example.com/"}]}});
    std::fs::create_dir(folder.join("templates")).unwrap();
    std::fs::write(folder.join("Chart.yaml"), "apiVersion: v2\nname: gate\nversion: 0.1.0\n").unwrap();
    std::fs::write(folder.join("templates/test.yaml"), test.to_string()).unwrap();
}

fn install(helm: &str, space: &Space, chart: &Path) -> Child {
    Command::new(helm)
        .args(["install", "gate"])
        .arg(chart)
        .args(["--kubeconfig", &space.cluster.config, "--namespace", &space.name, "--wait", "--timeout", "60s"])
        .env("HELM_CACHE_HOME", chart.join(".helm"))
        .env("HELM_CONFIG_HOME", chart.join(".helm"))
        .env("HELM_DATA_HOME", chart.join(".helm"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The helm that the other levels of the tests use; without it there is nothing to try.
fn helm() -> Option<String> {
    let helm = std::env::var("LOADTEST_HELM").ok();
    if helm.is_none() {
        eprintln!("skipped: LOADTEST_HELM names no helm");
    }
    helm
}

#[tokio::test]
async fn helm_ends_with_an_error_when_the_test_was_refused() {
    let (Some(space), Some(helm)) = (Space::new("helm").await, helm()) else { return };
    let _operator = Operator::start(&space.cluster, &space.name, "");
    let folder = tempfile::tempdir().unwrap();
    chart(folder.path());
    let output = install(&helm, &space, folder.path()).wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("gate") && said.contains("Failed"), "{said}");
}

#[tokio::test]
async fn helm_goes_on_when_the_test_passed_and_not_before() {
    let (Some(space), Some(helm)) = (Space::new("helm").await, helm()) else { return };
    let folder = tempfile::tempdir().unwrap();
    chart(folder.path());
    let mut waiting = install(&helm, &space, folder.path());
    eventually("the LoadTest is there", 30, async || {
        space.get("loadtests", "gate").await.map(drop).ok_or_else(|| "not yet".into())
    })
    .await;
    let condition = |type_: &str, status: &str| {
        json!({"type": type_, "status": status, "reason": "ThresholdsMet", "message": "All held.",
            "lastTransitionTime": "2026-01-01T00:00:00Z"})
    };
    let busy = json!({"observedGeneration": 1, "phase": "Running",
        "conditions": [condition("Ready", "Unknown"), condition("Reconciling", "True")]});
    space.merge("loadtests", "gate/status", json!({"status": busy})).await;
    // What it would take for done, it takes for done within its look each second.
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    let ended = waiting.try_wait().unwrap();
    let over = json!({"phase": "Finished", "verdict": "Passed",
        "conditions": [condition("Ready", "True"), condition("Succeeded", "True"), condition("Finished", "True")]});
    space.merge("loadtests", "gate/status", json!({"status": over})).await;
    let output = waiting.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(ended.is_none(), "it did not wait: {said}");
    assert!(output.status.success(), "{said}");
}
