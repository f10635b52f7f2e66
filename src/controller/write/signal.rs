//! What running pods of ours are told, by annotations: when to start, to stop, and which row it is.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use tracing::warn;

use super::decided::Decided;
use crate::api::Instant;
use crate::build::{GRANTED_AT, HARD_END_AT, OBSERVED_ROW, START_AT, STOP_AT, TOLD};
use crate::controller::error::PassError;
use crate::controller::io::{CallError, call};
use crate::controller::read::observer;
use crate::controller::session::Session;
use crate::lifecycle::{Millis, Uid};
use crate::plan::ObservedRow;

/// A kubelet may miss a change of a pod's annotations (`lifecycle/start.rs`), so the observer is told so often.
const TELLINGS: u8 = 3;
/// So long after the load it is told its end again, milliseconds.
const REMINDED: Millis = 30_000;

/// Writes `start-at` on the recorded pods: what is recorded in the status, not what is in memory.
pub async fn grant(session: &Session<'_>, pods: &[Uid], decided: Decided) -> Result<(), PassError> {
    let Some(fire) = session.state.fire else { return Ok(()) };
    // The observer goes on without, so it may not eat up the lead.
    let _ = tokio::time::timeout(Duration::from_secs(1), announce_row(session, false)).await;
    let start = Instant::from_millis(fire.start_at).to_string();
    let end = Instant::from_millis(fire.hard_end_at).to_string();
    let granted = Instant::from_millis(session.now()).to_string();
    let chosen = session.pods.iter().filter(|pod| pods.contains(&Uid::of(&pod.uid().unwrap_or_default())));
    let writes = chosen.map(|pod| {
        let annotations = vec![(START_AT, start.as_str()), (HARD_END_AT, end.as_str()), (GRANTED_AT, granted.as_str())];
        annotate(session, pod, annotations)
    });
    if decided.is_stale() || session.now() > fire.start_at - 1_000 {
        return Ok(());
    }
    for answer in futures::future::join_all(writes).await {
        answer.map_err(PassError::call("granting the start"))?;
    }
    Ok(())
}

/// Writes `stop-at` on all pods of the row that may still send.
pub async fn stop(session: &Session<'_>) -> Result<(), PassError> {
    let at = Instant::from_millis(session.now()).to_string();
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

/// Tells the observer which row it is in, [`TELLINGS`] times at most; it goes on without, so a failure is only logged.
pub async fn announce_row(session: &Session<'_>, ended: bool) {
    let Some(fire) = session.state.fire.filter(|_| session.view.observer) else { return };
    let end_ms = load_ended(session).filter(|_| ended);
    let observed = ObservedRow { row: session.state.row.into(), start_ms: Some(fire.start_at), end_ms };
    let Ok(text) = serde_json::to_string(&observed) else { return };
    let Some(pod) = observer::pod(session).await else { return };
    let told = match pod.annotations().get(OBSERVED_ROW) == Some(&text) {
        true => pod.annotations().get(TOLD).and_then(|told| told.parse::<u8>().ok()).unwrap_or(TELLINGS),
        false => 0,
    };
    if told >= TELLINGS {
        return;
    }
    let told = (told + 1).to_string();
    if let Err(error) = annotate(session, &pod, vec![(OBSERVED_ROW, text.as_str()), (TOLD, told.as_str())]).await {
        warn!(error = error.message(), "the observer was not told about the row");
    }
}

/// Tells the observer again that the row's load is over, in the first seconds after it.
pub async fn remind_of_end(session: &Session<'_>) {
    if load_ended(session).is_some_and(|end| session.now() - end < REMINDED) {
        announce_row(session, true).await;
    }
}

/// When the last generator of the row ended.
fn load_ended(session: &Session<'_>) -> Option<Millis> {
    let results = &session.test.status.as_ref()?.results;
    let row = results.iter().find(|row| row.row == i32::from(session.state.row))?;
    row.load_ended_at.map(Instant::as_millis)
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
