//! Kubelet and agents: a pod runs, arms, sees its grant, fires once, ends, and leaves its records.

use serde_json::{Value, json};

use super::process::{Doing, Process};
use super::{Fired, What, speech};
use crate::fake::store::{Key, seconds, text};
use crate::fake::{Millis, World};
use loadtest_operator::api::Instant;
use loadtest_operator::build::{GRANTED_AT, HARD_END_AT, START_AT, STOP_AT};
use loadtest_operator::plan::Arrivals;

/// How far ahead a generator accepts a start: agents/generate.rs.
const AHEAD: std::ops::RangeInclusive<Millis> = 200..=60_000;

pub(super) fn container(world: &mut World, uid: &str, change: impl FnOnce(&mut Value)) {
    let Some(process) = world.cluster.processes.get(uid) else { return };
    let at = process.pod.clone();
    // A namesake that was made later is not this pod.
    if world.store.get(&at).is_none_or(|pod| text(pod, "/metadata/uid") != uid) {
        return;
    }
    world.store.edit(&at, |pod| change(&mut pod["status"]));
}

/// The container runs.
pub fn runs(world: &mut World, uid: &str) {
    let since = seconds(world.store.now);
    container(world, uid, |status| {
        status["phase"] = "Running".into();
        status["containerStatuses"][0]["state"] = json!({"running": {"startedAt": since}});
        status["containerStatuses"][0]["imageID"] = "sha256:agent".into();
    });
}

/// The startup probe holds.
pub fn arms(world: &mut World, uid: &str) {
    let now = world.store.now;
    if let Some(process) = world.cluster.processes.get_mut(uid).filter(|process| process.doing == Doing::Starting) {
        (process.doing, process.armed_at) = (Doing::Armed, Some(now));
        container(world, uid, |status| {
            status["containerStatuses"][0]["started"] = true.into();
            status["containerStatuses"][0]["ready"] = true.into();
        });
    }
}

/// The annotations are in the pod's volume: a grant is taken when it is far enough ahead, a stop is obeyed.
pub fn seen(world: &mut World, uid: &str) {
    let now = world.store.now;
    let Some(process) = world.cluster.processes.get(uid).filter(|process| process.input.is_some() && !process.lost)
    else {
        return;
    };
    let Some(pod) = world.store.get(&process.pod) else { return };
    let instant = |name: &str| {
        let text = pod["metadata"]["annotations"][name].as_str()?;
        serde_json::from_value::<Instant>(text.into()).ok().map(Instant::as_millis)
    };
    match (process.doing, instant(STOP_AT), instant(START_AT)) {
        (Doing::Granted { .. }, Some(_), _) => end(world, uid, Some("stop-at")),
        (Doing::Armed, Some(_), _) => refuse(world, uid, "stopped before the start"),
        (Doing::Armed, None, Some(start_at)) if AHEAD.contains(&(start_at - now)) => {
            let hard_end_at = instant(HARD_END_AT).unwrap_or(Millis::MAX);
            let seen_after = now - instant(GRANTED_AT).unwrap_or(now);
            if let Some(process) = world.cluster.processes.get_mut(uid) {
                process.doing = Doing::Granted { start_at, hard_end_at, seen_after };
            }
            world.cluster.plan(start_at, What::Fire { uid: uid.into() });
        }
        (Doing::Armed, None, Some(_)) => refuse(world, uid, "the start was not far enough ahead"),
        _ => {}
    }
}

fn refuse(world: &mut World, uid: &str, why: &str) {
    let said = json!({"reason": "StartMissed", "message": why}).to_string();
    ended(world, uid, 1, &said);
}

/// The load is sent from now until its end, or the hard end.
pub fn fire(world: &mut World, uid: &str) {
    let Some(process) = world.cluster.processes.get(uid) else { return };
    let Doing::Granted { start_at, hard_end_at, .. } = process.doing else { return };
    let fired = Fired { run: process.run.clone(), row: process.row, index: process.index, at: start_at, until: None };
    let seconds = process.input.iter().flat_map(|input| &input.loads).map(|load| match load.arrivals {
        Arrivals::Rate { seconds, .. } | Arrivals::Seconds { seconds, .. } => seconds,
        Arrivals::Iterations { .. } => 1,
    });
    let over = (start_at + i64::from(seconds.max().unwrap_or(0)) * 1000 + 20).min(hard_end_at);
    world.cluster.fired.push(fired);
    world.cluster.plan(over, What::End { uid: uid.into(), why: None });
}

/// The load is over: by itself, or because of `why`.
pub fn end(world: &mut World, uid: &str, why: Option<&'static str>) {
    let now = world.store.now;
    let Some(process) = world.cluster.processes.get(uid) else { return };
    if process.doing == Doing::Ended || process.lost && why.is_some() {
        return;
    }
    let (run, row, index) = (process.run.clone(), process.row, process.index);
    let sent =
        world.cluster.fired.iter_mut().find(|fired| fired.run == run && fired.row == row && fired.index == index);
    let Some(sent) = sent.filter(|_| process.input.is_some()) else {
        if process.act.is_some() {
            return ended(world, uid, 1, r#"{"message":"it was told to end before it was done"}"#);
        }
        return match process.input {
            Some(_) => refuse(world, uid, "ended by SIGTERM before the start"),
            None => ended(world, uid, 0, ""),
        };
    };
    sent.until = Some(now);
    let (log, last_words) = speech::records(process, now, why);
    let last_words = if world.cluster.ways.last_words { last_words } else { String::new() };
    if let Some(process) = world.cluster.processes.get_mut(uid) {
        process.log = log;
    }
    ended(world, uid, 0, &last_words);
}

pub(super) fn ended(world: &mut World, uid: &str, code: i32, last_words: &str) {
    let now = world.store.now;
    let Some(process) = world.cluster.processes.get_mut(uid) else { return };
    (process.doing, process.ended_at) = (Doing::Ended, Some(now));
    if process.lost || world.cluster.ways.deaf {
        return;
    }
    let phase = if code == 0 { "Succeeded" } else { "Failed" };
    let reason = if code == 0 { "Completed" } else { "Error" };
    container(world, uid, |status| {
        status["phase"] = phase.into();
        let ours = &mut status["containerStatuses"][0];
        (ours["started"], ours["ready"]) = (false.into(), false.into());
        ours["state"] = json!({"terminated": {"exitCode": code, "reason": reason, "message": last_words,
            "finishedAt": seconds(now)}});
    });
}

/// A deleted pod is gone, unless its node is lost.
pub fn gone(world: &mut World, uid: &str) {
    let Some(process) = world.cluster.processes.get(uid).filter(|process| !process.lost) else { return };
    let at: Key = process.pod.clone();
    if world.store.get(&at).is_some_and(|pod| text(pod, "/metadata/uid") == uid) {
        world.store.remove(&at);
    }
}

/// The node of all generators of a row is lost and their pods' objects are taken away by force; the processes go on.
pub fn lose(world: &mut World, row: i32) {
    lose_some(world, row, |_| true);
}

/// The same for generators of some indexes.
pub fn lose_some(world: &mut World, row: i32, which: impl Fn(u32) -> bool) {
    let of_row = |process: &&mut Process| process.row == row && process.input.is_some() && which(process.index);
    let lost: Vec<Key> = world
        .cluster
        .processes
        .values_mut()
        .filter(of_row)
        .map(|process| {
            process.lost = true;
            process.pod.clone()
        })
        .collect();
    for at in lost {
        world.store.remove(&at);
    }
}
