//! An act that is a Job: created so that it runs nothing, recorded, and only then let go. Whoever dies in between leaves a
//! Job that did nothing, or one that is known; so it runs at most once. A Job that vanished is never created again.

use super::acts::Place;
use super::seen::{ActJobSeen, ActStage, Live};
use super::state::{RESTORING, STOPPING};
use super::step::{Change, Effect, Input, Need, Step};

/// How the act under way stands.
pub(super) fn place(input: &Input<'_>) -> Place {
    let job = match (&input.seen.act_job, input.state.act_job) {
        (Live::NotRead, _) => return Place::Look(Step::Read(Need::ActJob)),
        (Live::Unreachable, _) => return Place::Unknown,
        (Live::Missing, None) => return Place::Write(Effect::CreateActJob),
        (Live::Fresh(job), None) if is_ours(job) => return Place::Look(Step::Record(Change::ActJob(job.uid))),
        (Live::Fresh(job), Some(known)) if is_ours(job) && job.uid == known => job,
        (Live::Missing | Live::Denied | Live::Fresh(_), _) => return Place::Never,
    };
    match job.stage {
        ActStage::Held => Place::Write(Effect::RunActJob(job.uid)),
        ActStage::Runs => Place::Runs,
        ActStage::Done => Place::There,
        ActStage::Failed => Place::Never,
    }
}

fn is_ours(job: &ActJobSeen) -> bool {
    job.ours && !job.terminating
}

/// The Job of an act that is over goes. What can't be deleted in time is left to the standing rule.
pub(super) fn leftover(input: &Input<'_>) -> Option<Step> {
    let job = input.state.act_job.filter(|_| !input.state.acting)?;
    let longest = input.plan.act(input.state, input.state.act).map_or(0, |act| act.longest());
    if input.now >= input.state.act_at + longest + STOPPING {
        return None;
    }
    match &input.seen.act_job {
        Live::NotRead => Some(Step::Read(Need::ActJob)),
        Live::Fresh(seen) if is_ours(seen) && seen.uid == job => Some(Step::Act(Effect::DeleteActJob(job))),
        _ => None,
    }
}

/// A run that ends gives up the Job of an act; putting back waits for that no longer than for generators to stop.
pub(super) fn given_up(input: &Input<'_>) -> Option<Step> {
    let state = input.state;
    let is_job = input.plan.act(state, state.act).is_some_and(|act| act.kind.is_job());
    if !is_job || !(state.acting || state.act_job.is_some()) || input.now >= state.deadline - RESTORING + STOPPING {
        return None;
    }
    match &input.seen.act_job {
        Live::NotRead => Some(Step::Read(Need::ActJob)),
        Live::Fresh(job) if is_ours(job) => Some(Step::Act(Effect::DeleteActJob(job.uid))),
        _ => None,
    }
}
