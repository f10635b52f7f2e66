//! The database of a test, looked at before anything is changed: what the operator may read, and what AWS knows, by its double.

use aws_double::{Double, Fault, FaultKind, Instance, Proxy};
use serde_json::{Value, json};

use crate::cluster::eventually::eventually;
use crate::cluster::space::Space;
use crate::operator::Operator;

/// A test that reads the instance shop-db and this proxy before it.
fn reading(name: &str, proxy: &str) -> Value {
    let spec = json!({
        "loads": [{"name": "m", "url": "http://web/", "clients": 1, "durationSeconds": 60}],
        "database": {"rds": {"instance": "shop-db", "proxy": proxy}},
        "thresholds": [{"metric": "database.proxyBorrowLatencyMs.average", "max": 5}],
    });
    json!({"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest", "metadata": {"name": name}, "spec": spec})
}

async fn refused(space: &Space, name: &str, proxy: &str, reason: &str, words: &str) {
    space.cluster.create(&space.name, &reading(name, proxy), false).await.unwrap();
    eventually(&format!("{name} is refused"), 60, async || {
        let test = space.get("loadtests", name).await.ok_or("it is gone")?;
        let conditions = test["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let ready = conditions.iter().find(|condition| condition["type"] == "Ready").cloned().unwrap_or_default();
        let said = ready["message"].as_str().unwrap_or_default();
        let so = test["status"]["phase"] == "Finished" && ready["reason"] == reason && said.contains(words);
        if so { Ok(()) } else { Err(format!("{}: {ready}", test["status"]["phase"])) }
    })
    .await;
}

/// It gets as far as its generators' Job, and is taken away.
async fn started(space: &Space, name: &str) {
    space.cluster.create(&space.name, &reading(name, "pool"), false).await.unwrap();
    eventually(&format!("{name} has a Job"), 60, async || {
        let jobs = space.list("jobs", None).await;
        let own = |job: &Value| job["metadata"]["name"].as_str().is_some_and(|job| job.starts_with(name));
        if jobs.iter().any(own) { Ok(()) } else { Err(format!("{} Jobs", jobs.len())) }
    })
    .await;
    space.delete("loadtests", name).await;
}

#[tokio::test]
async fn a_proxy_is_read_only_where_the_configuration_names_it_and_aws_knows_it_and_a_missing_right_refuses_nothing() {
    let Some(space) = Space::new("proxy").await else { return };
    let service =
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}});
    space.cluster.create(&space.name, &service, false).await.unwrap();
    let double = Double::new();
    double.script(|state| {
        state.instances.push(Instance::postgres("shop-db"));
        state.proxies.push(Proxy::postgres("pool"));
    });
    let running = double.start().await.unwrap();
    let configured = format!(
        "awsRegion: eu-west-1\nrds: [{{namespace: {}, instances: [shop-db], proxies: [pool, gone]}}]\n",
        space.name
    );
    let mut operator = Operator::start_beside(&space.cluster, &space.name, &configured, &running.endpoint());
    let named = "may not read RDS proxy other before instance shop-db (chart value config.rds)";
    refused(&space, "foreign", "other", "DatabaseNotAllowed", named).await;
    refused(&space, "unknown", "gone", "DatabaseNotFound", "AWS knows no RDS proxy gone in this region").await;
    started(&space, "allowed").await;
    let denied = FaultKind::error("AccessDenied", 403, "canary");
    double.script(|state| state.faults.push(Fault::new(denied).operation("DescribeDBProxies")));
    started(&space, "denied").await;
    let asked = double.calls().into_iter().filter(|call| call.operation == "DescribeDBProxies");
    assert!(asked.clone().any(|call| call.status == Some(403)), "{:?}", asked.collect::<Vec<_>>());
    assert!(!operator.log().contains("canary"));
    operator.assert_never_restarted();
}
