//! Waiting: every wait has an end.

use super::step::{Change, Input, Step};
use crate::api::Reason;

/// How soon to look again at what has no event of its own.
pub(super) const SOON: i64 = 1_000;

/// Waits for `reason`; when `deadline` is over, the run ends as `end`.
pub(super) fn wait_until(input: &Input<'_>, reason: Reason, deadline: i64, end: Reason) -> Step {
    if input.now >= deadline {
        return Step::Record(Change::Restoring(end));
    }
    Step::Wait { reason, until: deadline.min(input.now + SOON) }
}
