//! The claim on a target: a label says whose it is, an annotation what to put back.

use serde::{Deserialize, Serialize};

use super::size::Fields;
use crate::api::Instant;

/// Name of the claim's label and of its annotation. The label is the claim: an annotation alone is copied to
/// ReplicaSets, and `rollout undo` would bring it back.
pub const CLAIM: &str = "loadtest.dev/claim";

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
    /// When the run ends at the latest: after that nobody needs the claim any more.
    pub until: Instant,
}
