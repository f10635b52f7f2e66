//! Why a pass broke off.

use thiserror::Error;

use super::io::CallError;

/// Why a pass broke off. The next one begins anew from what the API server says.
#[derive(Debug, Error)]
pub enum PassError {
    #[error("{doing}: {error}")]
    Call { doing: &'static str, error: CallError },
    #[error("{0}")]
    Target(#[from] crate::build::TargetError),
    #[error("the status can't be written: {0}")]
    Status(String),
}

impl PassError {
    /// A call that failed while `doing` something.
    pub fn call(doing: &'static str) -> impl FnOnce(CallError) -> Self {
        move |error| Self::Call { doing, error }
    }

    /// The API server had no time: it may have soon.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Call { error, .. } if matches!(error.code(), Some(429 | 503 | 504)))
    }

    /// Somebody else wrote first: read again.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Call { error, .. } if matches!(error.code(), Some(404 | 409)))
    }
}
