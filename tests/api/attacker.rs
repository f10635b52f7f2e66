//! Somebody who may write ConfigMaps of a namespace, and neither LoadTests nor Jobs, tries to have load sent where they like.

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::cluster::eventually::eventually;
use crate::cluster::space::Space;
use crate::operator::Operator;

#[tokio::test]
async fn a_plan_that_was_laid_ready_under_its_name_is_not_the_one_that_the_pods_take() {
    let Some(space) = Space::new("attacker").await else { return };
    let service =
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}});
    let test = json!({"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest", "metadata": {"name": "t"},
        "spec": {"suspend": true, "loads": [{"name": "m", "url": "http://web/"}]}});
    for object in [&service, &test] {
        space.cluster.create(&space.name, object, false).await.unwrap();
    }
    let uid = space.test("t").await["metadata"]["uid"].as_str().unwrap().to_owned();
    let name = format!("t-{}-1-1", &uid[..5]);
    let forged = json!({"protocol": 1, "loads": [{"name": "m", "url": "http://victim.other/"}]}).to_string();
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("{name}-plan")}, "data": {"plan.json": forged}});
    space.cluster.create(&space.name, &map, false).await.unwrap();
    let _operator = Operator::start(&space.cluster, &space.name, "");
    space.merge("loadtests", "t", json!({"spec": {"suspend": false}})).await;
    let job = eventually("the row's Job is there", 60, async || {
        let job = space.get("jobs", &name).await;
        match job {
            Some(job) => Ok(job),
            None => Err(space.test("t").await["status"].to_string()),
        }
    })
    .await;
    let laid: String = Sha256::digest(&forged).iter().map(|byte| format!("{byte:02x}")).collect();
    let env = job["spec"]["template"]["spec"]["containers"][0]["env"].as_array().unwrap();
    let digest = env.iter().find(|one| one["name"] == "LOADTEST_PLAN_SHA256").map(|one| one["value"].as_str().unwrap());
    assert!(digest.is_some_and(|digest| digest.len() == 64 && digest != laid), "{env:?}");
    let there = space.get("configmaps", &format!("{name}-plan")).await.unwrap();
    assert_eq!(there["data"]["plan.json"], forged, "the forged one is still what the pods would read, and refuse");
}
