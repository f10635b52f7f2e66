//! One row: size, prove, arm, fire once, collect, drain, settle.
//!
//! - The Job is created only before its uid is recorded, and pods are granted only what the recorded commit point says.
//! - A row is fired at most once: `Fire` is recorded only in Arming, and nothing leads back there.

use super::acts;
use super::seen::{ClaimSeen, JobSeen, Live, ObserverSeen, RolloutSeen, SizeSeen, TargetSeen};
use super::start::{fire, starting};
use super::state::{HELD, RowView};
use super::step::{Change, Effect, Input, Need, Step};
use super::wait::{SOON, wait_until};
use crate::api::{Reason, RowStep, When};

/// The next step of a running test.
pub(super) fn row(input: &Input<'_>) -> Step {
    let state = input.state;
    let total = state.started_at + input.plan.total;
    let step = match state.step {
        RowStep::Pending => acts::leftover(input).unwrap_or_else(|| before_first(input)),
        RowStep::Draining if state.row == 0 => acts::leftover(input).unwrap_or_else(|| before_first(input)),
        RowStep::Sizing => acts::leftover(input).unwrap_or_else(|| sizing(input)),
        RowStep::Creating => creating(input),
        RowStep::Arming => arming(input),
        RowStep::Starting => starting(input),
        RowStep::Loading => loading(input),
        RowStep::Collecting => collecting(input),
        RowStep::Draining => acts::leftover(input).unwrap_or_else(|| draining(input)),
        RowStep::Settling => acts::leftover(input).unwrap_or_else(|| settling(input)),
        RowStep::Done => done(input),
    };
    // Once fired, hardEndAt already keeps the total; what was measured is still collected.
    let fired = matches!(state.step, RowStep::Starting | RowStep::Loading | RowStep::Collecting);
    // An act that never takes effect is a wait too, and nothing new is begun.
    let goes_on = matches!(step, Step::Wait { .. } | Step::Act(_) | Step::Record(Change::NextRow));
    if goes_on && input.now >= total && !fired {
        return Step::Record(Change::Restoring(Reason::DeadlineExceeded));
    }
    step
}

/// The observer is started and the backlog of earlier work waited for, before any size.
fn before_first(input: &Input<'_>) -> Step {
    if input.plan.observer {
        let patience = input.state.started_at + 2 * super::state::ARMING;
        match &input.seen.observer {
            Live::NotRead => return Step::Read(Need::Observer),
            Live::Missing if input.now < patience => return Step::Act(Effect::CreateObserver),
            Live::Missing => return Step::Record(Change::Restoring(Reason::ObserverLost)),
            Live::Fresh(ObserverSeen::Lost(reason)) => return Step::Record(Change::Restoring(*reason)),
            Live::Fresh(ObserverSeen::Starting) => {
                return wait_until(input, Reason::Arming, patience, Reason::ObserverLost);
            }
            Live::Fresh(ObserverSeen::Ready) => {}
            Live::Fresh(ObserverSeen::Terminating) => return Step::Record(Change::Restoring(Reason::ObserverLost)),
            Live::Denied => return Step::Record(Change::Restoring(Reason::Forbidden)),
            Live::Unreachable => return unavailable(input),
        }
    }
    if let Some(step) = acts::at_moment(input, When::BeforeRun) {
        return step;
    }
    match drained(input) {
        Ok(()) => Step::Record(Change::NextRow),
        Err(step) => step,
    }
}

/// Each target gets the row's size; then only the wanted pods serve, and have for a while.
fn sizing(input: &Input<'_>) -> Step {
    if input.plan.sized > 0 && input.seen.targets.iter().all(Live::is_not_read) {
        return Step::Read(Need::Targets);
    }
    for (index, (target, recorded)) in input.seen.targets.iter().zip(&input.state.targets).enumerate() {
        match target {
            Live::Fresh(TargetSeen { uid, .. }) if recorded.is_some_and(|(known, _)| known != *uid) => {
                return Step::Record(Change::Restoring(Reason::TargetReplaced));
            }
            Live::Fresh(TargetSeen { claim: ClaimSeen::Ours, size, .. }) => match size {
                SizeSeen::Wanted => {}
                SizeSeen::Left if input.now < input.state.deadline => return Step::Act(Effect::Size(index)),
                SizeSeen::Left => return Step::Record(Change::Restoring(Reason::RolloutFailed)),
                SizeSeen::Foreign => return Step::Record(Change::Restoring(Reason::TargetDisturbed)),
            },
            Live::Fresh(_) => return Step::Record(Change::Restoring(Reason::TargetDisturbed)),
            Live::Missing => return Step::Record(Change::Restoring(Reason::TargetGone)),
            Live::Denied => return Step::Record(Change::Restoring(Reason::Forbidden)),
            Live::Unreachable | Live::NotRead => return unavailable(input),
        }
    }
    if let Some(step) = acts::at_moment(input, When::BeforeRow) {
        return step;
    }
    match &input.seen.rollout {
        Live::NotRead => Step::Read(Need::Rollout),
        Live::Fresh(RolloutSeen::Ready { held }) if *held >= HELD => Step::Record(Change::Creating),
        Live::Fresh(RolloutSeen::Failed) => Step::Record(Change::Restoring(Reason::RolloutFailed)),
        Live::Missing => Step::Record(Change::Restoring(Reason::TargetGone)),
        Live::Denied => Step::Record(Change::Restoring(Reason::Forbidden)),
        _ => wait_until(input, Reason::RollingOut, input.state.deadline, Reason::RolloutFailed),
    }
}

fn creating(input: &Input<'_>) -> Step {
    match &input.seen.job {
        Live::NotRead => Step::Read(Need::Job),
        Live::Fresh(JobSeen { uid, ours: true, terminating: false }) => Step::Record(Change::Arming(*uid)),
        Live::Fresh(JobSeen { ours: true, terminating: true, .. }) => Step::Record(Change::RowInvalid(Reason::JobGone)),
        Live::Fresh(JobSeen { ours: false, .. }) => {
            wait_until(input, Reason::CreatingGenerators, input.state.deadline, Reason::JobNameTaken)
        }
        Live::Missing if input.now < input.state.deadline => Step::Act(Effect::CreateJob),
        Live::Missing => Step::Record(Change::Restoring(Reason::DeadlineExceeded)),
        Live::Denied => Step::Record(Change::Restoring(Reason::Forbidden)),
        Live::Unreachable => unavailable(input),
    }
}

fn arming(input: &Input<'_>) -> Step {
    match (&input.seen.job, &input.seen.pods) {
        (Live::NotRead, _) => return Step::Read(Need::Job),
        (_, Live::NotRead) => return Step::Read(Need::Pods),
        (Live::Fresh(job), _) if Some(job.uid) != input.state.job || job.terminating => {
            return Step::Record(Change::RowInvalid(Reason::JobGone));
        }
        (Live::Missing, _) => return Step::Record(Change::RowInvalid(Reason::JobGone)),
        (Live::Fresh(_), Live::Fresh(pods)) => {
            let (generators, worst_case) = current(input).map_or((0, 0), |row| (row.generators, row.worst_case));
            if pods.armed.len() == generators as usize {
                return Step::Record(fire(input, generators, worst_case, pods));
            }
            if let Some(reason) = pods.trouble {
                return Step::Record(Change::Restoring(reason));
            }
        }
        _ => {}
    }
    wait_until(input, Reason::Arming, input.state.deadline, Reason::ArmTimeout)
}

fn loading(input: &Input<'_>) -> Step {
    let over = match &input.seen.pods {
        Live::NotRead => return Step::Read(Need::Pods),
        Live::Fresh(pods) if pods.alive == 0 => true,
        Live::Missing => true,
        _ => input.now >= input.state.deadline,
    };
    if let Some(step) = acts::leftover(input).or_else(|| acts::in_load(input, over)) {
        return step;
    }
    if over {
        return Step::Record(Change::Collecting);
    }
    let next = acts::next_due(input).unwrap_or(input.state.deadline).min(input.now + 2 * SOON);
    Step::Wait { reason: Reason::Loading, until: input.state.deadline.min(next) }
}

fn collecting(input: &Input<'_>) -> Step {
    match &input.seen.collected {
        Live::NotRead => Step::Read(Need::Collect),
        Live::Fresh(()) => Step::Record(Change::Collected),
        // The collector gives up in time what it can't read; this is for what keeps it from even that.
        _ if input.now >= input.state.deadline => Step::Record(Change::Restoring(Reason::ResultsIncomplete)),
        _ => Step::Wait { reason: Reason::Collecting, until: input.now + SOON },
    }
}

/// The Job goes first (what was read stays in the row), then the acts after the load are done, then the backlog is waited for.
fn draining(input: &Input<'_>) -> Step {
    match &input.seen.job {
        Live::NotRead => return Step::Read(Need::Job),
        Live::Fresh(job) if job.ours && !job.terminating => return Step::Act(Effect::DeleteJob(job.uid)),
        _ => {}
    }
    if let Some(step) = acts::at_moment(input, When::AfterLoad) {
        return step;
    }
    match drained(input) {
        Ok(()) => Step::Record(Change::Settling),
        Err(step) => step,
    }
}

/// Ok: settle.until holds, or nothing is waited for.
fn drained(input: &Input<'_>) -> Result<(), Step> {
    if !input.plan.drain {
        return Ok(());
    }
    match &input.seen.drained {
        Live::NotRead => Err(Step::Read(Need::Drained)),
        Live::Fresh(true) => Ok(()),
        _ => Err(wait_until(input, Reason::Draining, input.state.deadline, Reason::DrainTimeout)),
    }
}

fn settling(input: &Input<'_>) -> Step {
    if input.now < input.state.deadline {
        return Step::Wait { reason: Reason::Settling, until: input.state.deadline };
    }
    acts::at_moment(input, When::AfterRow).unwrap_or(Step::Record(Change::RowDone))
}

fn done(input: &Input<'_>) -> Step {
    if usize::from(input.state.row) < input.plan.rows.len() {
        return Step::Record(Change::NextRow);
    }
    Step::Record(Change::Restoring(Reason::ThresholdsMet))
}

fn unavailable(input: &Input<'_>) -> Step {
    wait_until(input, Reason::ApiUnavailable, input.state.deadline, Reason::DeadlineExceeded)
}

pub(super) fn current<'a>(input: &Input<'a>) -> Option<&'a RowView> {
    input.plan.rows.get(usize::from(input.state.row).checked_sub(1)?)
}
