//! The Deployment controller: ReplicaSets, pods, counts, and the EndpointSlice of each Service.

use serde_json::{Value, json};

use super::What;
use super::ways::Rollouts;
use crate::fake::World;
use crate::fake::store::{Key, key, owned_by, seconds, text};

const REVISION: &str = "deployment.kubernetes.io/revision";
const NODE: &str = "node-1";

/// One stage of a rollout: new pods are made, are ready, old ones are gone. A newer generation has a rollout of its own.
pub fn step(world: &mut World, at: &Key, generation: i64, stage: u8) {
    let Some(deployment) = world.store.get(at).cloned() else { return };
    if deployment["metadata"]["generation"] != generation {
        return;
    }
    let now = world.store.now;
    let next = |world: &mut World, after, stage| {
        world.cluster.plan(now + after, What::Rollout { at: at.clone(), generation, stage });
    };
    match (stage, world.cluster.ways.rollouts) {
        (0, _) => {
            let set = newest(world, at, &deployment);
            scale(world, &deployment, &set);
            next(world, 1_500, 1);
        }
        (1, Rollouts::Come | Rollouts::Linger | Rollouts::Starve) => {
            become_ready(world, &deployment);
            next(world, 1_000, 2);
        }
        (1, Rollouts::Fail) => next(world, 20_000, 3),
        (1, Rollouts::Stick) => {}
        (2, _) => clear(world, at),
        _ => return late(world, at),
    }
    count(world, at, generation);
}

/// A pod was deleted: the Deployment that it belonged to gets another one.
pub fn pod_gone(world: &mut World, pod: Option<&Value>) {
    let Some(pod) = pod.filter(|pod| pod["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet") else { return };
    let at = key("deployments", text(pod, "/metadata/namespace"), text(pod, "/metadata/labels/app"));
    let generation = world.store.get(&at).and_then(|found| found["metadata"]["generation"].as_i64());
    if let Some(generation) = generation {
        world.cluster.plan(world.store.now + 100, What::Rollout { at, generation, stage: 0 });
    }
}

/// The ReplicaSet of the Deployment's template; its revision becomes the highest.
fn newest(world: &mut World, at: &Key, deployment: &Value) -> Key {
    let uid = &deployment["metadata"]["uid"];
    let own: Vec<Value> = sets(world, uid);
    let highest = own.iter().map(revision).max().unwrap_or(0);
    let same = own.iter().find(|set| set["spec"]["template"] == deployment["spec"]["template"]);
    let (set, number) = match same {
        Some(set) if revision(set) == highest => (key("replicasets", &at.1, text(set, "/metadata/name")), highest),
        Some(set) => (key("replicasets", &at.1, text(set, "/metadata/name")), highest + 1),
        None => {
            let name = key("replicasets", &at.1, &format!("{}-{}", at.2, highest + 1));
            let set = json!({"metadata": {"ownerReferences": owned_by("Deployment", "apps/v1", deployment),
                "labels": deployment["spec"]["template"]["metadata"]["labels"], "annotations": {}},
                "spec": {"template": deployment["spec"]["template"], "selector": deployment["spec"]["selector"]}});
            world.store.create(&name, set);
            (name, highest + 1)
        }
    };
    for at in [&set, at] {
        world.store.edit(at, |object| {
            if !object["metadata"]["annotations"].is_object() {
                object["metadata"]["annotations"] = json!({});
            }
            object["metadata"]["annotations"][REVISION] = number.to_string().into();
        });
    }
    set
}

fn revision(set: &Value) -> usize {
    set["metadata"]["annotations"][REVISION].as_str().and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn sets(world: &World, owner: &Value) -> Vec<Value> {
    let own = |set: &&Value| set["metadata"]["ownerReferences"][0]["uid"] == *owner;
    world.store.list("replicasets", "").filter(own).cloned().collect()
}

/// Pods of a ReplicaSet.
fn pods_of(world: &World, set: &Value) -> Vec<Value> {
    let own = |pod: &&Value| pod["metadata"]["ownerReferences"][0]["uid"] == set["metadata"]["uid"];
    world.store.list("pods", "").filter(own).cloned().collect()
}

/// Makes the pods that are missing in the newest set.
fn scale(world: &mut World, deployment: &Value, set: &Key) {
    let wanted = replicas(deployment);
    let Some(set) = world.store.get(set).cloned() else { return };
    let there = pods_of(world, &set).iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null()).count();
    for _ in there..wanted {
        let template = &set["spec"]["template"];
        let name = format!("{}-{}", text(&set, "/metadata/name"), world.store.version());
        let at = key("pods", text(&set, "/metadata/namespace"), &name);
        let mut spec = template["spec"].clone();
        spec["nodeName"] = NODE.into();
        let pod = json!({"metadata": {"labels": template["metadata"]["labels"],
            "ownerReferences": owned_by("ReplicaSet", "apps/v1", &set)}, "spec": spec, "status": status(&spec, false)});
        world.store.create(&at, pod);
    }
}

fn replicas(deployment: &Value) -> usize {
    deployment["spec"]["replicas"].as_u64().map_or(1, |n| usize::try_from(n).expect("a small number"))
}

fn status(spec: &Value, ready: bool) -> Value {
    let container = |container: &Value| {
        json!({"name": container["name"], "image": container["image"], "imageID": "sha256:app", "ready": ready,
            "started": true, "restartCount": 0, "state": {"running": {"startedAt": seconds(crate::fake::EPOCH)}}})
    };
    let containers: Vec<Value> = spec["containers"].as_array().into_iter().flatten().map(container).collect();
    let word = if ready { "True" } else { "False" };
    json!({"phase": "Running", "podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": word}],
        "containerStatuses": containers})
}

/// The newest set's pods are ready; all others, and those that are too many, begin to go.
fn become_ready(world: &mut World, deployment: &Value) {
    let mut sets = sets(world, &deployment["metadata"]["uid"]);
    sets.sort_by_key(|set| std::cmp::Reverse(revision(set)));
    for (n, set) in sets.iter().enumerate() {
        let keep = if n == 0 { replicas(deployment) } else { 0 };
        for (i, pod) in pods_of(world, set).iter().enumerate() {
            let at = key("pods", text(pod, "/metadata/namespace"), text(pod, "/metadata/name"));
            let (now, rollouts) = (seconds(world.store.now), world.cluster.ways.rollouts);
            world.store.edit(&at, |pod| match i < keep {
                true => {
                    pod["status"] = status(&pod["spec"], true);
                    if rollouts == Rollouts::Starve {
                        let mut has = pod["spec"]["containers"][0]["resources"].clone();
                        has["limits"]["cpu"] = "100m".into();
                        pod["status"]["containerStatuses"][0]["resources"] = has;
                    }
                }
                false if rollouts == Rollouts::Linger => {}
                false => pod["metadata"]["deletionTimestamp"] = now.into(),
            });
        }
    }
}

/// Pods that were going are gone.
fn clear(world: &mut World, at: &Key) {
    let going =
        |pod: &&Value| !pod["metadata"]["deletionTimestamp"].is_null() && text(pod, "/metadata/labels/app") == at.2;
    let gone: Vec<String> =
        world.store.list("pods", &at.1).filter(going).map(|pod| text(pod, "/metadata/name").to_owned()).collect();
    for name in gone {
        world.store.remove(&key("pods", &at.1, &name));
    }
}

fn late(world: &mut World, at: &Key) {
    let condition = json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
        "message": "the rollout has timed out progressing"}]);
    world.store.edit(at, |deployment| deployment["status"]["conditions"] = condition);
}

/// The status of the Deployment, and what its Service names.
fn count(world: &mut World, at: &Key, generation: i64) {
    let Some(deployment) = world.store.get(at).cloned() else { return };
    let mut sets = sets(world, &deployment["metadata"]["uid"]);
    sets.sort_by_key(|set| std::cmp::Reverse(revision(set)));
    let all: Vec<(usize, Value)> =
        sets.iter().enumerate().flat_map(|(n, set)| pods_of(world, set).into_iter().map(move |pod| (n, pod))).collect();
    let live = all.iter().filter(|(_, pod)| pod["metadata"]["deletionTimestamp"].is_null());
    let ready: Vec<&(usize, Value)> =
        live.clone().filter(|(_, pod)| pod["status"]["conditions"][0]["status"] == "True").collect();
    let status = json!({"observedGeneration": generation, "replicas": live.clone().count(),
        "updatedReplicas": live.filter(|(n, _)| *n == 0).count(),
        "readyReplicas": ready.len(), "availableReplicas": ready.len()});
    let endpoints: Vec<Value> = ready
        .iter()
        .map(|(_, pod)| {
            json!({"addresses": ["10.0.0.1"], "conditions": {"ready": true},
            "targetRef": {"kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}})
        })
        .collect();
    world.store.edit(at, |deployment| deployment["status"] = status);
    let stale = world.cluster.ways.stale_endpoints;
    world.store.edit(&key("endpointslices", &at.1, &at.2), |slice| {
        let old = slice["endpoints"].as_array().filter(|_| stale).cloned().unwrap_or_default();
        let gone = old.into_iter().filter(|old| !endpoints.iter().any(|new| new["targetRef"] == old["targetRef"]));
        slice["endpoints"] = endpoints.iter().cloned().chain(gone).collect();
    });
}

/// A Deployment with a Service of its name, rolled out.
pub fn deploy(world: &mut World, namespace: &str, name: &str, replicas: u32, resources: Value) {
    let labels = json!({"app": name});
    let at = key("deployments", namespace, name);
    let container = json!({"name": name, "image": "app:1", "resources": resources,
        "env": [{"name": "KEEP", "value": "me"}]});
    let spec = json!({"replicas": replicas, "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}});
    world.store.create(&at, json!({"metadata": {"annotations": {"team": "a"}}, "spec": spec}));
    let service = json!({"spec": {"selector": labels, "ports": [{"port": 8080}], "type": "ClusterIP"}});
    world.store.create(&key("services", namespace, name), service);
    let slice = json!({"metadata": {"labels": {"kubernetes.io/service-name": name}}, "addressType": "IPv4",
        "endpoints": []});
    world.store.create(&key("endpointslices", namespace, name), slice);
    for stage in 0..=2 {
        step(world, &at, 1, stage);
    }
    world.cluster.forget_rollout(&at);
}
