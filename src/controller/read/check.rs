//! One check before the start: fine, or why not now, or why not at all.

use crate::api::Reason;
use crate::controller::io::CallError;
use crate::lifecycle::Preflight;

/// Why it can't start now.
pub struct No {
    pub answer: Preflight,
    pub note: String,
}

/// Fine, or why not.
pub type Check = Result<(), No>;

/// A final answer.
pub fn refused(reason: Reason, note: impl Into<String>) -> No {
    No { answer: Preflight::Refused(reason), note: note.into() }
}

/// What may still come is waited for.
pub fn not_yet(reason: Reason, note: impl Into<String>) -> No {
    No { answer: Preflight::NotYet(reason), note: note.into() }
}

/// A call that failed: no right is final, all else may pass.
pub fn failed(doing: &str, error: &CallError) -> No {
    let note = format!("{doing}: {}", error.message());
    match error.code() {
        Some(403) => refused(Reason::Forbidden, note),
        _ => not_yet(Reason::ApiUnavailable, note),
    }
}
