//! What the pod of an act leaves in its termination message.

use serde::{Deserialize, Serialize};

/// Its last words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActSaid {
    /// When it did it, milliseconds since the epoch: after it was ready, before the statement or request was sent. Absent: it never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ran_at_ms: Option<i64>,
    /// Why it failed, a sentence without secrets; absent: it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}
