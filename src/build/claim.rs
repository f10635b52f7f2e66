//! The claim on a target: a label says whose it is, an annotation what to put back.

use serde::{Deserialize, Serialize};

use super::size::Fields;
use crate::api::Instant;

/// Name of the claim's label and of its annotation. The label is the claim: an annotation alone is copied to
/// ReplicaSets, and `rollout undo` would bring it back.
pub const CLAIM: &str = "loadtest.dev/claim";

/// Annotation of a pod template: when an action restarted its workload last. It stays, since taking it away would restart
/// the workload once more.
pub const RESTARTED_AT: &str = "loadtest.dev/restarted-at";

/// The annotation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// Of the LoadTest.
    pub uid: String,
    /// Its name.
    pub test: String,
    /// Number of the run.
    pub run: i64,
    /// Container that CPU, memory and env are of.
    pub container: String,
    /// What stood there before; what was absent is null.
    pub originals: Fields,
    /// What we set last; empty until the first size.
    pub set: Fields,
    /// The act that wrote it last, as `row.number`; absent: none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<String>,
    /// When the run ends at the latest: after that nobody needs the claim any more.
    pub until: Instant,
}
