//! Actions: each planned time of a row is one act, done in order and at most once; so are those before and after the run.
//!
//! - An act is recorded as begun before anything of it is written, and with it the pods that it deletes.
//! - A target carries the number of the act that wrote it last: what is done already is not done again, and the next
//!   write makes every older one stale. A Job is let go only when its uid is recorded (`act_job.rs`).
//! - In mid-load an act that is late is not begun any more: requests are excused only at its planned time. What a scale
//!   changed is undone however late.
//! - What fails before a row ends the run; what fails later is recorded, and the run goes on.
//! - Completion is tested before expiry.

use super::act_job;
pub(super) use super::act_job::{given_up, leftover};
use super::seen::{ClaimSeen, Live, RolloutSeen, SizeSeen, TargetSeen};
use super::state::{ActKind, ActView, HELD, LATE, Millis};
use super::step::{Change, Effect, Input, Need, Step};
use super::wait::SOON;
use crate::api::{Reason, When};

/// The next step of the acts of a moment outside the load, which is held up by them; `None`: they are over.
pub(super) fn at_moment(input: &Input<'_>, when: When) -> Option<Step> {
    let acts = input.plan.acts(input.state);
    if let Some(act) = under_way(input, acts).filter(|act| act.when == when) {
        let over = input.state.act_at + act.longest();
        let late = input.now >= over;
        return Some(match in_place(input, act) {
            Place::Look(step) => step,
            Place::There if when == When::BeforeRow && !act.kind.is_job() => rolled_out(input, late),
            Place::There => Step::Record(Change::ActDone),
            Place::Write(effect) if !late => Step::Act(effect),
            Place::Runs | Place::Unknown if !late => {
                Step::Wait { reason: Reason::Acting, until: over.min(input.now + SOON) }
            }
            _ => failed(when, input.state.act),
        });
    }
    let (number, act) =
        acts.iter().zip(1..).map(|(act, n)| (n, act)).find(|(n, act)| *n > input.state.act && act.when == when)?;
    Some(begin(input, number, act).unwrap_or_else(|| {
        if input.now >= input.state.deadline {
            return failed(when, number);
        }
        Step::Wait { reason: Reason::Acting, until: input.state.deadline.min(input.now + SOON) }
    }))
}

/// Nothing is measured when what should have been done before it was not.
fn failed(when: When, act: u16) -> Step {
    Step::Record(match when {
        When::BeforeRun | When::BeforeRow => Change::Restoring(Reason::ActionFailed),
        When::DuringLoad | When::AfterLoad | When::AfterRow | When::AfterRun => Change::ActFailed(act),
    })
}

/// Before a row the end of a restart is waited for.
fn rolled_out(input: &Input<'_>, late: bool) -> Step {
    match &input.seen.rollout {
        Live::NotRead => Step::Read(Need::Rollout),
        Live::Fresh(RolloutSeen::Ready { held }) if *held >= HELD => Step::Record(Change::ActDone),
        Live::Fresh(RolloutSeen::Failed) => Step::Record(Change::Restoring(Reason::ActionFailed)),
        _ if late => Step::Record(Change::Restoring(Reason::ActionFailed)),
        _ => Step::Wait { reason: Reason::Acting, until: input.now + SOON },
    }
}

/// The next step of the acts in mid-load; `None`: nothing is due. `over`: the load is, so only what a scale changed is
/// still undone.
pub(super) fn in_load(input: &Input<'_>, over: bool) -> Option<Step> {
    let acts = input.plan.acts(input.state);
    let start = input.state.fire?.start_at;
    if let Some(act) = under_way(input, acts) {
        let late = input.now > last(start, input.state.act_at, act);
        let given_up = if act.kind.is_job() { input.now >= input.state.act_at + act.longest() } else { late };
        return Some(match in_place(input, act) {
            Place::Look(step) => step,
            Place::There => Step::Record(Change::ActDone),
            Place::Write(effect) if !late => Step::Act(effect),
            Place::Runs | Place::Unknown if !given_up => {
                Step::Wait { reason: Reason::Loading, until: input.now + SOON / 4 }
            }
            _ => Step::Record(Change::ActFailed(input.state.act)),
        });
    }
    let number = if over { undone(acts, input.state.act)? } else { input.state.act + 1 };
    // Of those before the row none is left, and those after the load have no time.
    let act = acts.get(usize::from(number) - 1)?;
    let due = start + act.at?;
    if input.now < due - act.lead() && !over {
        return None;
    }
    if !act.kind.undoes() && input.now > due + LATE {
        return Some(Step::Record(Change::ActFailed(number)));
    }
    begin(input, number, act).or(Some(Step::Wait { reason: Reason::Loading, until: input.now + SOON / 4 }))
}

/// When the next act of the load is begun.
pub(super) fn next_due(input: &Input<'_>) -> Option<Millis> {
    let act = input.plan.act(input.state, input.state.act + 1)?;
    Some(input.state.fire?.start_at + act.at? - act.lead())
}

/// Until when something of an act in mid-load that was begun may still be written.
fn last(start: Millis, begun_at: Millis, act: &ActView) -> Millis {
    let planned = start + act.at.unwrap_or(0) + LATE;
    if act.kind.undoes() { begun_at + act.timeout } else { planned.min(begun_at + act.longest()) }
}

fn under_way<'a>(input: &Input<'_>, acts: &'a [ActView]) -> Option<&'a ActView> {
    acts.get(usize::from(input.state.act).checked_sub(1)?).filter(|_| input.state.acting)
}

/// Number of the first act that undoes what a begun one did.
fn undone(acts: &[ActView], begun: u16) -> Option<u16> {
    let in_force = |(at, act): &(usize, &ActView)| {
        let ActKind::ScaleBack { target } = act.kind else { return false };
        *at >= usize::from(begun) && scaled(acts, begun, target).is_some()
    };
    let (at, _) = acts.iter().enumerate().find(in_force)?;
    u16::try_from(at + 1).ok()
}

/// Replicas that a target has by an act that was begun and is not undone yet.
pub fn scaled(acts: &[ActView], begun: u16, target: usize) -> Option<u16> {
    let of_target = acts.iter().take(begun.into()).rev().find_map(|act| match act.kind {
        ActKind::Scale { target: of, replicas } if of == target => Some(Some(replicas)),
        ActKind::ScaleBack { target: of } if of == target => Some(None),
        _ => None,
    });
    of_target.flatten()
}

/// How an act that was begun stands.
pub(super) enum Place {
    /// Something must be looked at, or recorded, first.
    Look(Step),
    /// It is done.
    There,
    /// This is still to be done.
    Write(Effect),
    /// It is being done.
    Runs,
    /// The API server did not say.
    Unknown,
    /// It can't be done.
    Never,
}

/// Records that an act begins; `None`: the API server did not answer.
fn begin(input: &Input<'_>, number: u16, act: &ActView) -> Option<Step> {
    let ActKind::DeletePods { .. } = act.kind else {
        return Some(Step::Record(Change::ActBegun { act: number, doomed: Vec::new() }));
    };
    match &input.seen.victims {
        Live::NotRead => Some(Step::Read(Need::Victims)),
        Live::Fresh(victims) => Some(Step::Record(Change::ActBegun { act: number, doomed: victims.chosen.clone() })),
        Live::Missing | Live::Denied => Some(Step::Record(Change::ActFailed(number))),
        Live::Unreachable => None,
    }
}

fn in_place(input: &Input<'_>, act: &ActView) -> Place {
    let target = match act.kind {
        ActKind::DeletePods { .. } => return victims(input),
        ActKind::Job { .. } => return act_job::place(input),
        ActKind::Scale { target, .. } | ActKind::ScaleBack { target } | ActKind::Restart { target } => target,
    };
    if input.seen.targets.iter().all(Live::is_not_read) {
        return Place::Look(Step::Read(Need::Targets));
    }
    let known = input.state.targets.get(target).copied().flatten().map(|(uid, _)| uid);
    match input.seen.targets.get(target) {
        Some(Live::Fresh(TargetSeen { uid, claim: ClaimSeen::Ours, size, marked })) if Some(*uid) == known => {
            match (marked, size, act.kind) {
                (true, ..) => Place::There,
                (false, SizeSeen::Foreign, _) => Place::Never,
                (false, _, ActKind::Restart { .. }) => Place::Write(Effect::Restart(target)),
                (false, ..) => Place::Write(Effect::Rescale(target)),
            }
        }
        Some(Live::Unreachable | Live::NotRead) => Place::Unknown,
        _ => Place::Never,
    }
}

/// The pods that were chosen when the act began, and no others.
fn victims(input: &Input<'_>) -> Place {
    if input.state.doomed.is_empty() {
        return Place::Never;
    }
    match &input.seen.victims {
        Live::NotRead => Place::Look(Step::Read(Need::Victims)),
        Live::Fresh(victims) if victims.left.is_empty() => Place::There,
        Live::Fresh(victims) => Place::Write(Effect::DeletePods(victims.left.clone())),
        Live::Missing | Live::Denied => Place::Never,
        Live::Unreachable => Place::Unknown,
    }
}
