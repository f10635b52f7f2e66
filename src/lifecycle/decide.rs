//! The next step of one LoadTest.
//!
//! - A step records or acts, never both.
//! - Nothing of a target is changed before its claim is there, and nothing is claimed before the run is recorded.
//! - Completion is tested before expiry.
//! - Whatever is waited for has a deadline that ends in putting back.

use super::ending::{evidence, finished, restoring};
use super::row::row;
use super::seen::{ClaimSeen, Live, Preflight, TargetSeen};
use super::state::{CLAIMING, GRACE, Uid};
use super::step::{Change, Effect, Input, Need, Step};
use super::wait::{wait_in_line, wait_until};
use crate::api::{Phase, Reason};

/// The next step.
pub fn decide(input: &Input<'_>) -> Step {
    if let Some(step) = unknown_protocol(input) {
        return step;
    }
    match input.state.phase {
        Phase::Pending | Phase::Finished => idle(input),
        Phase::Claiming => ended_by_user(input).unwrap_or_else(|| claiming(input)),
        Phase::Running => ended_by_user(input).unwrap_or_else(|| row(input)),
        Phase::Restoring => restoring(input),
        Phase::Evidence => evidence(input),
    }
}

/// A run that another version began is left to that version until nothing of it can be sending; then it is put back.
fn unknown_protocol(input: &Input<'_>) -> Option<Step> {
    let state = input.state;
    if state.protocol_known || !state.active() || state.phase == Phase::Restoring {
        return None;
    }
    let over = state.started_at + input.plan.total + GRACE;
    if input.now < over {
        return Some(Step::Wait { reason: Reason::UnknownProtocol, until: over.min(input.now + 60_000) });
    }
    Some(Step::Record(Change::Restoring(Reason::UnknownProtocol)))
}

/// No run is in progress: start one, refuse to, or rest.
fn idle(input: &Input<'_>) -> Step {
    let (intent, state) = (input.intent, input.state);
    let news = intent.generation != state.observed_generation || state.phase == Phase::Pending;
    if intent.deleting || !news {
        return finished(input);
    }
    if state.end.is_some() && intent.same_plan {
        return Step::Record(Change::Observe);
    }
    if let Some(reason) = intent.refusal {
        return Step::Record(Change::Refuse(reason));
    }
    if intent.cancel {
        // There is nothing to stop: a run that is over keeps its results, and none is begun.
        let has_run = state.phase == Phase::Finished && state.started_at > 0;
        return Step::Record(if has_run { Change::Observe } else { Change::Refuse(Reason::Cancelled) });
    }
    if intent.suspend {
        return Step::Wait { reason: Reason::Suspended, until: input.now + 3_600_000 };
    }
    if !intent.finalizer {
        return Step::Act(Effect::AddFinalizer);
    }
    Step::Record(Change::Begin)
}

/// Cancel and delete end a run from anywhere.
fn ended_by_user(input: &Input<'_>) -> Option<Step> {
    let reason = if input.intent.deleting {
        Reason::Deleted
    } else if input.intent.cancel {
        Reason::Cancelled
    } else if input.intent.refusal == Some(Reason::InvalidSpec) {
        // This operator can't read the plan that another version began.
        Reason::InvalidSpec
    } else {
        return None;
    };
    Some(Step::Record(Change::Restoring(reason)))
}

/// Everything is checked, then each target is claimed in order, then the originals are recorded.
fn claiming(input: &Input<'_>) -> Step {
    let (seen, state) = (input.seen, input.state);
    match &seen.preflight {
        Live::NotRead => return Step::Read(Need::Preflight),
        Live::Fresh(Preflight::Ok) => {}
        Live::Fresh(Preflight::Refused(reason)) => return Step::Record(Change::Restoring(*reason)),
        Live::Fresh(Preflight::NotYet(Reason::LimitReached)) => return wait_in_line(input, seen.ahead, state.deadline),
        Live::Fresh(Preflight::NotYet(reason)) => {
            // What is not ready is waited for from when it alone was in the way: a queue before it may have been long.
            let since = state.started_at.max(seen.not_yet_since);
            return wait_until(input, *reason, since + CLAIMING, expired(*reason));
        }
        Live::Denied => return Step::Record(Change::Restoring(Reason::Forbidden)),
        Live::Missing | Live::Unreachable => {
            return wait_until(input, Reason::ApiUnavailable, state.deadline, Reason::DeadlineExceeded);
        }
    }
    if seen.targets.iter().all(Live::is_not_read) && input.plan.sized > 0 {
        return Step::Read(Need::Targets);
    }
    claim(input)
}

/// What a wait that found no end is called: the thing itself, but for queues.
fn expired(reason: Reason) -> Reason {
    match reason {
        Reason::TargetBusy | Reason::ApiUnavailable => Reason::DeadlineExceeded,
        other => other,
    }
}

/// Claims the first free target, once none is somebody else's.
fn claim(input: &Input<'_>) -> Step {
    let late = input.now >= input.state.deadline;
    let mut uids: Vec<Uid> = Vec::new();
    let mut free = None;
    let ours = |target: &Live<TargetSeen>| target.fresh().is_some_and(|t| t.claim == ClaimSeen::Ours);
    for (index, target) in input.seen.targets.iter().enumerate() {
        match target {
            Live::Fresh(TargetSeen { claim: ClaimSeen::Ours, uid, .. }) => uids.push(*uid),
            Live::Fresh(TargetSeen { claim: ClaimSeen::None, .. }) => free = free.or(Some(index)),
            Live::Fresh(TargetSeen { claim: ClaimSeen::Other, .. }) => {
                // Never hold one and wait for another: two tests with opposite order would wait for each other.
                return match input.seen.targets.iter().position(ours).filter(|_| !late) {
                    Some(held) => Step::Act(Effect::Release(held)),
                    None => wait_until(input, Reason::TargetBusy, input.state.deadline, Reason::DeadlineExceeded),
                };
            }
            Live::Missing => return Step::Record(Change::Restoring(Reason::TargetNotFound)),
            Live::Denied => return Step::Record(Change::Restoring(Reason::Forbidden)),
            Live::Unreachable | Live::NotRead => {
                return wait_until(input, Reason::ApiUnavailable, input.state.deadline, Reason::DeadlineExceeded);
            }
        }
    }
    match free {
        None => Step::Record(Change::Originals(uids)),
        Some(_) if late => Step::Record(Change::Restoring(Reason::DeadlineExceeded)),
        Some(index) => Step::Act(Effect::Claim(index)),
    }
}
