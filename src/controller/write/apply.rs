//! Acts: each is one write (or one for each pod), derived only from what was just read, and dropped when it is stale.

use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::warn;

use super::{act, act_job, events, expire, put_back};
use crate::api::{Instant as ApiInstant, LoadTest, Reason};
use crate::build::{
    FINALIZER, GRANTED_AT, HARD_END_AT, OBSERVED_ROW, PodContext, START_AT, STOP_AT, claim_patch, generator_job,
    observer_job, plan_config_map, release_patch, size_patch,
};
use crate::controller::error::PassError;
use crate::controller::io::{CallError, call};
use crate::controller::read::observer;
use crate::controller::read::targets::workloads;
use crate::controller::session::Session;
use crate::lifecycle::{ARMING, CREATING, Effect, GRACE, Uid, lead};
use crate::plan::{ObservedRow, generator_input, observer_input};

/// An act decided longer ago is not sent: a paused process must not go on where it stood.
pub(super) const FRESH: Duration = Duration::from_secs(5);

/// Does it.
///
/// # Errors
/// The API server refused or did not answer; the next pass looks again.
pub async fn apply(session: &mut Session<'_>, effect: &Effect) -> Result<(), PassError> {
    let decided = Instant::now();
    match effect {
        Effect::AddFinalizer => finalizer(session, true).await,
        Effect::RemoveFinalizer => finalizer(session, false).await,
        Effect::Claim(index) => claim(session, *index, decided).await,
        Effect::Size(index) => size(session, *index, decided).await,
        Effect::Rescale(index) => act::rescale(session, *index, decided).await,
        Effect::Restart(index) => act::restart(session, *index, decided).await,
        Effect::DeletePods(pods) => act::delete_pods(session, pods, decided).await,
        Effect::CreateActJob => act_job::make(session, decided).await,
        Effect::RunActJob(uid) => act_job::let_go(session, *uid, decided).await,
        Effect::DeleteActJob(uid) => act_job::delete(session, *uid).await,
        Effect::Release(index) => release(session, *index).await,
        Effect::CreateObserver => create_observer(session).await,
        Effect::DeleteObserver => delete_job(session, &session.run().observer(), None).await,
        Effect::CreateJob => create_job(session, decided).await,
        Effect::DeleteJob(uid) => {
            announce_row(session, true).await;
            delete_job(session, &session.run().row(session.state.row.into()), Some(*uid)).await
        }
        Effect::Grant(pods) => grant(session, pods, decided).await,
        Effect::Stop => stop(session).await,
        Effect::Expire => expire::delete(session, decided).await,
    }
}

/// Adds or removes our finalizer, if nobody wrote meanwhile.
async fn finalizer(session: &Session<'_>, there: bool) -> Result<(), PassError> {
    let mut finalizers = session.test.finalizers().to_vec();
    finalizers.retain(|f| f != FINALIZER);
    if there {
        finalizers.push(FINALIZER.into());
    }
    let patch = json!({"metadata": {"resourceVersion": session.test.resource_version(), "finalizers": finalizers}});
    let (api, name) = (session.api::<LoadTest>(), session.test.name_any());
    match call(api.patch(&name, &PatchParams::default(), &Patch::Merge(patch))).await {
        Err(error) if error.code() == Some(404) => Ok(()),
        answer => answer.map(drop).map_err(PassError::call("writing the finalizer")),
    }
}

/// Sends a JSON Patch of a sized target.
pub(super) async fn patch_target(
    session: &Session<'_>,
    index: usize,
    patch: Value,
    decided: Instant,
) -> Result<(), PassError> {
    let Some(target) = session.sized.get(index).and_then(|name| session.target(name)) else { return Ok(()) };
    if decided.elapsed() > FRESH {
        warn!(target = target.name.0, "an act became stale before it was sent; deciding again");
        return Ok(());
    }
    let patch: json_patch::Patch = serde_json::from_value(patch).map_err(|e| PassError::Status(e.to_string()))?;
    let reference = &target.workload_ref;
    let api = workloads(&session.context.once, &session.namespace(), reference.kind);
    let answer = call(api.patch(&reference.name.0, &PatchParams::default(), &Patch::Json::<()>(patch))).await;
    answer.map(drop).map_err(PassError::call("writing a target"))
}

pub(super) fn workload<'a>(session: &'a Session<'_>, index: usize) -> Option<&'a Value> {
    session.workloads.get(index).and_then(Option::as_ref)
}

async fn claim(session: &Session<'_>, index: usize, decided: Instant) -> Result<(), PassError> {
    let (Some(workload), Some(target)) =
        (workload(session, index), session.sized.get(index).and_then(|name| session.target(name)))
    else {
        return Ok(());
    };
    // Every field that any row or action sets: the originals are kept before the first size.
    let fields = session.fields(&target.name.0);
    let until = ApiInstant::from_millis(session.now() + session.view.total);
    let patch = claim_patch(workload, &session.run(), target.container.as_deref(), &fields, until)?;
    patch_target(session, index, patch, decided).await
}

async fn size(session: &Session<'_>, index: usize, decided: Instant) -> Result<(), PassError> {
    let (Some(workload), Some(target)) =
        (workload(session, index), session.sized.get(index).and_then(|name| session.target(name)))
    else {
        return Ok(());
    };
    let wanted = session.wanted(target, &crate::build::claim(workload)?.originals);
    patch_target(session, index, size_patch(workload, &wanted)?, decided).await
}

async fn release(session: &mut Session<'_>, index: usize) -> Result<(), PassError> {
    let Some(workload) = workload(session, index).cloned() else { return Ok(()) };
    let written = match release_patch(&workload) {
        Ok(release) => patch_target(session, index, release.patch.clone(), Instant::now()).await.map(|()| release),
        Err(error) => Err(error.into()),
    };
    session.memory.refused = written.is_err();
    session.remember();
    let release = written?;
    if !release.skipped.is_empty() {
        let fields: Vec<String> = release.skipped.into_iter().map(String::from).collect();
        let name = session.sized[index].clone();
        let note = put_back::skipped(&name, &fields);
        events::event(session, Reason::RestoreSkipped, &note).await;
        session.memory.skipped.insert(name, fields);
        session.remember();
    }
    Ok(())
}

/// Creates an object; one of that name that is there already is looked at in the next pass.
pub(super) async fn create<K>(api: &Api<K>, object: &K, doing: &'static str) -> Result<(), PassError>
where
    K: kube::Resource + Clone + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned,
{
    match call(api.create(&PostParams::default(), object)).await {
        Err(error) if error.already_exists() => Ok(()),
        answer => answer.map(drop).map_err(PassError::call(doing)),
    }
}

async fn create_observer(session: &Session<'_>) -> Result<(), PassError> {
    let Some(plan) = &session.plan else { return Ok(()) };
    let Some(input) = observer_input(plan, &session.identity()) else { return Ok(()) };
    let run = session.run();
    let text = serde_json::to_string(&input).map_err(|e| PassError::Status(e.to_string()))?;
    let seconds = (session.view.total + 2 * ARMING) / 1000;
    let job = observer_job(&pod_context(session, &run, &[]), &text, u64::try_from(seconds).unwrap_or(0));
    create(&session.api::<ConfigMap>(), &plan_config_map(&run, None, text), "creating the observer's ConfigMap")
        .await?;
    create(&session.api::<Job>(), &job, "creating the observer's Job").await
}

async fn create_job(session: &Session<'_>, decided: Instant) -> Result<(), PassError> {
    let (Some(plan), Some(row)) = (&session.plan, session.row()) else { return Ok(()) };
    let run = session.run();
    let input = generator_input(plan, row, &session.identity());
    let text = serde_json::to_string(&input).map_err(|e| PassError::Status(e.to_string()))?;
    let view = session.view.rows.get(usize::from(session.state.row).saturating_sub(1));
    let view = view.ok_or_else(|| PassError::Status("the row is not in the plan".into()))?;
    let millis = CREATING + ARMING + lead(view.generators) + view.worst_case.min(session.view.total) + 2 * GRACE;
    let avoid = targets_labels(session).await;
    let job = generator_job(&pod_context(session, &run, &avoid), row, &text, u64::try_from(millis / 1000).unwrap_or(0));
    create(
        &session.api::<ConfigMap>(),
        &plan_config_map(&run, Some(row.number), text),
        "creating the plan's ConfigMap",
    )
    .await?;
    if decided.elapsed() > FRESH {
        return Ok(());
    }
    create(&session.once::<Job>(), &job, "creating the generator Job").await
}

/// What agents' pods are made from.
pub fn pod_context<'a>(
    session: &'a Session<'_>,
    run: &'a crate::build::RunName,
    avoid: &'a [std::collections::BTreeMap<String, String>],
) -> PodContext<'a> {
    let image = session.test.status.as_ref().and_then(|s| s.run.as_ref()?.image.as_deref());
    PodContext { run, image: image.unwrap_or(&session.context.image), spec: &session.test.spec, avoid }
}

/// Labels of the targets' pods: generators avoid their nodes where they can.
async fn targets_labels(session: &Session<'_>) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut all = Vec::new();
    for target in &session.test.spec.targets {
        let reference = &target.workload_ref;
        let api = workloads(&session.context.client, &session.namespace(), reference.kind);
        if let Ok(found) = call(api.get(&reference.name.0)).await {
            let labels = found.data["spec"]["selector"]["matchLabels"].clone();
            all.extend(serde_json::from_value(labels).ok());
        }
    }
    all
}

pub(super) async fn delete_job(session: &Session<'_>, name: &str, uid: Option<Uid>) -> Result<(), PassError> {
    let uid = uid.and_then(|uid| session.uids.get(&uid).cloned());
    let params = DeleteParams {
        propagation_policy: Some(PropagationPolicy::Background),
        preconditions: uid.map(|uid| Preconditions { uid: Some(uid), resource_version: None }),
        ..DeleteParams::default()
    };
    match call(session.api::<Job>().delete(name, &params)).await {
        Err(error) if error.code() == Some(404) => Ok(()),
        answer => answer.map(drop).map_err(PassError::call("deleting a Job")),
    }
}

/// Writes `start-at` on the recorded pods: what is recorded in the status, not what is in memory.
async fn grant(session: &Session<'_>, pods: &[Uid], decided: Instant) -> Result<(), PassError> {
    let Some(fire) = session.state.fire else { return Ok(()) };
    // The observer goes on without, so it may not eat up the lead.
    let _ = tokio::time::timeout(Duration::from_secs(1), announce_row(session, false)).await;
    let start = ApiInstant::from_millis(fire.start_at).to_string();
    let end = ApiInstant::from_millis(fire.hard_end_at).to_string();
    let granted = ApiInstant::from_millis(session.now()).to_string();
    let chosen = session.pods.iter().filter(|pod| pods.contains(&Uid::of(&pod.uid().unwrap_or_default())));
    let writes = chosen.map(|pod| {
        let annotations = vec![(START_AT, start.as_str()), (HARD_END_AT, end.as_str()), (GRANTED_AT, granted.as_str())];
        annotate(session, pod, annotations)
    });
    if decided.elapsed() > FRESH || session.now() > fire.start_at - 1_000 {
        return Ok(());
    }
    for answer in futures::future::join_all(writes).await {
        answer.map_err(PassError::call("granting the start"))?;
    }
    Ok(())
}

/// Writes `stop-at` on all pods of the row that may still send.
async fn stop(session: &Session<'_>) -> Result<(), PassError> {
    let at = ApiInstant::from_millis(session.now()).to_string();
    let alive = session.pods.iter().filter(|pod| !crate::controller::read::pods::has_ended(pod));
    let writes = alive.map(|pod| annotate(session, pod, vec![(STOP_AT, at.as_str())]));
    for answer in futures::future::join_all(writes).await {
        match answer {
            Err(error) if error.code() == Some(404) => {}
            answer => answer.map_err(PassError::call("stopping a generator"))?,
        }
    }
    Ok(())
}

/// Adds annotations to one of our pods, with its uid and resourceVersion as preconditions.
async fn annotate(session: &Session<'_>, pod: &Pod, annotations: Vec<(&str, &str)>) -> Result<(), CallError> {
    let mut ops = vec![
        json!({"op": "replace", "path": "/metadata/resourceVersion", "value": pod.resource_version()}),
        json!({"op": "replace", "path": "/metadata/uid", "value": pod.uid()}),
    ];
    if pod.metadata.annotations.is_none() {
        ops.push(json!({"op": "add", "path": "/metadata/annotations", "value": {}}));
    }
    for (key, value) in annotations {
        ops.push(
            json!({"op": "add", "path": format!("/metadata/annotations/{}", key.replace('/', "~1")), "value": value}),
        );
    }
    let patch: json_patch::Patch = serde_json::from_value(ops.into()).unwrap_or_default();
    call(session.once::<Pod>().patch(&pod.name_any(), &PatchParams::default(), &Patch::Json::<()>(patch)))
        .await
        .map(drop)
}

/// Tells the observer which row it is in; it goes on without, so a failure is only logged.
async fn announce_row(session: &Session<'_>, ended: bool) {
    let Some(fire) = session.state.fire.filter(|_| session.view.observer) else { return };
    let row = i32::from(session.state.row);
    let result = session.test.status.as_ref().and_then(|s| s.results.iter().find(|r| r.row == row));
    let end_ms = result.and_then(|r| r.load_ended_at).map(ApiInstant::as_millis).filter(|_| ended);
    let observed = ObservedRow { row, start_ms: Some(fire.start_at), end_ms };
    let Ok(text) = serde_json::to_string(&observed) else { return };
    let Some(pod) = observer::pod(session).await else { return };
    if pod.annotations().get(OBSERVED_ROW) == Some(&text) {
        return;
    }
    if let Err(error) = annotate(session, &pod, vec![(OBSERVED_ROW, text.as_str())]).await {
        warn!(error = error.message(), "the observer was not told about the row");
    }
}
