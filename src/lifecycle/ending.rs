//! The end of a run: stop what may still send, put everything back, wait for late figures, say the verdict; then what is
//! done after the run.
//!
//! - Targets are put back only when no generator can be sending: they ended, or hardEndAt passed.
//! - What is not ours any more is left alone.
//! - What can't be put back in time is left to the standing rule; the test ends all the same.

use super::acts;
use super::expiry::expiry;
use super::seen::{ClaimSeen, Live, ObserverSeen, TargetSeen};
use super::state::{RESTORING, STOPPING};
use super::step::{Change, Effect, Input, Need, Step};
use super::wait::SOON;
use crate::api::{Reason, TargetState, When};

/// Stops the generators, then releases each target.
pub(super) fn restoring(input: &Input<'_>) -> Step {
    if let Some(step) = stopping(input).or_else(|| acts::given_up(input)) {
        return step;
    }
    if input.plan.sized > 0 && input.seen.targets.iter().all(Live::is_not_read) {
        return Step::Read(Need::Targets);
    }
    let over = is_late(input);
    let mut states = Vec::new();
    let mut blocked = false;
    for (index, target) in input.seen.targets.iter().enumerate() {
        let recorded = input.state.targets.get(index).copied().flatten();
        match target {
            // An operator that was away until now tries at least once.
            Live::Fresh(TargetSeen { claim: ClaimSeen::Ours, .. }) if !over || !input.seen.refused => {
                return Step::Act(Effect::Release(index));
            }
            Live::Fresh(TargetSeen { claim: ClaimSeen::Ours, .. }) => {
                states.push(recorded.map_or(TargetState::Claimed, |(_, state)| state));
            }
            Live::Fresh(TargetSeen { uid, .. }) if recorded.is_some_and(|(known, _)| known != *uid) => {
                states.push(TargetState::Gone);
            }
            Live::Fresh(_) => states.push(TargetState::Restored),
            Live::Missing => states.push(TargetState::Gone),
            Live::Denied | Live::Unreachable | Live::NotRead => {
                blocked = true;
                states.push(recorded.map_or(TargetState::Claimed, |(_, state)| state));
            }
        }
    }
    if blocked && !over {
        return Step::Wait { reason: Reason::Restoring, until: input.now + SOON };
    }
    Step::Record(Change::Released(states))
}

/// The time for putting back is over; it is never over before generators had that time to be waited for.
fn is_late(input: &Input<'_>) -> bool {
    input.now >= input.state.deadline.max(input.state.hard_end() + RESTORING)
}

/// Some step while generators of the row may be alive.
fn stopping(input: &Input<'_>) -> Option<Step> {
    let (state, now) = (input.state, input.now);
    state.job?;
    let since = state.deadline - RESTORING;
    match (&input.seen.job, &input.seen.pods) {
        (_, Live::NotRead) => Some(Step::Read(Need::Pods)),
        (Live::NotRead, _) => Some(Step::Read(Need::Job)),
        (job, Live::Fresh(pods)) => {
            let deletable = job.fresh().filter(|job| job.ours && !job.terminating);
            if pods.alive > 0 && now < since + STOPPING && deletable.is_some() && state.fire.is_some() {
                if !pods.stopped {
                    return Some(Step::Act(Effect::Stop));
                }
                return Some(Step::Wait { reason: Reason::WaitingForStop, until: now + SOON });
            }
            match deletable.filter(|_| !is_late(input)) {
                Some(job) => Some(Step::Act(Effect::DeleteJob(job.uid))),
                None if pods.alive + pods.unconfirmed > 0 && now < state.hard_end() => {
                    Some(Step::Wait { reason: Reason::WaitingForStop, until: state.hard_end().min(now + SOON) })
                }
                None => None,
            }
        }
        _ if now < state.hard_end() => Some(Step::Wait { reason: Reason::WaitingForStop, until: now + SOON }),
        _ => None,
    }
}

/// Late figures, then the observer goes, then the verdict.
pub(super) fn evidence(input: &Input<'_>) -> Step {
    if input.state.judged {
        let act = acts::leftover(input).or_else(|| acts::at_moment(input, When::AfterRun));
        return act.unwrap_or(Step::Record(Change::Finish));
    }
    let waits = input.plan.evidence > 0 && input.state.row > 0 && !input.intent.deleting && !input.intent.cancel;
    if waits {
        match &input.seen.evidence {
            Live::NotRead => return Step::Read(Need::Evidence),
            Live::Fresh(true) => {}
            _ if input.now < input.state.deadline => {
                return Step::Wait {
                    reason: Reason::WaitingForEvidence,
                    until: input.state.deadline.min(input.now + 15 * SOON),
                };
            }
            _ => {}
        }
    }
    if input.plan.observer {
        match &input.seen.observer {
            Live::NotRead => return Step::Read(Need::Observer),
            Live::Fresh(ObserverSeen::Terminating) => {}
            Live::Fresh(_) if input.now < input.state.deadline + STOPPING => return Step::Act(Effect::DeleteObserver),
            _ => {}
        }
    }
    Step::Record(if input.plan.after.is_empty() { Change::Finish } else { Change::Judged })
}

/// The finalizer goes when no claim is ours any more, and the test when its time is over.
pub(super) fn finished(input: &Input<'_>) -> Step {
    if !input.intent.finalizer {
        return expiry(input);
    }
    if input.plan.sized > 0 && input.seen.targets.iter().all(Live::is_not_read) {
        return Step::Read(Need::Targets);
    }
    let ours = |t: &Live<TargetSeen>| t.fresh().is_some_and(|t| t.claim == ClaimSeen::Ours);
    let unsure = input.seen.targets.iter().any(|t| matches!(t, Live::Unreachable | Live::NotRead));
    let late = input.now >= input.state.deadline + RESTORING;
    match input.seen.targets.iter().position(ours) {
        // What is refused for so long is left to the standing rule.
        Some(index) if !late || !input.seen.refused => Step::Act(Effect::Release(index)),
        None if unsure && !late => Step::Wait { reason: Reason::ApiUnavailable, until: input.now + SOON },
        _ => Step::Act(Effect::RemoveFinalizer),
    }
}
