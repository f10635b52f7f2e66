//! Actions: each planned time of a row is one act, done in order and at most once.
//!
//! - An act is recorded as begun before anything of it is written, and with it the pods that it deletes.
//! - A target carries the number of the act that wrote it last: what is done already is not done again, and the next
//!   write makes every older one stale.
//! - In mid-load an act that is late is not begun any more: requests are excused only at its planned time. What a scale
//!   changed is undone however late.
//! - Completion is tested before expiry.

use super::row::current;
use super::seen::{ClaimSeen, Live, RolloutSeen, SizeSeen, TargetSeen};
use super::state::{ActKind, ActView, HELD, LATE, Millis};
use super::step::{Change, Effect, Input, Need, Step};
use super::wait::{SOON, wait_until};
use crate::api::Reason;

/// The next step of the acts before the row; `None`: they are done.
pub(super) fn before_row(input: &Input<'_>) -> Option<Step> {
    let acts = current(input).map_or(&[][..], |row| &row.acts);
    if let Some(act) = under_way(input, acts) {
        let late = input.now >= input.state.act_at + act.timeout;
        return Some(match in_place(input, act) {
            Place::Look(step) => step,
            Place::There => rolled_out(input, late),
            Place::Write(effect) if !late => Step::Act(effect),
            Place::Unknown if !late => Step::Wait { reason: Reason::Acting, until: input.now + SOON },
            _ => Step::Record(Change::Restoring(Reason::ActionFailed)),
        });
    }
    let number = input.state.act + 1;
    let act = acts.get(usize::from(number) - 1).filter(|act| act.at.is_none())?;
    let wait = || wait_until(input, Reason::Acting, input.state.deadline, Reason::ActionFailed);
    Some(begin(input, number, act).unwrap_or_else(wait))
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
    let acts = current(input).map_or(&[][..], |row| &row.acts);
    let start = input.state.fire?.start_at;
    if let Some(act) = under_way(input, acts) {
        let late = input.now > last(start, input.state.act_at, act);
        return Some(match in_place(input, act) {
            Place::Look(step) => step,
            Place::There => Step::Record(Change::ActDone),
            Place::Write(effect) if !late => Step::Act(effect),
            Place::Unknown if !late => Step::Wait { reason: Reason::Loading, until: input.now + SOON / 4 },
            _ => Step::Record(Change::ActFailed(input.state.act)),
        });
    }
    let number = if over { undone(acts, input.state.act)? } else { input.state.act + 1 };
    let act = acts.get(usize::from(number) - 1)?;
    let due = start + act.at?;
    if input.now < due && !over {
        return None;
    }
    if !act.kind.undoes() && input.now > due + LATE {
        return Some(Step::Record(Change::ActFailed(number)));
    }
    begin(input, number, act).or(Some(Step::Wait { reason: Reason::Loading, until: input.now + SOON / 4 }))
}

/// When the next act of the load is due.
pub(super) fn next_due(input: &Input<'_>) -> Option<Millis> {
    let act = current(input)?.acts.get(usize::from(input.state.act))?;
    Some(input.state.fire?.start_at + act.at?)
}

/// Until when an act in mid-load that was begun may still be done.
fn last(start: Millis, begun_at: Millis, act: &ActView) -> Millis {
    let planned = start + act.at.unwrap_or(0) + LATE;
    if act.kind.undoes() { begun_at + act.timeout } else { planned.min(begun_at + act.timeout) }
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
enum Place {
    /// Something must be looked at first.
    Look(Step),
    /// It is done.
    There,
    /// This is still to be done.
    Write(Effect),
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
