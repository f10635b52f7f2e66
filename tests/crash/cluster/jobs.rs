//! The Job controller: one pod an index, never made again; pods whose Job is gone end.

use serde_json::{Value, json};

use super::process::{Doing, Process};
use super::ways::Pods;
use super::{What, acts};
use crate::fake::World;
use crate::fake::store::{Key, key, owned_by, seconds, text};
use loadtest_operator::build::{OBSERVE, ROW_LABEL, RUN_LABEL};
use loadtest_operator::plan::GeneratorInput;

/// Annotation with a pod's completion index.
const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// It is new, or was let go.
pub fn starts(job: &Value, old: Option<&Value>) -> bool {
    let held = |job: &Value| job["spec"]["suspend"] == true;
    !held(job) && old.is_none_or(held)
}

/// Makes a Job's pods.
pub fn make_pods(world: &mut World, at: &Key) {
    let Some(job) = world.store.get(at).cloned() else { return };
    let way = match text(&job, "/metadata/labels/loadtest.dev~1row") {
        OBSERVE => world.cluster.ways.observer,
        part if part.contains("act") => world.cluster.ways.acts,
        _ => world.cluster.ways.generators,
    };
    if way == Pods::NotMade {
        let event = json!({"reason": "FailedCreate", "message": "exceeded quota: small, requested: pods=2, limited: pods=1",
            "involvedObject": {"kind": "Job", "name": at.2}});
        world.store.create(&key("events", &at.1, &format!("{}-failed", at.2)), event);
        return;
    }
    let count = job["spec"]["completions"].as_u64().unwrap_or(1);
    for index in 0..count {
        make_pod(world, &job, u32::try_from(index).expect("a small number"), way);
    }
}

/// One pod of an index.
pub fn make_pod(world: &mut World, job: &Value, index: u32, way: Pods) {
    let (namespace, job_name) = (text(job, "/metadata/namespace"), text(job, "/metadata/name"));
    let template = &job["spec"]["template"];
    let mut annotations = template["metadata"]["annotations"].clone();
    if !annotations.is_object() {
        annotations = json!({});
    }
    annotations[INDEX] = index.to_string().into();
    let at = key("pods", namespace, &format!("{job_name}-{index}-{}", world.store.version()));
    let mut spec = template["spec"].clone();
    if way != Pods::NoRoom {
        spec["nodeName"] = "node-2".into();
    }
    let mut labels = template["metadata"]["labels"].clone();
    if !labels.is_object() {
        labels = json!({});
    }
    labels["batch.kubernetes.io/controller-uid"] = job["metadata"]["uid"].clone();
    let pod = json!({"metadata": {"labels": labels, "annotations": annotations,
        "ownerReferences": owned_by("Job", "batch/v1", job)}, "spec": spec, "status": pending(&spec, way)});
    let Some(pod) = world.store.create(&at, pod) else { return };
    let plan = key("configmaps", namespace, &format!("{job_name}-plan"));
    let plan = world.store.get(&plan).map(|map| text(map, "/data/plan.json").to_owned()).unwrap_or_default();
    let input = serde_json::from_str::<GeneratorInput>(&plan).ok();
    let label = |name: &str| pod["metadata"]["labels"][name].as_str().unwrap_or_default().to_owned();
    let uid = text(&pod, "/metadata/uid").to_owned();
    if text(job, "/metadata/labels/loadtest.dev~1row").contains("act") {
        return acts::begin(world, job, at, &uid, way);
    }
    // A generator's container is not created without the ConfigMap that it mounts.
    let mounted = input.is_some() || label(ROW_LABEL) == OBSERVE;
    let process = Process {
        pod: at,
        input,
        act: None,
        run: label(RUN_LABEL),
        row: label(ROW_LABEL).parse().unwrap_or(0),
        index,
        doing: Doing::Starting,
        armed_at: None,
        changes: 0,
        ended_at: None,
        log: String::new(),
        lost: false,
    };
    world.cluster.processes.insert(uid.clone(), process);
    let now = world.store.now;
    if mounted && matches!(way, Pods::Arm | Pods::NeverArm) {
        world.cluster.plan(now + 800, What::Runs { uid: uid.clone() });
    }
    if mounted && way == Pods::Arm {
        world.cluster.plan(now + 1_600, What::Arms { uid });
    }
}

/// A pod that does not run yet.
fn pending(spec: &Value, way: Pods) -> Value {
    let (reason, message) = match way {
        Pods::NoImage => ("ErrImagePull", "no such image"),
        Pods::NoSecret => ("CreateContainerConfigError", "secret \"token\" not found"),
        _ => ("ContainerCreating", ""),
    };
    let scheduled = if way == Pods::NoRoom { "False" } else { "True" };
    let mut status = json!({"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": scheduled, "message": "0/2 nodes are available: 2 Insufficient cpu."}]});
    if way != Pods::NoRoom {
        status["containerStatuses"] = json!([{"name": spec["containers"][0]["name"], "image": "agent:1", "imageID": "",
            "ready": false, "started": false, "restartCount": 0,
            "state": {"waiting": {"reason": reason, "message": message}}}]);
    }
    status
}

/// Pods whose Job is gone are told to end.
pub fn orphans(world: &mut World) {
    let orphan = |pod: &&Value| {
        let owner = &pod["metadata"]["ownerReferences"][0];
        let has_job = || world.store.list("jobs", "").any(|job| job["metadata"]["uid"] == owner["uid"]);
        owner["kind"] == "Job" && pod["metadata"]["deletionTimestamp"].is_null() && !has_job()
    };
    let orphans: Vec<Value> = world.store.list("pods", "").filter(orphan).cloned().collect();
    for pod in orphans {
        let at = key("pods", text(&pod, "/metadata/namespace"), text(&pod, "/metadata/name"));
        let (now, uid) = (world.store.now, text(&pod, "/metadata/uid").to_owned());
        world.store.edit(&at, |pod| pod["metadata"]["deletionTimestamp"] = seconds(now).into());
        world.cluster.plan(now + 50, What::End { uid: uid.clone(), why: Some("sigterm") });
        world.cluster.plan(now + 600, What::Gone { uid });
    }
}
