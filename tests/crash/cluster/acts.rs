//! The pods of acts: each does it once, at its time or a second after it runs, and says so.

use serde_json::json;

use super::What;
use super::agents::{container, ended};
use super::process::{Doing, Process};
use super::ways::Pods;
use crate::fake::World;
use crate::fake::store::{Key, key, seconds, text};
use loadtest_operator::build::{CRON_JOB, RUN_LABEL};
use loadtest_operator::plan::ActInput;

/// The pod is there.
pub fn begin(world: &mut World, job: &serde_json::Value, pod: Key, uid: &str, way: Pods) {
    let name = text(job, "/metadata/name").to_owned();
    let process = Process {
        pod,
        input: None,
        act: Some(name),
        run: text(job, &format!("/metadata/labels/{}", RUN_LABEL.replace('/', "~1"))).to_owned(),
        row: 0,
        index: 0,
        doing: Doing::Starting,
        armed_at: None,
        changes: 0,
        ended_at: None,
        log: String::new(),
        lost: false,
    };
    world.cluster.processes.insert(uid.to_owned(), process);
    if way == Pods::Arm {
        world.cluster.plan(world.store.now + 1_000, What::Act { uid: uid.to_owned() });
    }
}

/// It runs: it waits for its time, and then does it; or finds its time over.
pub fn act(world: &mut World, uid: &str) {
    let Some(process) = world.cluster.processes.get(uid).filter(|process| process.doing != Doing::Ended) else {
        return;
    };
    let (name, namespace) = (process.act.clone().unwrap_or_default(), process.pod.1.clone());
    let now = world.store.now;
    let since = seconds(now);
    container(world, uid, |status| {
        status["phase"] = "Running".into();
        status["containerStatuses"][0]["state"] = json!({"running": {"startedAt": since}});
    });
    let Some(job) = world.store.get(&key("jobs", &namespace, &name)).cloned() else { return };
    if job["metadata"]["annotations"][CRON_JOB].is_string() {
        world.cluster.done.push(name);
        return ended(world, uid, 0, "");
    }
    let plan = world.store.get(&key("configmaps", &namespace, &format!("{name}-plan")));
    let input = plan.and_then(|map| serde_json::from_str::<ActInput>(text(map, "/data/plan.json")).ok());
    // Without the ConfigMap that it mounts its container is not created.
    let Some(input) = input else { return };
    if let Some(due) = input.due.filter(|due| due.from_ms > now) {
        return world.cluster.plan(due.from_ms, What::Act { uid: uid.to_owned() });
    }
    if input.due.is_some_and(|due| due.to_ms < now) {
        return ended(world, uid, 1, r#"{"message":"its pod was ready after its time"}"#);
    }
    world.cluster.done.push(name);
    match world.cluster.ways.act_says {
        "" => ended(world, uid, 0, &json!({"ranAtMs": now}).to_string()),
        why => ended(world, uid, 1, &json!({"ranAtMs": now, "message": why}).to_string()),
    }
}
