//! What became of the targets: put back, left as somebody else set them, or not put back in time.

use super::events::event;
use super::facts::size;
use crate::api::{LoadTestStatus, Reason, TargetRecord, TargetState};
use crate::build::{container_index, current};
use crate::controller::session::Session;

/// Marks the targets of which a release left a field alone. Read off the live workloads, for the process that released
/// them may not be this one.
pub fn mark_skipped(session: &mut Session<'_>, status: &mut LoadTestStatus) {
    for (at, name) in session.sized.clone().iter().enumerate() {
        let Some(record) = status.targets.iter_mut().find(|record| record.name.0 == *name) else { continue };
        if record.state != TargetState::Restored {
            continue;
        }
        let left = session.workloads.get(at).and_then(Option::as_ref).map(|live| left_alone(session, record, live));
        let mut left = left.unwrap_or_default();
        left.extend(session.memory.skipped.get(name).cloned().unwrap_or_default());
        if !left.is_empty() {
            record.state = TargetState::Skipped;
            session.memory.skipped.entry(name.clone()).or_insert(left);
        }
    }
    session.remember();
}

/// The fields that any row sets and that are not as they were found.
fn left_alone(session: &Session<'_>, record: &TargetRecord, live: &serde_json::Value) -> Vec<String> {
    let fields = session.fields(&record.name.0);
    let (Some(original), Some(index)) = (&record.original, container_index(live, record.container.as_deref())) else {
        return Vec::new();
    };
    let now = size(&current(live, index, fields.iter()));
    let same = [
        ("replicas", now.replicas == original.replicas),
        ("CPU request", now.cpu_request == original.cpu_request),
        ("CPU limit", now.cpu_limit == original.cpu_limit),
        ("memory request", now.memory_request == original.memory_request),
        ("memory limit", now.memory_limit == original.memory_limit),
        ("env", now.env_hash == original.env_hash),
    ];
    same.into_iter().filter(|(_, same)| !same).map(|(field, _)| field.to_owned()).collect()
}

/// Names of the targets that a run which is being ended could not put back.
pub fn not_put_back(status: &LoadTestStatus) -> Vec<&str> {
    let left = |record: &&TargetRecord| match record.state {
        TargetState::Claimed | TargetState::Recorded | TargetState::Sized => true,
        TargetState::Restored | TargetState::Skipped | TargetState::Gone => false,
    };
    status.targets.iter().filter(left).map(|record| record.name.0.as_str()).collect()
}

/// What is said of targets that were not put back, when there are any.
pub fn note(status: &LoadTestStatus) -> Option<String> {
    let names = not_put_back(status);
    (!names.is_empty())
        .then(|| format!("{} could not be put back in time; the operator keeps trying every 30 s", names.join(", ")))
}

/// Says once what became of the targets.
pub async fn tell(session: &Session<'_>, status: &LoadTestStatus, told: bool) {
    if let Some(note) = note(status) {
        return event(session, Reason::RestoreTimeout, &note).await;
    }
    if session.sized.is_empty() {
        return;
    }
    if session.memory.skipped.is_empty() {
        return event(session, Reason::Restored, Reason::Restored.meaning()).await;
    }
    // The process that released them has said so already, when it was this one.
    for (name, fields) in session.memory.skipped.iter().filter(|_| !told) {
        event(session, Reason::RestoreSkipped, &skipped(name, fields)).await;
    }
}

/// A release that left fields alone, in a sentence.
pub fn skipped(name: &str, fields: &[String]) -> String {
    format!("{name}: somebody else changed {} meanwhile, so that was left as it is", fields.join(", "))
}
