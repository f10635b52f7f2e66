//! Tests of the rollout proof: each begins with a rollout that is done and breaks one thing.

use super::*;
use serde_json::{Value, json};

fn deployment_object() -> Value {
    json!({
        "metadata": {"name": "api", "uid": "d", "generation": 4, "annotations": {REVISION: "2"}},
        "spec": {"replicas": 2, "selector": {}, "template": {}},
        "status": {"observedGeneration": 4, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2,
            "conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]}
    })
}

fn replica_set(uid: &str, revision: &str) -> ReplicaSet {
    let owner = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "api", "uid": "d", "controller": true}]);
    let meta = json!({"uid": uid, "annotations": {REVISION: revision}, "ownerReferences": owner});
    serde_json::from_value(json!({"metadata": meta, "spec": {"selector": {}}})).unwrap()
}

fn pod_object(name: &str, owner: &str) -> Value {
    json!({
        "metadata": {"name": name, "uid": name, "labels": {"controller-revision-hash": "r2"}, "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": owner, "controller": true}]},
        "spec": {"containers": [{"name": "api", "resources": {
            "limits": {"cpu": "1", "memory": "512Mi"}, "requests": {"cpu": "1", "memory": "512Mi"}}}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    })
}

const WANTED: Wanted =
    Wanted { generation: 4, container: Some("api"), replicas: Some(2), cpu: Some("1000m"), memory: Some("512Mi") };

/// Judges a Deployment of two pods after `change` to it and to its pods.
fn judged(change: impl FnOnce(&mut Value, &mut Vec<Value>)) -> Rollout {
    let (mut object, mut pods) = (deployment_object(), vec![pod_object("a", "new"), pod_object("b", "new")]);
    change(&mut object, &mut pods);
    let pods: Vec<Pod> = pods.into_iter().map(|p| serde_json::from_value(p).unwrap()).collect();
    let sets = [replica_set("old", "1"), replica_set("new", "2")];
    deployment(&serde_json::from_value(object).unwrap(), &sets, &pods, &WANTED)
}

fn waits_for(rollout: Rollout, words: &str) {
    match rollout {
        Rollout::Rolling { why } if why.contains(words) => {}
        other => panic!("{other:?} should wait for {words:?}"),
    }
}

fn fails_with(rollout: Rollout, words: &str) {
    match rollout {
        Rollout::Failed { why } if why.contains(words) => {}
        other => panic!("{other:?} should fail with {words:?}"),
    }
}

#[test]
fn a_finished_rollout_is_ready_with_its_pods() {
    match judged(|_, _| {}) {
        Rollout::Ready { pods, generation } => assert_eq!((pods.len(), generation), (2, 4)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_old_reading_proves_nothing() {
    waits_for(judged(|d, _| d["metadata"]["generation"] = json!(3)), "not seen");
    waits_for(judged(|d, _| d["status"]["observedGeneration"] = json!(3)), "not seen");
}

#[test]
fn every_count_of_the_status_must_be_the_wanted_one() {
    for count in ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"] {
        waits_for(judged(|d, _| d["status"][count] = json!(1)), "pods ready");
        waits_for(judged(|d, _| d["status"][count] = json!(3)), "pods ready");
    }
}

#[test]
fn a_pod_of_the_old_replica_set_still_serves() {
    waits_for(judged(|_, p| p.push(pod_object("c", "old"))), "1 old pods");
}

#[test]
fn a_terminating_pod_still_serves() {
    waits_for(judged(|_, p| p[0]["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z")), "old pods");
}

#[test]
fn an_ended_pod_does_not_count() {
    let rollout = judged(|_, p| {
        p.push(pod_object("c", "old"));
        p[2]["status"]["phase"] = json!("Failed");
    });
    assert!(matches!(rollout, Rollout::Ready { pods, .. } if pods.len() == 2));
}

#[test]
fn a_pod_that_is_not_ready_is_waited_for() {
    waits_for(judged(|_, p| p[1]["status"]["conditions"] = json!([])), "1 of 2 pods ready");
}

#[test]
fn a_missing_pod_is_waited_for_whatever_the_status_says() {
    waits_for(judged(|_, p| p.truncate(1)), "1 of 2 pods ready");
}

#[test]
fn a_limit_that_was_not_applied_is_not_ready() {
    let limits = |p: &mut Vec<Value>| p[1]["spec"]["containers"][0]["resources"]["limits"]["cpu"] = json!("2");
    waits_for(judged(|_, p| limits(p)), "pod b has CPU limit 2, not 1000m");
    let none = |p: &mut Vec<Value>| p[1]["spec"]["containers"][0]["resources"]["requests"] = json!({});
    waits_for(judged(|_, p| none(p)), "CPU request none");
}

#[test]
fn an_unknown_container_fails_at_once() {
    fails_with(judged(|_, p| p[0]["spec"]["containers"][0]["name"] = json!("web")), "no container api");
}

#[test]
fn the_progress_deadline_fails_with_the_pods_trouble() {
    let late =
        json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "slow"}]);
    fails_with(judged(|d, _| d["status"]["conditions"] = late.clone()), "slow");
    let rollout = judged(|d, p| {
        d["status"]["conditions"] = late.clone();
        p[0]["status"]["containerStatuses"] = json!([{"name": "api", "image": "i", "imageID": "", "ready": false,
            "restartCount": 0, "state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}}]);
    });
    fails_with(rollout, "pod a: container api: ErrImagePull not found");
}

#[test]
fn a_quota_that_refuses_pods_is_said() {
    let rollout = judged(|d, p| {
        p.truncate(1);
        d["status"]["conditions"] =
            json!([{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: q"}]);
    });
    waits_for(rollout, "exceeded quota");
}

#[test]
fn replicas_that_somebody_else_changed_fail() {
    fails_with(judged(|d, _| d["spec"]["replicas"] = json!(3)), "somebody else");
}

#[test]
fn no_pods_are_ready_when_none_are_wanted() {
    let (mut object, sets) = (deployment_object(), [replica_set("new", "2")]);
    object["spec"]["replicas"] = json!(0);
    object["status"] = json!({"observedGeneration": 4});
    let wanted = Wanted { replicas: Some(0), ..WANTED };
    let rollout = deployment(&serde_json::from_value(object).unwrap(), &sets, &[], &wanted);
    assert_eq!(rollout, Rollout::Ready { pods: vec![], generation: 4 });
}

/// Judges a StatefulSet of one pod after `change` to it and to its pod.
fn set_judged(change: impl FnOnce(&mut Value, &mut Value)) -> Rollout {
    let mut object = json!({
        "metadata": {"name": "api", "uid": "s", "generation": 4},
        "spec": {"replicas": 1, "selector": {}, "template": {}, "serviceName": "api"},
        "status": {"observedGeneration": 4, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
            "currentRevision": "r2", "updateRevision": "r2"}
    });
    let mut pod = pod_object("a", "s");
    change(&mut object, &mut pod);
    let pods = [serde_json::from_value(pod).unwrap()];
    stateful_set(&serde_json::from_value(object).unwrap(), &pods, &Wanted { replicas: Some(1), ..WANTED })
}

#[test]
fn a_stateful_set_is_ready_when_all_pods_are_of_the_update_revision() {
    assert!(matches!(set_judged(|_, _| {}), Rollout::Ready { .. }));
    waits_for(set_judged(|s, _| s["status"]["currentRevision"] = json!("r1")), "revision");
    waits_for(set_judged(|_, p| p["metadata"]["labels"] = json!({"controller-revision-hash": "r1"})), "old pods");
}

#[test]
fn a_stateful_set_that_is_replaced_by_hand_fails() {
    let rollout = set_judged(|s, p| {
        s["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
        p["metadata"]["labels"] = json!({"controller-revision-hash": "r1"});
    });
    fails_with(rollout, "by hand");
}
