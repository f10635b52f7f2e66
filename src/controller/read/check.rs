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
    if error.forbidden() { refused(Reason::Forbidden, note) } else { not_yet(Reason::ApiUnavailable, note) }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    fn answered(message: &str) -> Preflight {
        let status = Status::failure(message, "Forbidden").with_code(403);
        failed("trying to create a Job", &CallError::Kube(Box::new(kube::Error::Api(status.boxed())))).answer
    }

    #[test]
    fn a_missing_right_is_final_and_a_kind_that_the_api_server_does_not_know_yet_is_waited_for() {
        assert_eq!(answered("jobs.batch is forbidden: User x cannot create"), Preflight::Refused(Reason::Forbidden));
        let unknown =
            "jobs.batch is forbidden: cannot set blockOwnerDeletion in this case because cannot find RESTMapping for …";
        assert_eq!(answered(unknown), Preflight::NotYet(Reason::ApiUnavailable));
    }
}
