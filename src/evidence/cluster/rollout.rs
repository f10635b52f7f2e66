//! Whether only the wanted pods serve: the proof that a row needs before it may fire.
//!
//! Ready means: the controller has seen the generation that was written, updated = ready = available = replicas, and
//! every pod that has not ended belongs to the newest revision, is ready, not terminating, and has the wanted resources.
//! That it must hold for a while is the caller's rule.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::pods::PodFact;
use crate::api::Quantity;

/// What was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Wanted<'a> {
    /// metadata.generation that the write answered, or the one seen when nothing was written.
    pub generation: i64,
    /// The container that the size is for; none: the first.
    pub container: Option<&'a str>,
    /// None: as many as spec.replicas says.
    pub replicas: Option<i32>,
    /// CPU request and limit. None: not set by us.
    pub cpu: Option<&'a str>,
    /// Memory request and limit. None: not set by us.
    pub memory: Option<&'a str>,
}

/// Where a rollout stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Rollout {
    /// Only the wanted pods serve.
    Ready { pods: Vec<PodFact>, generation: i64 },
    /// Not yet; what is waited for.
    Rolling { why: String },
    /// It will not come about by itself.
    Failed { why: String },
}

/// Annotation with the number of a Deployment's revision, on it and on its ReplicaSets.
const REVISION: &str = "deployment.kubernetes.io/revision";

/// Reads a Deployment, its ReplicaSets and the pods that its selector answers.
pub fn deployment(deployment: &Deployment, sets: &[ReplicaSet], pods: &[Pod], wanted: &Wanted) -> Rollout {
    let status = deployment.status.clone().unwrap_or_default();
    let counts = Counts {
        spec: deployment.spec.replicas.unwrap_or(1),
        total: status.replicas.unwrap_or(0),
        updated: status.updated_replicas.unwrap_or(0),
        ready: status.ready_replicas.unwrap_or(0),
        available: status.available_replicas.unwrap_or(0),
        observed_generation: status.observed_generation.unwrap_or(0),
    };
    if let Some(answer) = stale_or_changed(&deployment.metadata, &counts, wanted) {
        return answer;
    }
    let conditions = status.conditions.unwrap_or_default();
    let find = |kind: &str, is: &str| {
        conditions.iter().find(|c| c.type_.as_deref() == Some(kind) && c.status.as_deref() == Some(is))
    };
    if let Some(late) = find("Progressing", "False").filter(|c| c.reason.as_deref() == Some("ProgressDeadlineExceeded"))
    {
        let facts = facts(pods, wanted);
        let why = trouble(&facts).unwrap_or_else(|| late.message.clone().unwrap_or_else(|| "no reason given".into()));
        return Rollout::Failed { why: format!("the Deployment's progress deadline passed: {why}") };
    }
    let refused = find("ReplicaFailure", "True").and_then(|c| c.message.clone());
    let Some(newest) = newest_set(deployment, sets) else {
        return rolling(refused, "the newest ReplicaSet is not there yet");
    };
    let belongs = |pod: &PodFact| pod.owner_uid.is_some() && pod.owner_uid == newest.metadata.uid;
    judge(&counts, facts(pods, wanted), belongs, wanted, &deployment.metadata, refused)
}

/// Reads a StatefulSet and the pods that its selector answers.
pub fn stateful_set(set: &StatefulSet, pods: &[Pod], wanted: &Wanted) -> Rollout {
    let status = set.status.clone().unwrap_or_default();
    let counts = Counts {
        spec: set.spec.replicas.unwrap_or(1),
        total: status.replicas,
        updated: status.updated_replicas.unwrap_or(0),
        ready: status.ready_replicas.unwrap_or(0),
        available: status.available_replicas.unwrap_or(0),
        observed_generation: status.observed_generation.unwrap_or(0),
    };
    if let Some(answer) = stale_or_changed(&set.metadata, &counts, wanted) {
        return answer;
    }
    let newest = status.update_revision;
    let facts = facts(pods, wanted);
    let old = facts.iter().filter(|p| !p.ended && p.revision != newest).count();
    let strategy = set.spec.update_strategy.clone().unwrap_or_default();
    let partition = strategy.rolling_update.and_then(|r| r.partition).unwrap_or(0);
    let by_hand = strategy.type_.as_deref() == Some("OnDelete") || partition > 0;
    if old > 0 && by_hand {
        let why =
            format!("{old} pods keep their old size: the StatefulSet's updateStrategy replaces them only by hand");
        return Rollout::Failed { why };
    }
    if !by_hand && status.current_revision != newest {
        return rolling(trouble(&facts), "the new revision is not everywhere yet");
    }
    let owner = set.metadata.uid.clone();
    let belongs = |pod: &PodFact| pod.revision.is_some() && pod.revision == newest && pod.owner_uid == owner;
    judge(&counts, facts.clone(), belongs, wanted, &set.metadata, None)
}

/// The counts of a workload's status.
struct Counts {
    spec: i32,
    total: i32,
    updated: i32,
    ready: i32,
    available: i32,
    observed_generation: i64,
}

/// Answers when the object is older than what was written, or no longer as it was written.
fn stale_or_changed(meta: &ObjectMeta, counts: &Counts, wanted: &Wanted) -> Option<Rollout> {
    let generation = meta.generation.unwrap_or(0);
    if generation < wanted.generation || counts.observed_generation < wanted.generation.max(generation) {
        return Some(rolling(None, "its controller has not seen the new size yet"));
    }
    let replicas = wanted.replicas.filter(|r| *r != counts.spec)?;
    Some(Rollout::Failed { why: format!("spec.replicas is {}, not {replicas}: somebody else changed it", counts.spec) })
}

fn judge(
    counts: &Counts,
    pods: Vec<PodFact>,
    belongs: impl Fn(&PodFact) -> bool,
    wanted: &Wanted,
    meta: &ObjectMeta,
    refused: Option<String>,
) -> Rollout {
    let live: Vec<PodFact> = pods.into_iter().filter(|p| !p.ended).collect();
    let wrong = live.iter().filter(|p| belongs(p) && !p.terminating).find_map(|p| wrong_size(p, wanted));
    if let Some(Wrong::ForGood(why)) = wrong {
        return Rollout::Failed { why };
    }
    let known = refused.or_else(|| trouble(&live));
    let count = |has: &dyn Fn(&PodFact) -> bool| live.iter().filter(|p| has(p)).count();
    let old = count(&|p| !belongs(p) || p.terminating);
    let ready = count(&|p| belongs(p) && p.ready && !p.terminating);
    let status = [counts.total, counts.updated, counts.ready, counts.available];
    if old > 0 {
        return rolling(known, &format!("{old} old pods still there"));
    }
    if ready != live.len() || usize::try_from(counts.spec) != Ok(ready) || status.iter().any(|c| *c != counts.spec) {
        return rolling(known, &format!("{ready} of {} pods ready", counts.spec));
    }
    match wrong {
        Some(Wrong::Yet(why) | Wrong::ForGood(why)) => rolling(known, &why),
        None => Rollout::Ready { pods: live, generation: meta.generation.unwrap_or(0) },
    }
}

fn rolling(known: Option<String>, waiting: &str) -> Rollout {
    let why = known.map_or_else(|| waiting.to_owned(), |known| format!("{waiting}; {known}"));
    Rollout::Rolling { why }
}

enum Wrong {
    Yet(String),
    ForGood(String),
}

/// What of the wanted size a pod doesn't have.
fn wrong_size(pod: &PodFact, wanted: &Wanted) -> Option<Wrong> {
    if let Some(container) = wanted.container.filter(|_| !pod.has_container) {
        return Some(Wrong::ForGood(format!("pod {} has no container {container}", pod.name)));
    }
    let has = &pod.resources;
    let pairs = [
        ("CPU request", wanted.cpu, &has.cpu_request),
        ("CPU limit", wanted.cpu, &has.cpu_limit),
        ("memory request", wanted.memory, &has.memory_request),
        ("memory limit", wanted.memory, &has.memory_limit),
    ];
    pairs.into_iter().find_map(|(what, wanted, has)| {
        let wanted = wanted?;
        let equal = has.as_deref().is_some_and(|has| Quantity::parse(has) == Quantity::parse(wanted));
        let has = has.as_deref().unwrap_or("none");
        (!equal).then(|| Wrong::Yet(format!("pod {} has {what} {has}, not {wanted}", pod.name)))
    })
}

/// The ReplicaSet of the Deployment with the highest revision, if it is that of the Deployment itself.
fn newest_set<'a>(deployment: &Deployment, sets: &'a [ReplicaSet]) -> Option<&'a ReplicaSet> {
    let own = |set: &&ReplicaSet| {
        let owners = set.metadata.owner_references.iter().flatten();
        deployment.metadata.uid.is_some()
            && owners.map(|o| Some(&o.uid)).any(|uid| uid == deployment.metadata.uid.as_ref())
    };
    let newest = sets.iter().filter(own).max_by_key(|s| revision(&s.metadata).unwrap_or(0))?;
    (revision(&newest.metadata) == revision(&deployment.metadata)).then_some(newest)
}

fn revision(meta: &ObjectMeta) -> Option<i64> {
    meta.annotations.as_ref()?.get(REVISION)?.parse().ok()
}

fn facts(pods: &[Pod], wanted: &Wanted) -> Vec<PodFact> {
    pods.iter().map(|p| PodFact::of(p, wanted.container)).collect()
}

fn trouble(pods: &[PodFact]) -> Option<String> {
    let pod = pods.iter().find(|p| !p.ended && p.trouble.is_some())?;
    Some(format!("pod {}: {}", pod.name, pod.trouble.as_deref().unwrap_or_default()))
}

#[cfg(test)]
#[path = "rollout_tests.rs"]
mod tests;
