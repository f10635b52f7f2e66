//! The policies about the operator's LoadTests, Jobs, ConfigMaps and pods: its own writes pass, every step beyond is refused.

use serde_json::{Value, json};

use crate::actor::{accepted, assert_refused};
use crate::cluster::eventually::eventually;
use crate::stage::Stage;

const FOREIGN: &str = "only Jobs and ConfigMaps of LoadTests";
const AGENTS: &str = "run its agents, restricted, and nothing else";
const HOST: &str = "no token, no init container, nothing of the host";
const ANNOTATIONS: &str = "only loadtest.dev/ annotations on a pod";

#[tokio::test]
async fn of_a_load_test_the_operator_writes_its_finalizer_and_the_status() {
    let Some(stage) = Stage::new("tests").await else { return };
    let path = stage.at("loadtests", "test");
    let operator = &stage.operator;
    let own = |finalizers: &[&str]| json!({"metadata": {"finalizers": finalizers}});
    accepted("its finalizer", operator.merge(&path, &own(&["loadtest.dev/put-back"])).await);
    let status = json!({"status": {"observedGeneration": 1}});
    accepted("the status", operator.merge(&format!("{path}/status"), &status).await);
    let finalizer = "only its own finalizer";
    for (what, patch, words) in [
        ("a start", json!({"spec": {"suspend": false}}), "may not change what a LoadTest asks for"),
        (
            "a target",
            json!({"spec": {"targets": [{"name": "a", "workloadRef": {"name": "b"}}]}}),
            "what a LoadTest asks for",
        ),
        ("a label", json!({"metadata": {"labels": {"a": "b"}}}), finalizer),
        ("an annotation", json!({"metadata": {"annotations": {"a": "b"}}}), finalizer),
        ("a foreign finalizer", own(&["loadtest.dev/put-back", "example.com/stay"]), finalizer),
    ] {
        assert_refused(what, &operator.merge(&path, &patch).await, words);
    }
    stage.space.merge("loadtests", "test", own(&["loadtest.dev/put-back", "example.com/stay"])).await;
    assert_refused(
        "a foreign finalizer away",
        &operator.merge(&path, &own(&["loadtest.dev/put-back"])).await,
        finalizer,
    );
    accepted("its own away", operator.merge(&path, &own(&["example.com/stay"])).await);
    stage.space.merge("loadtests", "test", own(&[])).await;
}

#[tokio::test]
async fn the_operator_deletes_a_load_test_only_as_it_read_it_finished_and_with_a_time() {
    let Some(stage) = Stage::new("over").await else { return };
    let (path, operator, space) = (stage.at("loadtests", "test"), &stage.operator, &stage.space);
    let words = "only LoadTests that are finished and have ttlSecondsAfterFinished";
    let refused = async |what: &str| {
        let read = operator.get(&path).await.unwrap();
        assert_refused(what, &operator.delete_as_read(&path, &read).await, words);
    };
    let status = |phase: &str, generation: u32| json!({"status": {"phase": phase, "observedGeneration": generation}});
    refused("one that has not begun").await;
    space.merge("loadtests", "test/status", status("Finished", 1)).await;
    refused("one without a time").await;
    space.merge("loadtests", "test", json!({"spec": {"ttlSecondsAfterFinished": 60}})).await;
    refused("one that was edited").await;
    space.merge("loadtests", "test/status", status("Running", 2)).await;
    refused("one that runs").await;
    space.merge("loadtests", "test/status", status("Finished", 2)).await;
    space.merge("loadtests", "test", json!({"metadata": {"finalizers": ["loadtest.dev/put-back"]}})).await;
    refused("one of which something is to be put back").await;
    space.merge("loadtests", "test", json!({"metadata": {"finalizers": []}})).await;
    let old = operator.get(&path).await.unwrap();
    let as_read = "by its uid and as it was read";
    assert_refused("whatever is there", &operator.delete(&path).await, as_read);
    assert_refused("whatever its version", &operator.delete_that(&path, &old["metadata"]["uid"]).await, as_read);
    space.merge("loadtests", "test", json!({"metadata": {"labels": {"edited": "yes"}}})).await;
    assert_refused("one that was written since", &operator.delete_as_read(&path, &old).await, "ResourceVersion");
    let new = operator.get(&path).await.unwrap();
    accepted("one that is over", operator.delete_as_read(&path, &new).await);
}

#[tokio::test]
async fn the_operator_makes_and_deletes_config_maps_of_runs_only() {
    let Some(stage) = Stage::new("maps").await else { return };
    let (path, operator) = (stage.path("configmaps"), &stage.operator);
    for map in stage.config_maps() {
        accepted("a ConfigMap of a run", operator.create(&path, &map).await);
    }
    let mut maps = stage.config_maps();
    maps[0]["metadata"]["name"] = json!("other");
    for field in ["labels", "ownerReferences"] {
        let mut map = maps[0].clone();
        map["metadata"].as_object_mut().unwrap().remove(field);
        assert_refused(&format!("without {field}"), &operator.create(&path, &map).await, FOREIGN);
    }
    let own = stage.at("configmaps", &stage.run.row_plan(1));
    accepted("its content", operator.merge(&own, &json!({"data": {"plan.json": "[]"}})).await);
    let label = operator.merge(&own, &json!({"metadata": {"labels": {"a": "b"}}})).await;
    assert_refused("its labels", &label, "only the content of its ConfigMaps");
    accepted("deleting it", operator.delete(&own).await);

    let foreign = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shop"}, "data": {"a": "b"}});
    stage.space.cluster.create(&stage.space.name, &foreign, false).await.unwrap();
    let shop = stage.at("configmaps", "shop");
    assert_refused("another's content", &operator.merge(&shop, &json!({"data": {"a": "c"}})).await, FOREIGN);
    let adopted = json!({"metadata": {"labels": maps[1]["metadata"]["labels"], "ownerReferences": maps[1]["metadata"]["ownerReferences"]}});
    assert_refused("adopting it", &operator.merge(&shop, &adopted).await, FOREIGN);
    assert_refused("deleting another's", &operator.delete(&shop).await, FOREIGN);
}

/// Jobs that differ from the operator's in one field of the pod.
fn jobs_beyond() -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let secret = json!([{"name": "plan", "secret": {"secretName": "s"}}]);
    let all_keys = json!([{"name": "tls-0", "secret": {"secretName": "s", "items": []}}]);
    let token_key =
        json!([{"name": "tls-0", "secret": {"secretName": "s", "items": [{"key": "token", "path": "token"}]}}]);
    let host = json!([{"name": "plan", "hostPath": {"path": "/"}}]);
    let token = json!([{"name": "plan", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]);
    let privileges =
        json!({"allowPrivilegeEscalation": true, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}});
    vec![
        ("a token", "automountServiceAccountToken", json!(true), HOST),
        ("the host's network", "hostNetwork", json!(true), HOST),
        ("the host's processes", "hostPID", json!(true), HOST),
        ("a Secret as files", "volumes", secret, HOST),
        ("a Secret as files, by no key", "volumes", all_keys, HOST),
        ("another key of a Secret", "volumes", token_key, HOST),
        ("the host's files", "volumes", host, HOST),
        ("a projected token", "volumes", token, HOST),
        ("an init container", "initContainers", json!([{"name": "i", "image": "x"}]), HOST),
        ("a second container", "containers/1", json!({"name": "b", "image": "x"}), AGENTS),
        ("root", "securityContext/runAsUser", json!(0), AGENTS),
        ("no seccomp", "securityContext/seccompProfile", json!({"type": "Unconfined"}), AGENTS),
        ("a command", "containers/0/command", json!(["sh"]), AGENTS),
        ("another task", "containers/0/args", json!(["controller"]), AGENTS),
        ("privileges", "containers/0/securityContext", privileges, AGENTS),
        ("a capability", "containers/0/securityContext/capabilities/add", json!(["NET_ADMIN"]), AGENTS),
    ]
}

#[tokio::test]
async fn the_operator_makes_and_deletes_jobs_of_its_agents_only() {
    let Some(stage) = Stage::new("jobs").await else { return };
    let (path, operator) = (stage.path("jobs"), &stage.operator);
    let [generator, observer] = stage.jobs();
    for (what, field, value, words) in jobs_beyond() {
        let mut job = generator.clone();
        let patch = json!([{"op": "add", "path": format!("/spec/template/spec/{field}"), "value": value}]);
        json_patch::patch(&mut job, &serde_json::from_value::<json_patch::Patch>(patch).unwrap()).unwrap();
        if job["spec"]["template"]["spec"]["volumes"] != generator["spec"]["template"]["spec"]["volumes"] {
            job["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = json!([]);
        }
        assert_refused(what, &operator.create(&path, &job).await, words);
    }
    for field in ["labels", "ownerReferences"] {
        let mut job = generator.clone();
        job["metadata"].as_object_mut().unwrap().remove(field);
        // A Job without labels gets those of its pods.
        job["spec"]["template"]["metadata"].as_object_mut().unwrap().remove("labels");
        assert_refused(&format!("without {field}"), &operator.create(&path, &job).await, FOREIGN);
    }
    for job in [&generator, &observer] {
        accepted("a Job of a run", operator.create(&path, job).await);
        accepted(
            "deleting it",
            operator.delete(&format!("{path}/{}", job["metadata"]["name"].as_str().unwrap())).await,
        );
    }
    let mut foreign = generator.clone();
    foreign["metadata"] = json!({"name": "shop"});
    stage.space.cluster.post(&path, &foreign).await.unwrap();
    assert_refused("deleting another's Job", &operator.delete(&stage.at("jobs", "shop")).await, FOREIGN);
}

#[tokio::test]
async fn the_operator_lets_a_suspended_job_of_an_action_go_and_changes_nothing_else_of_a_job() {
    let Some(stage) = Stage::new("acts").await else { return };
    let (path, operator) = (stage.path("jobs"), &stage.operator);
    for job in &stage.acts() {
        let made = accepted("a Job of an action", operator.create(&path, job).await);
        let own = format!("{path}/{}", made["metadata"]["name"].as_str().unwrap());
        for (what, patch) in [
            ("its deadline", json!({"spec": {"activeDeadlineSeconds": 5}})),
            ("its deadline with it", json!({"spec": {"suspend": false, "activeDeadlineSeconds": 5}})),
        ] {
            assert_refused(what, &operator.merge(&own, &patch).await, "may only let go those that are suspended");
        }
        accepted("letting it go", operator.merge(&own, &json!({"spec": {"suspend": false}})).await);
        let again = operator.merge(&own, &json!({"spec": {"suspend": true}})).await;
        assert_refused("holding it", &again, "may only let go those that are suspended");
        accepted("deleting it", operator.delete(&own).await);
    }
    let [asked, copied] = stage.acts();
    let mut running = copied.clone();
    running["spec"]["suspend"] = json!(false);
    assert_refused("a copy that runs at once", &operator.create(&path, &running).await, "and suspended");
    let mut unnamed = copied;
    unnamed["metadata"].as_object_mut().unwrap().remove("annotations");
    assert_refused("a copy of nothing", &operator.create(&path, &unnamed).await, HOST);
    let mut other = asked;
    other["spec"]["template"]["spec"]["automountServiceAccountToken"] = json!(true);
    assert_refused("an act with a token", &operator.create(&path, &other).await, HOST);
}

#[tokio::test]
async fn a_pod_gets_its_start_once_and_nothing_else_of_it_is_written() {
    let Some(stage) = Stage::new("pods").await else { return };
    let operator = &stage.operator;
    accepted("the row's Job", operator.create(&stage.path("jobs"), &stage.jobs()[0]).await);
    let pod = eventually("the Job's pod", 60, async || {
        let label = format!("loadtest.dev/run={}", stage.run.label());
        stage.space.list("pods", Some(&label)).await.into_iter().next().ok_or_else(|| "no pod yet".into())
    })
    .await;
    let path = stage.at("pods", pod["metadata"]["name"].as_str().unwrap());
    let note = |name: &str, value: &str| json!({"metadata": {"annotations": {name: value}}});
    for (what, patch, words) in [
        ("a foreign annotation", note("example.com/a", "b"), ANNOTATIONS),
        (
            "another's annotation away",
            json!({"metadata": {"annotations": {"batch.kubernetes.io/job-completion-index": null}}}),
            ANNOTATIONS,
        ),
        ("a label", json!({"metadata": {"labels": {"a": "b"}}}), ANNOTATIONS),
        ("a finalizer", json!({"metadata": {"finalizers": ["example.com/stay"]}}), ANNOTATIONS),
        ("a deadline", json!({"spec": {"activeDeadlineSeconds": 1}}), "may not change a pod's spec"),
    ] {
        assert_refused(what, &operator.merge(&path, &patch).await, words);
    }
    let image = json!([{"op": "replace", "path": "/spec/containers/0/image", "value": "evil:1"}]);
    assert_refused("an image", &operator.patch(&path, &image).await, "may not change a pod's spec");
    let names = ["loadtest.dev/start-at", "loadtest.dev/hard-end-at", "loadtest.dev/granted-at"];
    for name in names {
        accepted("the grant", operator.merge(&path, &note(name, "2026-01-01T00:00:00.000Z")).await);
    }
    accepted("the grant again", operator.merge(&path, &note(names[0], "2026-01-01T00:00:00.000Z")).await);
    accepted("a later grant's instant", operator.merge(&path, &note(names[2], "2026-01-01T00:00:01.000Z")).await);
    accepted("the stop", operator.merge(&path, &note("loadtest.dev/stop-at", "2026-01-01T00:00:09.000Z")).await);
    for name in &names[..2] {
        let moved = operator.merge(&path, &note(name, "2026-01-01T00:00:01.000Z")).await;
        assert_refused("another start", &moved, "a pod's start is written once");
        let gone = operator.merge(&path, &json!({"metadata": {"annotations": {*name: null}}})).await;
        assert_refused("the start taken back", &gone, "may write only");
    }
    let mut foreign = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "shop"}, "spec": pod["spec"]});
    foreign["spec"]
        .as_object_mut()
        .unwrap()
        .retain(|key, _| ["containers", "volumes", "securityContext", "restartPolicy"].contains(&key.as_str()));
    stage.space.cluster.create(&stage.space.name, &foreign, false).await.unwrap();
    let stop = operator.merge(&stage.at("pods", "shop"), &note("loadtest.dev/stop-at", "x")).await;
    assert_refused("a pod of somebody else", &stop, "only the pods of its own Jobs");
}

#[tokio::test]
async fn a_pod_is_deleted_by_its_uid_and_only_one_of_a_workload() {
    let Some(stage) = Stage::new("victims").await else { return };
    let operator = &stage.operator;
    let rights = json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}});
    let spec = json!({"securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "a", "image": "dev.local/none:1", "securityContext": rights}]});
    let template = json!({"metadata": {"labels": {"app": "victim"}}, "spec": spec});
    let workload = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "victim"},
        "spec": {"selector": {"matchLabels": {"app": "victim"}}, "template": template}});
    stage.space.cluster.create(&stage.space.name, &workload, false).await.unwrap();
    let pod = eventually("the workload's pod", 60, async || {
        stage.space.list("pods", Some("app=victim")).await.into_iter().next().ok_or_else(|| "no pod yet".into())
    })
    .await;
    let path = stage.at("pods", pod["metadata"]["name"].as_str().unwrap());
    assert_refused("a pod by its name alone", &operator.delete(&path).await, "deletes a pod by its uid");
    accepted("a pod by its uid", operator.delete_that(&path, &pod["metadata"]["uid"]).await);

    let alone = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "alone"}, "spec": spec});
    let alone = stage.space.cluster.create(&stage.space.name, &alone, false).await.unwrap();
    let refused = operator.delete_that(&stage.at("pods", "alone"), &alone["metadata"]["uid"]).await;
    assert_refused("a pod of no workload", &refused, "only pods of Deployments and StatefulSets");
}
