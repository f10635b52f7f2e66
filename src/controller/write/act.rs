//! What acts write: another number of replicas, a restart, the deletion of pods. The first two leave the act's number in the
//! target's claim, the third one names each pod by its uid, so that none of them is done twice.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{DeleteParams, Preconditions};

use super::decided::Decided;
use super::target::{patch_target, workload};
use crate::api::Instant;
use crate::build::{Doing, act_patch, claim};
use crate::controller::error::PassError;
use crate::controller::io::call;
use crate::controller::session::Session;
use crate::lifecycle::Uid;

/// Writes the replicas that a target has by the act under way.
///
/// # Errors
/// The API server refused or did not answer.
pub async fn rescale(session: &Session<'_>, index: usize, decided: Decided) -> Result<(), PassError> {
    let (Some(workload), Some(target)) =
        (workload(session, index), session.sized.get(index).and_then(|name| session.target(name)))
    else {
        return Ok(());
    };
    let wanted = session.wanted(target, &claim(workload)?.originals);
    let patch = act_patch(workload, &session.act_mark(), Doing::Size(&wanted))?;
    patch_target(session, index, patch, decided).await
}

/// Restarts a target: the instant that is written is the one at which the act was recorded as begun.
///
/// # Errors
/// The API server refused or did not answer.
pub async fn restart(session: &Session<'_>, index: usize, decided: Decided) -> Result<(), PassError> {
    let Some(workload) = workload(session, index) else { return Ok(()) };
    let at = Instant::from_millis(session.state.act_at);
    let patch = act_patch(workload, &session.act_mark(), Doing::Restart(at))?;
    patch_target(session, index, patch, decided).await
}

/// Deletes these pods; one that is gone is as good as deleted.
///
/// # Errors
/// The API server refused or did not answer.
pub async fn delete_pods(session: &Session<'_>, pods: &[Uid], decided: Decided) -> Result<(), PassError> {
    for pod in &session.victims {
        let uid = pod.uid().unwrap_or_default();
        if !pods.contains(&Uid::of(&uid)) {
            continue;
        }
        if decided.is_stale() {
            return Ok(());
        }
        let only_this = Preconditions { uid: Some(uid), resource_version: None };
        let params = DeleteParams { preconditions: Some(only_this), ..DeleteParams::default() };
        match call(session.once::<Pod>().delete(&pod.name_any(), &params)).await {
            Err(error) if matches!(error.code(), Some(404 | 409)) => {}
            answer => answer.map(drop).map_err(PassError::call("deleting a pod of a target"))?,
        }
    }
    Ok(())
}
