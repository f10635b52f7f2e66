//! What the pods of generators and observer have in common: no token, no identity, restricted, one container.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::names::{OBSERVE, RunName};
use crate::api::{Action, LoadTestSpec, Pods, Tls};
use crate::plan::{PLAN_SHA256_ENV, POSTGRES_URL_ENV, ca_file, client_certificate_directory, uses, var_env};

/// Annotation on a generator pod: the granted start, RFC 3339; never changed.
pub const START_AT: &str = "loadtest.dev/start-at";
/// Annotation beside it: no request is open after this, RFC 3339.
pub const HARD_END_AT: &str = "loadtest.dev/hard-end-at";
/// Annotation beside it: the controller's clock when it wrote them, so that a pod's skew shows.
pub const GRANTED_AT: &str = "loadtest.dev/granted-at";
/// Annotation on a generator pod: stop now.
pub const STOP_AT: &str = "loadtest.dev/stop-at";
/// Annotation on the observer's pod: the row it is in, as JSON.
pub const OBSERVED_ROW: &str = "loadtest.dev/row";
/// Annotation beside it: how often it was told that.
pub const TOLD: &str = "loadtest.dev/told";

/// What a pod is made from beside the plan.
#[derive(Clone, Debug)]
pub struct PodContext<'a> {
    pub run: &'a RunName,
    pub image: &'a str,
    pub spec: &'a LoadTestSpec,
    /// Labels that the targets' pods carry: their nodes are avoided where they can be.
    pub avoid: &'a [BTreeMap<String, String>],
}

/// How an agent's pod differs from the other's.
pub(super) struct Agent<'a> {
    pub command: &'a str,
    pub part: String,
    pub plan: String,
    /// The plan's SHA-256, in hexadecimal.
    pub digest: String,
    pub seconds: u64,
    pub resources: Value,
    pub annotations: BTreeMap<String, String>,
    /// What it does, when it is the pod of an act.
    pub action: Option<&'a Action>,
}

/// In hexadecimal.
pub(super) fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The pod template of an agent.
pub(super) fn template(context: &PodContext<'_>, agent: &Agent<'_>) -> Value {
    let pods = context.spec.pods.clone().unwrap_or_default();
    let mut labels = pods.labels.iter().map(|(k, v)| (k.clone(), v.0.clone())).collect::<BTreeMap<_, _>>();
    labels.extend(context.run.labels(&agent.part));
    let mut annotations = pods.annotations.iter().map(|(k, v)| (k.clone(), v.0.clone())).collect::<BTreeMap<_, _>>();
    annotations.extend(agent.annotations.clone());
    let mut spec = json!({
        "restartPolicy": "Never",
        "activeDeadlineSeconds": agent.seconds,
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": 20,
        "securityContext": {
            "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container(context, agent)],
        "volumes": volumes(context.spec, agent),
    });
    placement(&mut spec, &pods, context.avoid);
    json!({"metadata": {"labels": labels, "annotations": annotations}, "spec": spec})
}

fn container(context: &PodContext<'_>, agent: &Agent<'_>) -> Value {
    let mut mounts = vec![
        json!({"name": "plan", "mountPath": "/plan", "readOnly": true}),
        json!({"name": "podinfo", "mountPath": "/etc/podinfo", "readOnly": true}),
        json!({"name": "state", "mountPath": "/state"}),
    ];
    for (index, (config_map, _)) in config_maps(context.spec, agent).iter().enumerate() {
        let directory = ca_file(config_map, "");
        mounts.push(
            json!({"name": format!("ca-{index}"), "mountPath": directory.trim_end_matches('/'), "readOnly": true}),
        );
    }
    for (index, secret) in certificates(context.spec, agent).iter().enumerate() {
        let directory = client_certificate_directory(secret);
        mounts.push(json!({"name": format!("tls-{index}"), "mountPath": directory, "readOnly": true}));
    }
    let mut container = json!({
        "name": agent.command,
        "image": context.image,
        "args": [agent.command],
        "env": env(context.spec, agent),
        "resources": agent.resources,
        "volumeMounts": mounts,
        "terminationMessagePolicy": "File",
        "securityContext": {
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
        },
    });
    if agent.action.is_none() {
        // The arming state: a pod is started once it could fire.
        container["startupProbe"] = json!({"exec": {"command": ["/loadtest", "agent-ready"]}, "periodSeconds": 1,
            "timeoutSeconds": 5, "failureThreshold": 600});
    }
    container
}

/// Secrets come as environment from their Secret; the operator only names them. The pod of an act gets those that it names.
fn env(spec: &LoadTestSpec, agent: &Agent<'_>) -> Vec<Value> {
    let wants = |name: &str| agent.action.is_none_or(|action| uses(action, name));
    let secret = |name: String, key: &crate::api::SecretKeyRef| json!({"name": name, "valueFrom": {"secretKeyRef": {"name": key.name.0, "key": key.key.0}}});
    let mut env: Vec<Value> = spec
        .vars
        .iter()
        .enumerate()
        .filter(|(_, var)| wants(&var.name))
        .filter_map(|(i, var)| {
            let from = var.value_from.as_ref()?;
            let plain = |key: &crate::api::ConfigMapKeyRef| {
                json!({"name": var_env(i), "valueFrom": {"configMapKeyRef": {"name": key.name.0, "key": key.key.0}}})
            };
            let secret = from.secret_key_ref.as_ref().map(|key| secret(var_env(i), key));
            secret.or_else(|| from.config_map_key_ref.as_ref().map(plain))
        })
        .collect();
    let postgres = spec.database.as_ref().and_then(|d| d.postgres.as_ref());
    let asks = agent.action.map_or(agent.command == OBSERVE, |action| action.sql.is_some());
    if let (Some(postgres), true) = (postgres, asks) {
        env.push(secret(POSTGRES_URL_ENV.into(), &postgres.url_from.secret_key_ref));
    }
    env.push(json!({"name": PLAN_SHA256_ENV, "value": agent.digest}));
    env
}

fn volumes(spec: &LoadTestSpec, agent: &Agent<'_>) -> Vec<Value> {
    let annotations = json!({"path": "annotations", "fieldRef": {"fieldPath": "metadata.annotations"}});
    let mut volumes = vec![
        json!({"name": "plan", "configMap": {"name": agent.plan}}),
        json!({"name": "podinfo", "downwardAPI": {"items": [annotations]}}),
        json!({"name": "state", "emptyDir": {"sizeLimit": "16Mi"}}),
    ];
    for (index, (config_map, keys)) in config_maps(spec, agent).iter().enumerate() {
        let items: Vec<_> = keys.iter().map(|key| json!({"key": key, "path": key})).collect();
        volumes.push(json!({"name": format!("ca-{index}"), "configMap": {"name": config_map, "items": items}}));
    }
    for (index, secret) in certificates(spec, agent).iter().enumerate() {
        // Optional: the agent says at once what is missing, where the kubelet would wait for it.
        let items = ["tls.crt", "tls.key"].map(|key| json!({"key": key, "path": key}));
        let source = json!({"secretName": secret, "optional": true, "defaultMode": 0o440, "items": items});
        volumes.push(json!({"name": format!("tls-{index}"), "secret": source}));
    }
    volumes
}

/// ConfigMaps with CA certificates and files to upload, each with the keys that are used; an act needs none of them.
fn config_maps(spec: &LoadTestSpec, agent: &Agent<'_>) -> BTreeMap<String, Vec<String>> {
    if agent.action.is_some() {
        return BTreeMap::new();
    }
    let of = |tls: &Option<Tls>| tls.as_ref().and_then(|t| t.ca_from.clone()).map(|ca| ca.config_map_key_ref);
    let loads = spec.loads.iter().filter_map(|load| of(&load.tls));
    let measurements = spec.measurements.iter().filter_map(|m| of(&m.http.as_ref()?.tls));
    let steps = spec.loads.iter().flat_map(|load| &load.steps);
    let uploads = steps.flat_map(|step| &step.upload).filter_map(|part| part.config_map_key_ref.clone());
    let mut maps = BTreeMap::<String, Vec<String>>::new();
    for key in loads.chain(measurements).chain(uploads) {
        let keys = maps.entry(key.name.0).or_default();
        if !keys.contains(&key.key.0) {
            keys.push(key.key.0);
        }
    }
    maps
}

/// Secrets with the client certificates of this agent: the generators' are those of loads, the observer's those of measurements.
fn certificates(spec: &LoadTestSpec, agent: &Agent<'_>) -> BTreeSet<String> {
    let of = |tls: &Option<Tls>| Some(tls.as_ref()?.client_certificate_from.as_ref()?.secret_ref.name.0.clone());
    match (agent.action, agent.command) {
        (Some(_), _) => BTreeSet::new(),
        (None, OBSERVE) => spec.measurements.iter().filter_map(|m| of(&m.http.as_ref()?.tls)).collect(),
        (None, _) => spec.loads.iter().filter_map(|load| of(&load.tls)).collect(),
    }
}

/// Where the pods run, and as whom.
fn placement(spec: &mut Value, pods: &Pods, avoid: &[BTreeMap<String, String>]) {
    let set = |spec: &mut Value, key: &str, value: Value| spec[key] = value;
    if !pods.node_selector.is_empty() {
        set(spec, "nodeSelector", pods.node_selector.iter().map(|(k, v)| (k.clone(), json!(v.0))).collect());
    }
    if !pods.tolerations.is_empty() {
        set(spec, "tolerations", json!(pods.tolerations));
    }
    if let Some(account) = &pods.service_account_name {
        set(spec, "serviceAccountName", json!(account.0));
    }
    if !pods.image_pull_secrets.is_empty() {
        set(spec, "imagePullSecrets", json!(pods.image_pull_secrets));
    }
    if let Some(class) = &pods.priority_class_name {
        set(spec, "priorityClassName", json!(class.0));
    }
    let terms: Vec<Value> = avoid
        .iter()
        .filter(|labels| !labels.is_empty())
        .map(|labels| {
            json!({"weight": 100, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": labels}}})
        })
        .collect();
    if !terms.is_empty() {
        set(spec, "affinity", json!({"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": terms}}));
    }
}
