//! The policy about targets: what the operator writes in a run is accepted, every step beyond it is refused.

use loadtest_operator::api::Instant;
use loadtest_operator::build::{Fields, claim_patch, rehearsal, release_patch, size_patch, wanted};
use serde_json::{Value, json};

use crate::actor::{accepted, assert_refused};
use crate::stage::Stage;

const CLAIM: &str = "/metadata/labels/loadtest.dev~1claim";
const UNCLAIMED: &str = "only workloads that carry its claim";
const METADATA: &str = "no label and no annotation of a target but its claim";
const SPEC: &str = "the number of its pods, when it was restarted, and resources and env of a container";
const CONTAINER: &str = "only resources and env of a container";

fn add(path: &str, value: Value) -> Value {
    json!([{"op": "add", "path": path, "value": value}])
}

/// Steps of an operator beyond its fields, on a workload that it has claimed.
fn oversteps() -> Vec<(&'static str, Value, &'static str)> {
    let pod = |field: &str, value: Value| add(&format!("/spec/template/spec/{field}"), value);
    let container = |field: &str, value: Value| add(&format!("/spec/template/spec/containers/0/{field}"), value);
    let secret = json!([{"name": "x", "secret": {"secretName": "s"}}]);
    vec![
        ("another run's claim", add(CLAIM, json!("other.1")), "may not take over a claim"),
        ("a label", add("/metadata/labels/a", json!("b")), METADATA),
        ("a label away", json!([{"op": "remove", "path": "/metadata/labels/owner"}]), METADATA),
        ("an annotation", add("/metadata/annotations/a", json!("b")), METADATA),
        ("an annotation away", json!([{"op": "remove", "path": "/metadata/annotations/example.com~1a"}]), METADATA),
        ("a finalizer", add("/metadata/finalizers", json!(["example.com/stay"])), METADATA),
        (
            "an owner",
            add("/metadata/ownerReferences", json!([{"apiVersion": "v1", "kind": "Pod", "name": "x", "uid": "y"}])),
            METADATA,
        ),
        ("history", add("/spec/revisionHistoryLimit", json!(3)), SPEC),
        ("seconds until ready", add("/spec/minReadySeconds", json!(3)), SPEC),
        ("the pods' annotations", add("/spec/template/metadata/annotations", json!({"a": "b"})), SPEC),
        ("the pods' labels", add("/spec/template/metadata/labels/a", json!("b")), SPEC),
        ("volumes", pod("volumes/-", secret[0].clone()), SPEC),
        ("a service account", pod("serviceAccountName", json!("admin")), SPEC),
        ("the token", pod("automountServiceAccountToken", json!(true)), SPEC),
        ("the host's network", pod("hostNetwork", json!(true)), SPEC),
        ("the host's processes", pod("hostPID", json!(true)), SPEC),
        ("a user", pod("securityContext/runAsUser", json!(0)), SPEC),
        ("an init container", pod("initContainers", json!([{"name": "i", "image": "x"}])), SPEC),
        ("a node", pod("nodeSelector", json!({"a": "b"})), SPEC),
        ("tolerations", pod("tolerations", json!([{"operator": "Exists"}])), SPEC),
        ("a priority", pod("priorityClassName", json!("system-node-critical")), SPEC),
        ("a grace period", pod("terminationGracePeriodSeconds", json!(1)), SPEC),
        ("host aliases", pod("hostAliases", json!([{"ip": "192.0.2.1", "hostnames": ["db"]}])), SPEC),
        ("a second container", pod("containers/-", json!({"name": "b", "image": "x"})), CONTAINER),
        ("an image", container("image", json!("evil:1")), CONTAINER),
        ("a name", container("name", json!("b")), CONTAINER),
        ("a command", container("command", json!(["sh"])), CONTAINER),
        ("arguments", container("args", json!(["other"])), CONTAINER),
        ("arguments away", json!([{"op": "remove", "path": "/spec/template/spec/containers/0/args"}]), CONTAINER),
        ("env of a Secret whole", container("envFrom", json!([{"secretRef": {"name": "s"}}])), CONTAINER),
        ("ports", container("ports/-", json!({"containerPort": 1})), CONTAINER),
        ("a mount", container("volumeMounts/-", json!({"name": "tmp", "mountPath": "/x"})), CONTAINER),
        ("a pull policy", container("imagePullPolicy", json!("Always")), CONTAINER),
        ("privileges", container("securityContext", json!({"privileged": true})), CONTAINER),
        ("a probe", container("livenessProbe", json!({"exec": {"command": ["sh"]}})), CONTAINER),
        ("a hook", container("lifecycle", json!({"preStop": {"exec": {"command": ["sh"]}}})), CONTAINER),
        ("a folder", container("workingDir", json!("/tmp")), CONTAINER),
        ("storage", container("resources/requests/ephemeral-storage", json!("9Gi")), "only CPU and memory"),
        ("devices", container("resources/limits", json!({"example.com/gpu": "1"})), "only CPU and memory"),
    ]
}

/// Without its version: the workload's controller writes the status meanwhile.
fn of_any_version(mut patch: Value) -> Value {
    assert_eq!(patch.as_array_mut().unwrap().remove(0)["path"], "/metadata/resourceVersion");
    patch
}

async fn claims_sizes_and_releases(kind: &str) {
    let Some(stage) = Stage::new(&format!("targets-{}", kind.to_lowercase())).await else { return };
    let before = stage.workload(kind).await;
    let resource = format!("{}s", kind.to_lowercase());
    stage.let_delete(&resource).await;
    let path = stage.at(&resource, "web");
    let operator = &stage.operator;
    for (what, patch) in [
        ("a size without a claim", add("/spec/replicas", json!(3))),
        ("a claim and a size in one", json!([add(CLAIM, json!("u.1"))[0], add("/spec/replicas", json!(3))[0]])),
        ("a label without a claim", add("/metadata/labels/a", json!("b"))),
    ] {
        assert_refused(what, &operator.patch(&path, &patch).await, UNCLAIMED);
    }
    let fields = wanted(&stage.spec.targets[0]);
    let names: Vec<_> = fields.keys().cloned().collect();
    let patch = claim_patch(&before, &stage.run, None, &names, Instant::from_millis(0)).unwrap();
    let both = json!([add(CLAIM, json!("u.1"))[0], add("/spec/replicas", json!(3))[0]]);
    accepted("the rehearsal", operator.patch(&format!("{path}?dryRun=All"), &both).await);
    let other = json!([add(CLAIM, json!("u.1"))[0], add("/spec/minReadySeconds", json!(3))[0]]);
    assert_refused("a wider rehearsal", &operator.patch(&format!("{path}?dryRun=All"), &other).await, SPEC);
    busy_is_rehearsed(&stage, &path, &before, &patch, &fields).await;
    accepted("the claim", operator.patch(&path, &of_any_version(patch)).await);
    for (what, patch, words) in oversteps() {
        assert_refused(what, &operator.patch(&path, &patch).await, words);
    }
    let live = accepted("reading it", operator.get(&path).await);
    let size = size_patch(&live, &fields).unwrap();
    let sized = accepted("the size", operator.patch(&path, &of_any_version(size)).await);
    assert_ne!(sized["spec"], before["spec"]);
    let release = release_patch(&sized).unwrap();
    let live = accepted("the release", operator.patch(&path, &of_any_version(release.patch)).await);
    assert_eq!(live["spec"], before["spec"]);
    assert_eq!(live["metadata"]["labels"], before["metadata"]["labels"]);
    assert_refused("a size afterwards", &operator.patch(&path, &add("/spec/replicas", json!(3))).await, UNCLAIMED);
}

/// While another test has the workload, a size is rehearsed under that one's claim.
async fn busy_is_rehearsed(stage: &Stage, path: &str, before: &Value, claim: &Value, fields: &Fields) {
    let mut claimed = before.clone();
    json_patch::patch(&mut claimed, &serde_json::from_value::<json_patch::Patch>(claim.clone()).unwrap()).unwrap();
    let size = size_patch(&claimed, fields).unwrap();
    let admin = &stage.space;
    let name = if path.contains("/deployments/") { "deployments" } else { "statefulsets" };
    admin.merge(name, "web", json!({"metadata": {"labels": {"loadtest.dev/claim": "another.7"}}})).await;
    let mut busy = before.clone();
    busy["metadata"]["labels"]["loadtest.dev/claim"] = json!("another.7");
    let mut patch = rehearsal(&busy, claim, &size);
    patch.as_array_mut().unwrap().retain(|step| step["path"] != "/metadata/resourceVersion");
    accepted("a busy one's rehearsal", stage.operator.patch(&format!("{path}?dryRun=All"), &patch).await);
    let taken = stage.operator.patch(&format!("{path}?dryRun=All"), &add(CLAIM, json!("own.1"))).await;
    assert_refused("taking it over", &taken, "may not take over a claim");
    admin.merge(name, "web", json!({"metadata": {"labels": {"loadtest.dev/claim": null}}})).await;
}

#[tokio::test]
async fn a_deployment_is_claimed_sized_and_released_and_nothing_else_of_it_is_changed() {
    claims_sizes_and_releases("Deployment").await;
}

#[tokio::test]
async fn a_stateful_set_is_claimed_sized_and_released_and_nothing_else_of_it_is_changed() {
    claims_sizes_and_releases("StatefulSet").await;
}
