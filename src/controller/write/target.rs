//! Writes on targets: claim, size, release.

use kube::api::{Patch, PatchParams};
use serde_json::Value;
use tracing::warn;

use super::decided::Decided;
use super::{events, put_back};
use crate::api::{Instant, Reason};
use crate::build::{claim_patch, release_patch, size_patch};
use crate::controller::error::PassError;
use crate::controller::io::call;
use crate::controller::read::targets::workloads;
use crate::controller::session::Session;

/// Sends a JSON Patch of a sized target.
pub(super) async fn patch_target(
    session: &Session<'_>,
    index: usize,
    patch: Value,
    decided: Decided,
) -> Result<(), PassError> {
    let Some(target) = session.sized.get(index).and_then(|name| session.target(name)) else { return Ok(()) };
    if decided.is_stale() {
        warn!(target = target.name.0, "an act became stale before it was sent; deciding again");
        return Ok(());
    }
    let patch: json_patch::Patch = serde_json::from_value(patch).map_err(|e| PassError::Status(e.to_string()))?;
    let reference = &target.workload_ref;
    let api = workloads(&session.context.once, &session.namespace(), reference.kind);
    let answer = call(api.patch(&reference.name.0, &PatchParams::default(), &Patch::Json::<()>(patch))).await;
    answer.map(drop).map_err(PassError::call("writing a target"))
}

/// The workload of a sized target, as it was just read.
pub(super) fn workload<'a>(session: &'a Session<'_>, index: usize) -> Option<&'a Value> {
    session.workloads.get(index).and_then(Option::as_ref)
}

/// Writes our claim, with everything that is to be put back.
///
/// # Errors
/// The API server refused or did not answer; so with all of them.
pub async fn claim(session: &Session<'_>, index: usize, decided: Decided) -> Result<(), PassError> {
    let (Some(workload), Some(target)) =
        (workload(session, index), session.sized.get(index).and_then(|name| session.target(name)))
    else {
        return Ok(());
    };
    // Every field that any row or action sets: the originals are kept before the first size.
    let fields = session.fields(&target.name.0);
    let until = Instant::from_millis(session.now() + session.view.total);
    let patch = claim_patch(workload, &session.run(), target.container.as_deref(), &fields, until)?;
    patch_target(session, index, patch, decided).await
}

/// Writes what the row wants of it.
pub async fn size(session: &Session<'_>, index: usize, decided: Decided) -> Result<(), PassError> {
    let (Some(workload), Some(target)) =
        (workload(session, index), session.sized.get(index).and_then(|name| session.target(name)))
    else {
        return Ok(());
    };
    let wanted = session.wanted(target, &crate::build::claim(workload)?.originals);
    patch_target(session, index, size_patch(workload, &wanted)?, decided).await
}

/// Puts back what is still as we wrote it, and takes our claim away.
pub async fn release(session: &mut Session<'_>, index: usize) -> Result<(), PassError> {
    let Some(workload) = workload(session, index).cloned() else { return Ok(()) };
    let written = match release_patch(&workload) {
        Ok(release) => patch_target(session, index, release.patch.clone(), Decided::now()).await.map(|()| release),
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
