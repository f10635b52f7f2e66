//! What a cluster's own admission may do to the agents' pods on their way.

use serde_json::{Value, json};

use crate::space::Space;
use crate::wait::{PATIENCE, eventually};

/// An environment variable that gives a cloud identity, as a CEL value.
pub const IDENTITY: &str = r#"Object.spec.containers.env{name: "AWS_ROLE_ARN", value: "arn:aws:iam::1:role/canary"}"#;

/// While it lives, each generator's and observer's pod of the namespace is changed when it is made.
pub struct ChangedPods<'a>(&'a Space);

impl<'a> ChangedPods<'a> {
    /// Begins with it, and waits until it acts: `op` and `path` of a JSON patch; `value` a string, or a CEL value.
    pub async fn begin(space: &'a Space, op: &str, path: &str, value: &str) -> Self {
        let value = if value.starts_with("Object.") { value.to_owned() } else { format!("{value:?}") };
        let (name, api) = (&space.name, "admissionregistration.k8s.io/v1");
        let chosen = json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}, "resourceRules":
            [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]});
        let patch = format!(r#"[JSONPatch{{op: "{op}", path: "{path}", value: {value}}}]"#);
        let agents = "has(object.metadata.labels) && 'loadtest.dev/run' in object.metadata.labels";
        let policy = json!({"apiVersion": api, "kind": "MutatingAdmissionPolicy", "metadata": {"name": name}, "spec": {
            "matchConstraints": chosen, "failurePolicy": "Fail", "reinvocationPolicy": "Never",
            "matchConditions": [{"name": "agents", "expression": agents}],
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": patch}}]}});
        let binding = json!({"apiVersion": api, "kind": "MutatingAdmissionPolicyBinding", "metadata": {"name": name},
            "spec": {"policyName": name}});
        let changed = Self(space);
        for object in [policy, binding] {
            space.cluster.create("", &object, false).await.unwrap();
        }
        let probe = probe();
        eventually("the policy acts", PATIENCE, async || {
            let made = space.cluster.create(name, &probe, true).await.map_err(|error| error.to_string())?;
            let container =
                |pod: &Value| json!([pod["spec"]["containers"][0]["image"], pod["spec"]["containers"][0]["env"]]);
            if container(&made) != container(&probe) { Ok(()) } else { Err(container(&made).to_string()) }
        })
        .await;
        changed
    }
}

/// A pod that is admitted as restricted, labelled like an agent's.
fn probe() -> Value {
    let hardened = json!({"allowPrivilegeEscalation": false, "runAsNonRoot": true, "runAsUser": 1,
        "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}});
    let container = json!({"name": "probe", "image": "dev.local/busybox:1", "securityContext": hardened,
        "env": [{"name": "A", "value": "b"}]});
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe", "labels": {"loadtest.dev/run": "x"}},
        "spec": {"containers": [container]}})
}

impl Drop for ChangedPods<'_> {
    fn drop(&mut self) {
        for resource in ["mutatingadmissionpolicybindings", "mutatingadmissionpolicies"] {
            let _ = self.0.cluster.kubectl(&["delete", resource, &self.0.name, "--ignore-not-found"]);
        }
    }
}

/// Where the agents run, a pod that is not restricted is refused: that they run there proves that they are.
pub async fn assert_restricted(space: &Space) {
    for (what, context) in
        [("privileges", json!({"privileged": true})), ("root", json!({"runAsUser": 0})), ("nothing said", json!({}))]
    {
        let mut pod = probe();
        pod["spec"]["containers"][0]["securityContext"] = context;
        let refused = space.cluster.create(&space.name, &pod, true).await.map_err(|error| error.to_string());
        let error = refused.expect_err(what);
        assert!(error.contains("violates PodSecurity \"restricted"), "{what}: {error}");
    }
    space.cluster.create(&space.name, &probe(), true).await.expect("a restricted pod");
}
