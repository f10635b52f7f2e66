//! Acts: each is one write (or one for each pod), derived only from what was just read, and dropped when it is stale.

use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::decided::Decided;
use super::{act, act_job, expire, job, signal, target};
use crate::api::LoadTest;
use crate::build::FINALIZER;
use crate::controller::error::PassError;
use crate::controller::io::call;
use crate::controller::session::Session;
use crate::lifecycle::Effect;

/// Does it.
///
/// # Errors
/// The API server refused or did not answer; the next pass looks again.
pub async fn apply(session: &mut Session<'_>, effect: &Effect) -> Result<(), PassError> {
    let decided = Decided::now();
    match effect {
        Effect::AddFinalizer => finalizer(session, true).await,
        Effect::RemoveFinalizer => finalizer(session, false).await,
        Effect::Claim(index) => target::claim(session, *index, decided).await,
        Effect::Size(index) => target::size(session, *index, decided).await,
        Effect::Rescale(index) => act::rescale(session, *index, decided).await,
        Effect::Restart(index) => act::restart(session, *index, decided).await,
        Effect::DeletePods(pods) => act::delete_pods(session, pods, decided).await,
        Effect::CreateActJob => act_job::make(session, decided).await,
        Effect::RunActJob(uid) => act_job::let_go(session, *uid, decided).await,
        Effect::DeleteActJob(uid) => act_job::delete(session, *uid).await,
        Effect::Release(index) => target::release(session, *index).await,
        Effect::CreateObserver => job::observer(session).await,
        Effect::DeleteObserver => job::delete(session, &session.run().observer(), None).await,
        Effect::CreateJob => job::generators(session, decided).await,
        Effect::DeleteJob(uid) => {
            signal::announce_row(session, true).await;
            job::delete(session, &session.run().row(session.state.row.into()), Some(*uid)).await
        }
        Effect::Grant(pods) => signal::grant(session, pods, decided).await,
        Effect::Stop => signal::stop(session).await,
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
