//! The deletion of a LoadTest whose time after its end is over.

use kube::ResourceExt;
use kube::api::{DeleteParams, Preconditions, PropagationPolicy};
use tracing::warn;

use super::decided::Decided;
use super::events;
use crate::api::{LoadTest, Reason};
use crate::controller::error::PassError;
use crate::controller::io::{CallError, call};
use crate::controller::session::Session;

/// Deletes it as it was read: an edit that came meanwhile wins, and the next pass looks at that. What it owns goes after it.
///
/// # Errors
/// The API server did not answer, or had no time.
pub async fn delete(session: &mut Session<'_>, decided: Decided) -> Result<(), PassError> {
    if decided.is_stale() {
        return Ok(());
    }
    let as_read = Preconditions { uid: session.test.uid(), resource_version: session.test.resource_version() };
    let params = DeleteParams {
        propagation_policy: Some(PropagationPolicy::Background),
        preconditions: Some(as_read),
        ..DeleteParams::default()
    };
    match call(session.once::<LoadTest>().delete(&session.test.name_any(), &params)).await {
        Ok(_) => {
            let seconds = session.test.spec.ttl_seconds_after_finished.unwrap_or(0);
            let note = format!("deleted {seconds} s after it finished (spec.ttlSecondsAfterFinished)");
            events::event(session, Reason::Expired, &note).await;
            session.context.forget(&session.uid());
            Ok(())
        }
        Err(error) if matches!(error.code(), Some(404 | 409)) => Ok(()),
        Err(error) if refused(&error) => {
            stays(session, &error).await;
            Ok(())
        }
        Err(error) => Err(PassError::call("deleting a LoadTest whose time is over")(error)),
    }
}

/// A right is missing, or an admission webhook or policy is against it: soon it would be the same again.
fn refused(error: &CallError) -> bool {
    error.code().is_some_and(|code| (400..500).contains(&code) && code != 429)
}

/// It is tried again much later.
async fn stays(session: &mut Session<'_>, error: &CallError) {
    let (namespace, name) = (session.namespace(), session.test.name_any());
    warn!(namespace, name, error = error.message(), "a LoadTest whose time is over can't be deleted");
    let note = format!("its time is over (spec.ttlSecondsAfterFinished), and it can't be deleted: {}", error.message());
    events::event(session, Reason::Forbidden, &note).await;
    session.memory.kept = true;
    session.remember();
}
