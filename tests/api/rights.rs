//! The chart's rights at work: an operator that has these and no more, and what each of the rarely needed ones is for.

use std::path::Path;

use serde_json::{Value, json};

use crate::actor::{Actor, accepted, assert_refused};
use crate::cluster::eventually::eventually;
use crate::cluster::space::Space;
use crate::operator::Operator;
use crate::stage::Stage;

/// A file of the cluster with the token of the chart's service account.
pub fn as_installed(space: &Space) -> tempfile::TempPath {
    let token = ["-n", "loadtest-system", "create", "token", "loadtest-operator", "--duration=1h"];
    let token = space.cluster.kubectl(&token).unwrap();
    let file = std::fs::read_to_string(&space.cluster.config).unwrap();
    let mut config: Value = serde_saphyr::from_str(&file).unwrap();
    for user in config["users"].as_array_mut().unwrap() {
        user["user"] = json!({"token": token});
    }
    let file = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    std::fs::write(&file, config.to_string()).unwrap();
    file
}

fn start(space: &Space, kubeconfig: &Path) -> Operator {
    Operator::start_as(kubeconfig, &space.name, "")
}

fn load_test(name: &str, targets: Value) -> Value {
    let spec = json!({"loads": [{"name": "main", "url": "http://web/"}], "targets": targets});
    json!({"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest", "metadata": {"name": name}, "spec": spec})
}

async fn serve_web(space: &Space) {
    let service =
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}});
    space.cluster.create(&space.name, &service, false).await.unwrap();
}

/// Waits until the test ended; gives the condition Ready.
async fn ended(space: &Space, name: &str) -> Value {
    eventually("the test ended", 120, async || {
        let test = space.test(name).await;
        let conditions = test["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let ready = conditions.into_iter().find(|condition| condition["type"] == "Ready").unwrap_or_default();
        if test["status"]["phase"] == "Finished" { Ok(ready) } else { Err(ready.to_string()) }
    })
    .await
}

/// An author's pods, Jobs and ConfigMaps with these rules, where the API server checks owner references
/// (OwnerReferencesPermissionEnforcement).
async fn owner_with(stage: &Stage, name: &str, finalizers: bool) -> Actor {
    let (space, user) = (&stage.space, format!("{name}-of-{}", stage.space.name));
    let mut rules = vec![
        json!({"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create"]}),
        json!({"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]}),
    ];
    if finalizers {
        rules.push(json!({"apiGroups": ["loadtest.dev"], "resources": ["loadtests/finalizers"], "verbs": ["update"]}));
    }
    let api = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{}", space.name);
    let (group, kind) = ("rbac.authorization.k8s.io", "User");
    let role = json!({"metadata": {"name": name}, "rules": rules});
    let binding = json!({"metadata": {"name": name}, "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
        "subjects": [{"apiGroup": group, "kind": kind, "name": user}]});
    space.cluster.post(&format!("{api}/roles"), &role).await.unwrap();
    space.cluster.post(&format!("{api}/rolebindings"), &binding).await.unwrap();
    Actor::named(&space.cluster, &user).await
}

#[tokio::test]
async fn what_a_load_test_owns_needs_the_right_to_its_finalizers_where_owner_references_are_checked() {
    let Some(stage) = Stage::new("owners").await else { return };
    let without = owner_with(&stage, "without", false).await;
    let with = owner_with(&stage, "with", true).await;
    let (jobs, maps) = (stage.path("jobs"), stage.path("configmaps"));
    let (job, map) = (&stage.jobs()[0], &stage.config_maps()[0]);
    for (path, object) in [(&jobs, job), (&maps, map)] {
        let words = "cannot set blockOwnerDeletion";
        assert_refused("without the right", &without.create(path, object).await, words);
        accepted("with it", with.create(path, object).await);
    }
}

#[tokio::test]
async fn an_operator_with_the_charts_rights_makes_its_objects_and_ends_a_test_whose_pods_never_start() {
    let Some(space) = Space::new("rights").await else { return };
    serve_web(&space).await;
    let kubeconfig = as_installed(&space);
    let mut operator = start(&space, &kubeconfig);
    space.cluster.create(&space.name, &load_test("test", json!([])), false).await.unwrap();
    let job = eventually("its Job is made", 60, async || {
        space.list("jobs", None).await.into_iter().next().ok_or_else(|| operator.log())
    })
    .await;
    let owner = &job["metadata"]["ownerReferences"][0];
    assert_eq!((&owner["kind"], &owner["blockOwnerDeletion"]), (&json!("LoadTest"), &json!(true)));
    space.merge("loadtests", "test", json!({"spec": {"cancel": true}})).await;
    assert_eq!(ended(&space, "test").await["reason"], "Cancelled");
    operator.assert_never_restarted();
    assert!(!operator.log().to_lowercase().contains("forbidden"), "{}", operator.log());
}

/// KEDA's resource, as far as we read it.
fn scaled_objects() -> Value {
    let anything = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let version = json!({"name": "v1alpha1", "served": true, "storage": true, "schema": {"openAPIV3Schema": anything}});
    let names = json!({"kind": "ScaledObject", "plural": "scaledobjects", "singular": "scaledobject"});
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "scaledobjects.keda.sh"},
        "spec": {"group": "keda.sh", "scope": "Namespaced", "names": names, "versions": [version]}})
}

#[tokio::test]
async fn a_target_that_keda_scales_is_refused_by_its_scaled_objects_name() {
    let Some(stage) = Stage::new("keda").await else { return };
    let space = &stage.space;
    serve_web(space).await;
    stage.workload("Deployment").await;
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    space.cluster.post(definitions, &scaled_objects()).await.unwrap();
    let scaler = json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "by-queue"},
        "spec": {"scaleTargetRef": {"name": "web"}}});
    let path = format!("/apis/keda.sh/v1alpha1/namespaces/{}/scaledobjects", space.name);
    eventually("KEDA's resource is served", 60, async || {
        space.cluster.post(&path, &scaler).await.map_err(|error| error.to_string())
    })
    .await;
    let kubeconfig = as_installed(space);
    let mut operator = start(space, &kubeconfig);
    let target = json!([{"name": "web", "workloadRef": {"name": "web"}, "replicas": 2}]);
    space.cluster.create(&space.name, &load_test("scaled", target), false).await.unwrap();
    let ready = ended(space, "scaled").await;
    assert_eq!(ready["reason"], "TargetHasAutoscaler", "{ready}");
    assert!(ready["message"].as_str().unwrap().contains("ScaledObject by-queue"), "{ready}");
    operator.assert_never_restarted();
    space.cluster.delete("customresourcedefinitions", "", "scaledobjects.keda.sh", false).await;
}
