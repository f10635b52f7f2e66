//! What matters about a pod: who it is, whether it serves, what it really has, how often it restarted.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod, ResourceRequirements};
use sha2::{Digest, Sha256};

/// One pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodFact {
    pub name: String,
    pub uid: String,
    /// uid of the ReplicaSet or StatefulSet that controls it.
    pub owner_uid: Option<String>,
    /// Label `controller-revision-hash`.
    pub revision: Option<String>,
    pub node: Option<String>,
    pub ips: Vec<String>,
    /// Condition Ready is True.
    pub ready: bool,
    /// Its deletion was asked for.
    pub terminating: bool,
    /// Phase Succeeded or Failed: it neither serves nor comes back.
    pub ended: bool,
    /// Restarts of all its containers, init containers and sidecars included.
    pub restarts: i32,
    /// Each container's restarts, and whether the last end of it was out of memory.
    pub containers: Vec<ContainerFact>,
    /// What the wanted container has by its status (after a resize in place), else by its spec.
    pub resources: Resources,
    /// False when it has no container of the wanted name.
    pub has_container: bool,
    /// What keeps it from being ready, in words.
    pub trouble: Option<String>,
}

/// One container of a pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerFact {
    pub name: String,
    /// What really runs.
    pub image_id: String,
    pub restarts: i32,
    /// The last end that is known was by OOMKilled.
    pub out_of_memory: bool,
}

/// Requests and limits, as written in the object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resources {
    pub cpu_request: Option<String>,
    pub cpu_limit: Option<String>,
    pub memory_request: Option<String>,
    pub memory_limit: Option<String>,
}

impl PodFact {
    /// Reads a pod. `container` is the one that was given a size; none: the only one, or the first.
    pub fn of(pod: &Pod, container: Option<&str>) -> Self {
        let meta = &pod.metadata;
        let status = pod.status.clone().unwrap_or_default();
        let spec = pod.spec.as_ref();
        let named = |name: &str| container.is_none_or(|c| c == name);
        let wanted = spec.and_then(|s| s.containers.iter().find(|c| named(&c.name)));
        let statuses: Vec<_> =
            status.init_container_statuses.iter().chain(&status.container_statuses).flatten().collect();
        let observed = wanted.and_then(|w| statuses.iter().find(|s| s.name == w.name)?.resources.as_ref());
        let owner = meta.owner_references.iter().flatten().find(|o| o.controller == Some(true));
        Self {
            name: meta.name.clone().unwrap_or_default(),
            uid: meta.uid.clone().unwrap_or_default(),
            owner_uid: owner.map(|o| o.uid.clone()),
            revision: meta.labels.as_ref().and_then(|l| l.get("controller-revision-hash")).cloned(),
            node: spec.and_then(|s| s.node_name.clone()),
            ips: status.pod_ips.iter().flatten().map(|i| i.ip.clone()).chain(status.pod_ip.clone()).fold(vec![], once),
            ready: condition(pod, "Ready").is_some_and(|c| c.0 == "True"),
            terminating: meta.deletion_timestamp.is_some(),
            ended: matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")),
            restarts: statuses.iter().map(|s| s.restart_count).sum(),
            containers: statuses.iter().map(|s| ContainerFact::of(s)).collect(),
            resources: Resources::of(observed.or_else(|| wanted?.resources.as_ref())),
            has_container: wanted.is_some(),
            trouble: trouble(pod, &statuses),
        }
    }
}

impl ContainerFact {
    fn of(status: &ContainerStatus) -> Self {
        let killed =
            [&status.state, &status.last_state].into_iter().flatten().filter_map(|s| s.terminated.as_ref()).next();
        Self {
            name: status.name.clone(),
            image_id: status.image_id.clone(),
            restarts: status.restart_count,
            out_of_memory: killed.is_some_and(|t| t.reason.as_deref() == Some("OOMKilled")),
        }
    }
}

impl Resources {
    fn of(resources: Option<&ResourceRequirements>) -> Self {
        let request = |name| Some(resources?.requests.as_ref()?.get(name)?.0.clone());
        let limit = |name| Some(resources?.limits.as_ref()?.get(name)?.0.clone());
        Self {
            cpu_request: request("cpu"),
            cpu_limit: limit("cpu"),
            memory_request: request("memory"),
            memory_limit: limit("memory"),
        }
    }
}

/// Digest of the uids and restart counts of the pods that have not ended: equal digests at the start and at the end of
/// a load mean that no pod was replaced and no container restarted. SHA-256 in hex of the sorted `uid:restarts`, one a line.
pub fn digest(pods: &[PodFact]) -> String {
    let mut lines: Vec<_> = pods.iter().filter(|p| !p.ended).map(|p| format!("{}:{}\n", p.uid, p.restarts)).collect();
    lines.sort();
    Sha256::digest(lines.concat()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn once(mut seen: Vec<String>, next: String) -> Vec<String> {
    if !seen.contains(&next) {
        seen.push(next);
    }
    seen
}

/// Status and message of a condition.
fn condition<'a>(pod: &'a Pod, kind: &str) -> Option<(&'a str, Option<&'a str>)> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|c| c.type_ == kind).map(|c| (c.status.as_str(), c.message.as_deref()))
}

/// Why a pod isn't ready, from the states of its containers, else from the scheduler.
fn trouble(pod: &Pod, statuses: &[&ContainerStatus]) -> Option<String> {
    let waiting = statuses.iter().find_map(|s| {
        let waiting = s.state.as_ref()?.waiting.as_ref()?;
        let reason = waiting.reason.as_deref().filter(|r| !matches!(*r, "ContainerCreating" | "PodInitializing"))?;
        let ended = s.last_state.as_ref().and_then(|l| l.terminated.as_ref());
        let message = match ended {
            Some(end) => format!("last exit code {}, {}", end.exit_code, end.reason.as_deref().unwrap_or("no reason")),
            None => waiting.message.clone().unwrap_or_default(),
        };
        Some(format!("container {}: {reason} {}", s.name, short(&message)).trim_end().to_owned())
    });
    let unscheduled = || match condition(pod, "PodScheduled") {
        Some(("False", message)) => Some(format!("not scheduled: {}", short(message.unwrap_or("no node fits")))),
        _ => None,
    };
    waiting.or_else(unscheduled)
}

fn short(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(changes: Value) -> Pod {
        let mut value = json!({
            "metadata": {"name": "api-1", "uid": "u1", "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "api", "uid": "rs", "controller": true}]},
            "spec": {"nodeName": "n1", "containers": [
                {"name": "side"},
                {"name": "api", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}}]},
            "status": {"phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}],
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [{"name": "api", "image": "i", "imageID": "sha256:1", "ready": true, "restartCount": 2}]}
        });
        merge(&mut value, changes);
        serde_json::from_value(value).unwrap()
    }

    fn merge(into: &mut Value, from: Value) {
        match (into, from) {
            (Value::Object(into), Value::Object(from)) => {
                from.into_iter().for_each(|(key, value)| merge(into.entry(key).or_insert(Value::Null), value));
            }
            (into, from) => *into = from,
        }
    }

    #[test]
    fn a_pod_says_who_it_is_and_what_its_container_has() {
        let fact = PodFact::of(&pod(json!({})), Some("api"));
        assert_eq!(
            (fact.uid.as_str(), fact.owner_uid.as_deref(), fact.node.as_deref()),
            ("u1", Some("rs"), Some("n1"))
        );
        assert!(fact.ready && !fact.terminating && !fact.ended && fact.has_container);
        assert_eq!(fact.resources.cpu_limit.as_deref(), Some("1"));
        assert_eq!(fact.resources.memory_request, None);
        assert_eq!((fact.restarts, fact.ips.len(), fact.trouble), (2, 1, None));
    }

    #[test]
    fn resources_after_a_resize_in_place_are_those_of_the_status() {
        let resized = json!({"status": {"containerStatuses": [{"name": "api", "image": "i", "imageID": "", "ready": true,
            "restartCount": 0, "resources": {"limits": {"cpu": "2"}}}]}});
        assert_eq!(PodFact::of(&pod(resized), Some("api")).resources.cpu_limit.as_deref(), Some("2"));
    }

    #[test]
    fn the_digest_changes_with_a_uid_or_a_restart_but_not_with_the_order() {
        let fact = |uid: &str, restarts| PodFact { uid: uid.into(), restarts, ..PodFact::default() };
        let base = digest(&[fact("a", 0), fact("b", 1)]);
        assert_eq!(base, digest(&[fact("b", 1), fact("a", 0)]));
        assert_ne!(base, digest(&[fact("a", 0), fact("b", 2)]));
        assert_ne!(base, digest(&[fact("a", 0), fact("c", 1)]));
        assert_eq!(base.len(), 64);
    }

    #[test]
    fn an_image_that_cannot_be_pulled_is_said() {
        let state = json!({"status": {"containerStatuses": [{"name": "api", "image": "i", "imageID": "", "ready": false,
            "restartCount": 0, "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}]}});
        let trouble = PodFact::of(&pod(state), Some("api")).trouble;
        assert_eq!(trouble.as_deref(), Some("container api: ImagePullBackOff no such image"));
    }

    #[test]
    fn a_container_that_crashes_says_how_it_ended() {
        let state = json!({"status": {"containerStatuses": [{"name": "api", "image": "i", "imageID": "", "ready": false,
            "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
            "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]}});
        let fact = PodFact::of(&pod(state), Some("api"));
        assert_eq!(fact.trouble.as_deref(), Some("container api: CrashLoopBackOff last exit code 137, OOMKilled"));
        assert!(fact.containers[0].out_of_memory);
    }

    #[test]
    fn a_pod_without_the_wanted_container_says_so() {
        assert!(!PodFact::of(&pod(json!({})), Some("worker")).has_container);
    }
}
