//! The commands of the pages that need a cluster, run as they are shown, page by page. What an operator and a node would do to a LoadTest
//! is written by a stand-in here; `tests/node/alone/reader.rs` has both.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::cluster::eventually::eventually;
use crate::cluster::space::Space;
use crate::shown::Shown;
use crate::shown::shell::Shell;
use crate::shown::table::{By, of};

/// A workload of no pods; `claim`: it still carries the claim of a test that is gone.
fn workload(name: &str, claim: bool) -> Value {
    let labels = json!({"app": name});
    let mut made = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
            "spec": {"containers": [{"name": name, "image": "app:1"}]}}}});
    if claim {
        let record = json!({"uid": "0a1b", "test": "gone", "run": 1, "container": name, "originals": {"replicas": 1},
            "set": {"replicas": 0}, "until": "2026-01-01T00:00:00.000Z"});
        made["metadata"]["labels"] = json!({"loadtest.dev/claim": "0a1b.1"});
        made["metadata"]["annotations"] = json!({"loadtest.dev/claim": record.to_string()});
    }
    made
}

fn service(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 8080}]}})
}

fn load_test(name: &str) -> Value {
    json!({"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest", "metadata": {"name": name},
        "spec": {"loads": [{"name": "m", "url": "http://my-api:8080/"}]}})
}

/// The workloads, Services and tests that the pages name.
async fn fixtures(space: &Space) {
    let mut objects = vec![workload("held", true)];
    objects.extend(["my-api", "my-worker", "shop-api", "demo-api"].map(|name| workload(name, false)));
    objects.extend(["my-api", "shop-api", "shop", "held"].map(service));
    objects.extend(["my-api", "release-gate"].map(load_test));
    for object in &objects {
        space.cluster.create(&space.name, object, false).await.unwrap();
    }
}

/// Ends each LoadTest of a namespace as Passed, as soon as its spec is another; with the report of one row.
async fn end_all(cluster: Cluster, namespace: String) {
    loop {
        for test in cluster.list("loadtests", &namespace, None).await {
            if test["status"]["observedGeneration"] != test["metadata"]["generation"] {
                end(&cluster, &namespace, &test).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The last run has the number that the pages name.
async fn end(cluster: &Cluster, namespace: &str, test: &Value) {
    let name = test["metadata"]["name"].as_str().unwrap();
    let before = test["status"]["run"]["id"].as_i64().unwrap_or(41);
    let report = |run: i64| format!("{name}-{run}-report");
    let files = |run: i64| {
        let results = json!({"test": {"namespace": namespace, "name": name, "run": run}, "verdict": "Passed",
            "reason": "ThresholdsMet", "message": "All held.", "plan": {"hash": "h", "rows": 1, "spec": {"loads": []}},
            "rows": [{"row": 1, "verdict": "Passed"}]});
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": report(run)}, "data": {
            "table.md": "# Load test\n", "results.csv": "a,b\n", "results.json": results.to_string(), "junit.xml": "<x/>"}})
    };
    for run in [before, before + 1] {
        // That of the run before is there, unless it is the first that is made up.
        let _ = cluster.create(namespace, &files(run), false).await;
    }
    let condition = |type_: &str| {
        json!({"type": type_, "status": "True", "reason": "ThresholdsMet", "message": "All held.",
            "observedGeneration": test["metadata"]["generation"], "lastTransitionTime": "2026-01-01T00:00:00Z"})
    };
    let conditions = ["Ready", "Succeeded", "Finished"].map(condition);
    let run = json!({"id": before + 1, "generation": 1, "planHash": "h", "hashVersion": 1, "protocolVersion": 1,
        "row": 1, "rows": 1});
    let mut history = test["status"]["history"].as_array().cloned().unwrap_or_default();
    history.push(json!({"id": before, "verdict": "Passed", "report": report(before)}));
    let status = json!({"observedGeneration": test["metadata"]["generation"], "phase": "Finished", "verdict": "Passed",
        "run": run, "table": "| Run |\n|----:|\n|   1 |\n", "reportRef": {"name": report(before + 1)},
        "history": history,
        "results": [{"row": 1, "verdict": "Passed", "reason": "ThresholdsMet"}],
        "conditions": conditions});
    let written = cluster.merge("loadtests", namespace, &format!("{name}/status"), &json!({"status": status})).await;
    // Whoever deleted it meanwhile doesn't want it ended; what else is wrong is seen in the wait for it.
    written.err().into_iter().for_each(|error| eprintln!("{name} was not ended: {error}"));
}

async fn ended(space: &Space, name: &str) {
    eventually("the test is over", 30, async || {
        let test = space.test(name).await;
        if test["status"]["phase"] == "Finished" { Ok(()) } else { Err(test["status"].to_string()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_command_of_each_page_does_on_an_api_server_what_the_page_says() {
    let mut pages: BTreeMap<String, Vec<Shown>> = BTreeMap::new();
    of(By::Server).into_iter().for_each(|one| pages.entry(one.file.clone()).or_default().push(one));
    let mut run = 0;
    for (page, commands) in &pages {
        let Some(space) = Space::new("page").await else { return };
        fixtures(&space).await;
        let operator = tokio::spawn(end_all(space.cluster.clone(), space.name.clone()));
        ended(&space, "my-api").await;
        ended(&space, "release-gate").await;
        let program = Path::new(env!("CARGO_BIN_EXE_loadtest"));
        let shell = Shell::new(program, "http://127.0.0.1:9").with_namespace(&space.name).with_files();
        let shell = shell.on(&space.cluster.config, &space.cluster.kubectl);
        shell.must(page, "kubectl get loadtest/my-api configmap/my-api-42-report -o yaml > kept.yaml");
        shell.must(page, "kubectl loadtest init deploy/my-api > lt.yaml");
        for one in commands {
            tokio::task::block_in_place(|| shell.must(&format!("{page}:{}", one.line), &one.text));
            run += 1;
        }
        operator.abort();
    }
    assert!(run > 50, "{run} commands were run");
}
