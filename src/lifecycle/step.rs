//! What can be done next.

use super::seen::Seen;
use super::state::{Fire, Millis, Uid};
use crate::api::{Reason, TargetState};

/// Everything a decision rests on.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    pub now: Millis,
    pub intent: &'a super::state::Intent,
    pub plan: &'a super::state::PlanView,
    pub state: &'a super::state::State,
    pub seen: &'a Seen,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Look at these, then decide again.
    Read(Need),
    /// Compare and swap the status; nothing else in this pass.
    Record(Change),
    /// Do this; nothing is recorded in this pass.
    Act(Effect),
    /// Nothing to do until something changes, at latest then.
    Wait { reason: Reason, until: Millis },
    /// Nothing to do until the spec changes.
    Rest,
}

/// What to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    Preflight,
    Targets,
    Rollout,
    Job,
    Pods,
    Victims,
    /// The Job of the act at hand.
    ActJob,
    Observer,
    Drained,
    /// Read the generators' records.
    Collect,
    Evidence,
}

/// What is recorded. `State::after` says what it makes of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// This generation asks for nothing new.
    Observe,
    /// The test ends before anything was changed.
    Refuse(Reason),
    /// A new run.
    Begin,
    /// All targets are claimed: their uids, and their originals beside the state.
    Originals(Vec<Uid>),
    /// The next row is sized.
    NextRow,
    /// Only the wanted pods serve: what must be equal at the end of the load is recorded.
    Creating,
    /// The row's Job is there. It is never created again.
    Arming(Uid),
    /// The commit point, once a row.
    Fire {
        fire: Fire,
        pods: Vec<Uid>,
    },
    Loading,
    /// An act of the row begins, with the pods that it deletes.
    ActBegun {
        act: u16,
        doomed: Vec<Uid>,
    },
    /// The Job of the act under way is there, and runs nothing yet. It is never created again.
    ActJob(Uid),
    /// The act under way is done.
    ActDone,
    /// That act is not done, or not in time; it isn't tried again.
    ActFailed(u16),
    Collecting,
    /// The clients' part of the row.
    Collected,
    /// The row was not fired, and why.
    RowInvalid(Reason),
    /// settle.until holds (or nothing is waited for).
    Settling,
    /// The whole row.
    RowDone,
    /// The run ends.
    Restoring(Reason),
    /// Where each target stands now.
    Released(Vec<TargetState>),
    /// Verdict and table, before the acts after the run.
    Judged,
    /// The end; verdict and table, where they are not recorded yet.
    Finish,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    AddFinalizer,
    RemoveFinalizer,
    /// Of the n-th sized target: label and annotation only.
    Claim(usize),
    /// Of the n-th sized target: the row's size and the annotation's `set`.
    Size(usize),
    /// Of the n-th sized target: replicas as the act under way wants them, with its number.
    Rescale(usize),
    /// Of the n-th sized target: a new instant in the pods' template, with the number of the act under way.
    Restart(usize),
    /// These pods of a target.
    DeletePods(Vec<Uid>),
    /// The Job of the act under way, which runs nothing yet.
    CreateActJob,
    /// The act's Job runs from now on.
    RunActJob(Uid),
    DeleteActJob(Uid),
    /// Of the n-th sized target: the originals where nobody else changed them, label and annotation away.
    Release(usize),
    CreateObserver,
    DeleteObserver,
    CreateJob,
    DeleteJob(Uid),
    /// Write `start-at` on these pods.
    Grant(Vec<Uid>),
    /// Write `stop-at` on all pods of the row.
    Stop,
    /// The LoadTest itself is deleted, if nobody wrote it since it was read.
    Expire,
}
