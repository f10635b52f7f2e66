//! The workloads under test, read live: whose claim they carry, how their size stands, whether only the wanted pods serve.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::core::Selector;
use kube::{Api, Client};
use serde_json::Value;

use crate::api::{Target, WorkloadKind};
use crate::build::{CLAIM, Claim, container_index, current, same};
use crate::controller::io::{CallError, call, live};
use crate::controller::session::Session;
use crate::evidence::cluster::pods::{PodFact, digest};
use crate::evidence::cluster::rollout::{Rollout, Wanted, deployment, stateful_set};
use crate::lifecycle::{ClaimSeen, Live, RolloutSeen, SizeSeen, TargetSeen};

/// The API of a kind of workload, as JSON.
pub fn workloads(client: &Client, namespace: &str, kind: WorkloadKind) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), namespace, &resource(kind))
}

/// The same in all namespaces.
pub fn everywhere(client: &Client, kind: WorkloadKind) -> Api<DynamicObject> {
    Api::all_with(client.clone(), &resource(kind))
}

fn resource(kind: WorkloadKind) -> ApiResource {
    match kind {
        WorkloadKind::Deployment => ApiResource::erase::<Deployment>(&()),
        WorkloadKind::StatefulSet => ApiResource::erase::<StatefulSet>(&()),
    }
}

/// Reads every sized target.
pub async fn read(session: &mut Session<'_>) {
    let mut seen = Vec::new();
    let mut found = Vec::new();
    for name in session.sized.clone() {
        let Some(target) = session.target(&name).cloned() else { continue };
        let reference = &target.workload_ref;
        let api = workloads(&session.context.client, &session.namespace(), reference.kind);
        let workload = live(call(api.get(&reference.name.0)).await).map(json);
        seen.push(match &workload {
            Live::Fresh(workload) => Live::Fresh(look(session, &target, workload)),
            Live::Missing => Live::Missing,
            Live::Denied => Live::Denied,
            Live::Unreachable | Live::NotRead => Live::Unreachable,
        });
        found.push(workload.fresh().cloned());
    }
    session.seen.targets = seen;
    session.workloads = found;
}

fn json(object: DynamicObject) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}

fn look(session: &mut Session<'_>, target: &Target, workload: &Value) -> TargetSeen {
    let uid = session.hash(workload["metadata"]["uid"].as_str().unwrap_or_default());
    let ours = session.run().label();
    let claim = match workload["metadata"]["labels"][CLAIM].as_str() {
        None => ClaimSeen::None,
        Some(label) if label == ours => ClaimSeen::Ours,
        Some(label) => {
            session.note = format!("{} is held by another test's run {label}", target.name.0);
            ClaimSeen::Other
        }
    };
    let act = crate::build::claim(workload).ok().and_then(|claim| claim.act);
    let marked = session.state.act > 0 && act == Some(session.act_mark());
    TargetSeen { uid, claim, size: size(session, target, workload), marked }
}

/// How the live size stands to what the claim's annotation says we set.
fn size(session: &mut Session<'_>, target: &Target, workload: &Value) -> SizeSeen {
    let annotation = workload["metadata"]["annotations"][CLAIM].as_str();
    let Some(claim) = annotation.and_then(|text| serde_json::from_str::<Claim>(text).ok()) else {
        return SizeSeen::Left;
    };
    let Some(index) = container_index(workload, Some(&claim.container)) else { return SizeSeen::Foreign };
    let fields = current(workload, index, claim.set.keys());
    for (field, set) in &claim.set {
        let now = fields.get(field).and_then(Option::as_ref);
        if !same(field, now, set.as_ref()) {
            let field = String::from(field.clone());
            session.note = format!("somebody else changed {field} of {} while the test ran", target.name.0);
            return SizeSeen::Foreign;
        }
    }
    // What is ours to set but was not set yet must be as it was found.
    let kept: Vec<_> = claim.originals.iter().filter(|(field, _)| !claim.set.contains_key(field)).collect();
    let live = current(workload, index, kept.iter().map(|(field, _)| *field));
    if let Some((field, _)) =
        kept.iter().find(|(field, original)| !same(field, live.get(*field).and_then(Option::as_ref), original.as_ref()))
    {
        let field = String::from((*field).clone());
        session.note = format!("somebody else changed {field} of {} after it was claimed", target.name.0);
        return SizeSeen::Foreign;
    }
    let wanted = session.wanted(target, &claim.originals);
    let equal = wanted.len() == claim.set.len()
        && wanted
            .iter()
            .all(|(field, value)| claim.set.get(field).is_some_and(|set| same(field, set.as_ref(), value.as_ref())));
    if equal { SizeSeen::Wanted } else { SizeSeen::Left }
}

/// Whether only the wanted pods serve, over all targets, and for how long already.
pub async fn prove(session: &mut Session<'_>) {
    session.serving.clear();
    let names: Vec<String> = session.test.spec.targets.iter().map(|target| target.name.0.clone()).collect();
    for name in names {
        let Some(target) = session.target(&name).cloned() else { continue };
        let rollout = match rollout(session, &target).await {
            Ok(rollout) => rollout,
            Err(error) => {
                session.note = format!("{name}: {}", error.message());
                session.seen.rollout = live(Err(error));
                return;
            }
        };
        match rollout {
            Rollout::Ready { pods, generation } => session.serving.push((name, generation, pods)),
            Rollout::Rolling { why } => return unproved(session, RolloutSeen::Rolling, format!("{name}: {why}")),
            Rollout::Failed { why } => return unproved(session, RolloutSeen::Failed, format!("{name}: {why}")),
        }
    }
    if let Some(why) = super::routes::unproved(session).await {
        return unproved(session, RolloutSeen::Rolling, why);
    }
    let all = session.serving.iter().map(|(name, generation, pods)| format!("{name} {generation} {}", digest(pods)));
    let proof = all.collect::<Vec<_>>().join("; ");
    let since = match &session.memory.proof {
        Some((known, since)) if *known == proof => *since,
        _ => session.now(),
    };
    session.memory.proof = Some((proof, since));
    session.note = "the pods are ready; they must stay so for 3 s".into();
    session.seen.rollout = Live::Fresh(RolloutSeen::Ready { held: session.now() - since });
}

fn unproved(session: &mut Session<'_>, seen: RolloutSeen, why: String) {
    session.memory.proof = None;
    session.note = why;
    session.seen.rollout = Live::Fresh(seen);
}

/// Where the rollout of one target stands.
async fn rollout(session: &Session<'_>, target: &Target) -> Result<Rollout, CallError> {
    let name = &target.workload_ref.name.0;
    let cpu = target.cpu.as_ref().map(|q| q.0.to_string());
    let memory = target.memory.as_ref().map(|q| q.0.to_string());
    let container = |workload: &Value| {
        let index = container_index(workload, target.container.as_deref())?;
        workload["spec"]["template"]["spec"]["containers"][index]["name"].as_str().map(str::to_owned)
    };
    let wanted = |generation: Option<i64>| Wanted {
        generation: generation.unwrap_or(0),
        container: None,
        replicas: target.replicas,
        cpu: cpu.as_deref(),
        memory: memory.as_deref(),
    };
    match target.workload_ref.kind {
        WorkloadKind::Deployment => {
            let found = call(session.api::<Deployment>().get(name)).await?;
            let pods = pods(session, &found.spec.selector).await?;
            let sets = call(session.api::<ReplicaSet>().list(&matching(&found.spec.selector))).await?.items;
            let container = container(&serde_json::to_value(&found).unwrap_or_default());
            let wanted = Wanted { container: container.as_deref(), ..wanted(found.metadata.generation) };
            Ok(deployment(&found, &sets, &pods, &wanted))
        }
        WorkloadKind::StatefulSet => {
            let found = call(session.api::<StatefulSet>().get(name)).await?;
            let pods = pods(session, &found.spec.selector).await?;
            let container = container(&serde_json::to_value(&found).unwrap_or_default());
            let wanted = Wanted { container: container.as_deref(), ..wanted(found.metadata.generation) };
            Ok(stateful_set(&found, &pods, &wanted))
        }
    }
}

/// The pods of a target now, ended ones left out, with the generation of its workload.
///
/// # Errors
/// A call failed.
pub async fn pods_of(session: &Session<'_>, target: &Target) -> Result<(i64, Vec<PodFact>, Vec<Pod>), CallError> {
    let reference = &target.workload_ref;
    let api = workloads(&session.context.client, &session.namespace(), reference.kind);
    let workload = json(call(api.get(&reference.name.0)).await?);
    let selector: LabelSelector = serde_json::from_value(workload["spec"]["selector"].clone()).unwrap_or_default();
    let pods = pods(session, &selector).await?;
    let container = container_index(&workload, target.container.as_deref())
        .and_then(|i| workload["spec"]["template"]["spec"]["containers"][i]["name"].as_str());
    let facts = pods.iter().map(|pod| PodFact::of(pod, container)).filter(|pod| !pod.ended).collect();
    Ok((workload["metadata"]["generation"].as_i64().unwrap_or(0), facts, pods))
}

async fn pods(session: &Session<'_>, selector: &LabelSelector) -> Result<Vec<Pod>, CallError> {
    Ok(call(session.api::<Pod>().list(&matching(selector))).await?.items)
}

fn matching(selector: &LabelSelector) -> ListParams {
    let selector = Selector::try_from(selector.clone()).unwrap_or_default();
    ListParams::default().labels_from(&selector)
}
