//! Finished tests that go by themselves (spec.ttlSecondsAfterFinished): an operator with the chart's rights, under its policies.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::cluster::eventually::eventually;
use crate::cluster::space::Space;
use crate::operator::Operator;
use crate::rights::as_installed;

/// A test whose host is not allowed, so that its run ends at once.
async fn create(space: &Space, name: &str, more: Value) {
    let mut spec = json!({"loads": [{"name": "m", "url": "http://example.com/", "durationSeconds": 100}]});
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let test =
        json!({"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest", "metadata": {"name": name}, "spec": spec});
    space.cluster.create(&space.name, &test, false).await.unwrap();
}

async fn gone(space: &Space, name: &str) {
    eventually(&format!("{name} is gone"), 60, async || match space.get("loadtests", name).await {
        None => Ok(()),
        Some(test) => Err(test.to_string()),
    })
    .await;
}

/// Finished two minutes ago, as an operator left it that is no more.
async fn finished(space: &Space, name: &str, ttl: u32) {
    create(space, name, json!({"ttlSecondsAfterFinished": ttl})).await;
    let at = Timestamp::now() - SignedDuration::from_secs(120);
    let condition = |kind: &str| json!({"type": kind, "status": "True", "reason": "ThresholdsMet", "message": "all held", "lastTransitionTime": format!("{at:.3}")});
    let status = json!({"observedGeneration": 1, "phase": "Finished", "verdict": "Passed",
        "conditions": [condition("Ready"), condition("Finished")]});
    space.merge("loadtests", &format!("{name}/status"), json!({"status": status})).await;
}

#[tokio::test]
async fn a_finished_test_goes_when_its_time_is_over_and_one_without_a_time_stays() {
    let Some(space) = Space::new("expiry").await else { return };
    let account = as_installed(&space);
    let mut operator = Operator::start_as(&account, &space.name, "");
    create(&space, "stays", json!({})).await;
    create(&space, "held", json!({"ttlSecondsAfterFinished": 0, "suspend": true})).await;
    create(&space, "later", json!({"ttlSecondsAfterFinished": 86_400})).await;
    create(&space, "goes", json!({"ttlSecondsAfterFinished": 1})).await;
    create(&space, "refused", json!({"ttlSecondsAfterFinished": 1, "deadlines": {"totalSeconds": 60}})).await;
    gone(&space, "goes").await;
    gone(&space, "refused").await;
    let ended = async |name: &str| {
        eventually(&format!("{name} is over"), 60, async || {
            let test = space.test(name).await;
            if test["status"]["phase"] == "Finished" { Ok(()) } else { Err(test["status"].to_string()) }
        })
        .await;
    };
    ended("stays").await;
    ended("later").await;
    // An event follows its deletion.
    eventually("both deletions are told, and no other", 60, async || {
        let told = space.list("events", None).await.into_iter().filter(|event| event["reason"] == "Expired");
        let mut told: Vec<_> = told.map(|event| event["regarding"]["name"].as_str().unwrap().to_owned()).collect();
        told.sort();
        if told == ["goes", "refused"] { Ok(()) } else { Err(format!("{told:?}")) }
    })
    .await;

    // Written into a test that is over, it counts from its end, which is longer ago, and begins no other run.
    for name in ["stays", "later"] {
        space.merge("loadtests", name, json!({"spec": {"ttlSecondsAfterFinished": 1}})).await;
        gone(&space, name).await;
    }
    assert!(!operator.log().contains("run: 2"), "a second run was begun");
    let held = space.test("held").await;
    assert_eq!(held["metadata"]["deletionTimestamp"], Value::Null, "a test that is held has no end");
    operator.assert_never_restarted();
}

#[tokio::test]
async fn an_operator_that_starts_finds_the_tests_whose_time_is_over_and_leaves_the_others() {
    let Some(space) = Space::new("overdue").await else { return };
    for number in 0..20 {
        finished(&space, &format!("over{number}"), 60).await;
    }
    finished(&space, "not-yet", 86_400).await;
    let account = as_installed(&space);
    let mut operator = Operator::start_as(&account, &space.name, "");
    eventually("all that are over are gone", 60, async || {
        let names: Vec<_> =
            space.list("loadtests", None).await.iter().map(|test| test["metadata"]["name"].to_string()).collect();
        if names == ["\"not-yet\""] { Ok(()) } else { Err(names.join(" ")) }
    })
    .await;
    assert_eq!(space.test("not-yet").await["status"]["verdict"], "Passed");
    operator.assert_never_restarted();
}
