//! How long a finished test stays: `spec.ttlSecondsAfterFinished`, as the Job controller knows it (KEP-592).
//!
//! - Counted from when the condition Finished became True: by then everything is put back, the late figures are in, and what is done
//!   after the run is over. So it holds for a test that was refused, too, and nobody's results go before they could be seen.
//! - Only a test that rests is deleted: one that was edited is looked at first, and one that is being deleted is left alone.

use super::state::Millis;
use super::step::{Effect, Input, Step};
use crate::api::{Phase, Reason};

/// When a deletion that the API server refused is tried again.
pub const KEPT: Millis = 3_600_000;

/// `spec.ttlSecondsAfterFinished` in milliseconds. A number that no resource definition of ours lets through is no time.
pub fn ttl(seconds: Option<i64>) -> Option<Millis> {
    seconds.filter(|seconds| *seconds >= 0).map(|seconds| seconds.saturating_mul(1000))
}

/// When a test that is finished since `finished_at` is to be deleted; `None`: never.
pub fn expires(finished_at: Option<Millis>, ttl: Option<Millis>) -> Option<Millis> {
    Some(finished_at?.saturating_add(ttl?))
}

/// The next step of a finished test that holds nothing any more.
pub(super) fn expiry(input: &Input<'_>) -> Step {
    let (intent, state) = (input.intent, input.state);
    let rests = state.phase == Phase::Finished && !intent.deleting;
    let Some(over) = expires(state.finished_at, intent.ttl).filter(|_| rests) else { return Step::Rest };
    // What the conditions say already: nothing is told while it waits.
    let reason = state.end.unwrap_or(Reason::ThresholdsMet);
    if input.now < over {
        return Step::Wait { reason, until: over };
    }
    if input.seen.kept {
        return Step::Wait { reason, until: input.now.saturating_add(KEPT) };
    }
    Step::Act(Effect::Expire)
}
