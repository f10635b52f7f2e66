//! What the status says about a run, and what a record makes of it.

use sha2::{Digest, Sha256};

use crate::api::{Phase, Reason, RowStep, TargetState, When};

/// Milliseconds since the epoch.
pub type Millis = i64;

/// Identity of an object: 64 bits of the hash of its uid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(pub u64);

impl Uid {
    /// Of a Kubernetes uid.
    pub fn of(uid: &str) -> Self {
        let hash = Sha256::digest(uid);
        Self(hash.iter().take(8).fold(0, |n, byte| n << 8 | u64::from(*byte)))
    }
}

/// The commit point of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fire {
    /// First request due.
    pub start_at: Millis,
    /// No generator sends after this.
    pub hard_end_at: Millis,
}

/// What the status says. Absent parts of the status are the defaults here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub phase: Phase,
    /// Generation the status is about; -1: not seen yet.
    pub observed_generation: i64,
    /// Number of the run in progress or the last one; 0: none.
    pub run: i64,
    /// When that run began.
    pub started_at: Millis,
    /// False: the run was begun by an operator with another protocol.
    pub protocol_known: bool,
    /// Row being worked on; 0: before the first.
    pub row: u8,
    pub step: RowStep,
    /// When the step (or phase) is given up.
    pub deadline: Millis,
    /// The row's generator Job.
    pub job: Option<Uid>,
    /// The row's armed pods, from the commit point on.
    pub armed: Vec<Uid>,
    pub fire: Option<Fire>,
    /// Number of the row's act that was begun last; 0: none.
    pub act: u16,
    /// It is not known to be done, nor to have failed.
    pub acting: bool,
    /// When it was begun.
    pub act_at: Millis,
    /// The pods that it deletes.
    pub doomed: Vec<Uid>,
    /// Its Job, once that is recorded. Kept when the act is over: the Job is to be deleted.
    pub act_job: Option<Uid>,
    /// The verdict is recorded; what is left are the acts after the run.
    pub judged: bool,
    /// Sized targets, in the order they are claimed: uid once recorded, and where each stands.
    pub targets: Vec<Option<(Uid, TargetState)>>,
    /// How the run ends; from Restoring on.
    pub end: Option<Reason>,
    /// Since when the test is finished.
    pub finished_at: Option<Millis>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            phase: Phase::Pending,
            observed_generation: -1,
            run: 0,
            started_at: 0,
            protocol_known: true,
            row: 0,
            step: RowStep::Pending,
            deadline: 0,
            job: None,
            armed: Vec::new(),
            fire: None,
            act: 0,
            acting: false,
            act_at: 0,
            doomed: Vec::new(),
            act_job: None,
            judged: false,
            targets: Vec::new(),
            end: None,
            finished_at: None,
        }
    }
}

/// What is wanted of the LoadTest now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Intent {
    pub generation: i64,
    /// The spec holds together and keeps the operator's limits; else why not.
    pub refusal: Option<Reason>,
    /// The plan is that of the run in the status.
    pub same_plan: bool,
    pub suspend: bool,
    pub cancel: bool,
    pub deleting: bool,
    /// Our finalizer is there.
    pub finalizer: bool,
    /// How long the finished test stays; `None`: for ever.
    pub ttl: Option<Millis>,
}

/// What of the plan matters here. Times in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PlanView {
    /// Generators of each row and the longest each row's load can take.
    pub rows: Vec<RowView>,
    /// Acts before the first row.
    pub before: Vec<ActView>,
    /// Acts after the run.
    pub after: Vec<ActView>,
    /// Number of targets that get a size or that an action is done to.
    pub sized: usize,
    /// There is something to sample.
    pub observer: bool,
    /// settle.until is set.
    pub drain: bool,
    pub drain_timeout: Millis,
    pub settle: Millis,
    pub queue: Millis,
    pub prepare: Millis,
    pub total: Millis,
    /// How long late figures are waited for; 0: there are none.
    pub evidence: Millis,
}

/// One row of the plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RowView {
    pub generators: u32,
    pub worst_case: Millis,
    /// In the order of their moments and times.
    pub acts: Vec<ActView>,
}

/// One time that an action is planned for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ActView {
    pub when: When,
    /// In mid-load: after the start of the load.
    pub at: Option<Millis>,
    pub kind: ActKind,
    /// How long it may take once it is due.
    pub timeout: Millis,
}

/// What an act does: to the n-th sized target, or as a Job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActKind {
    Scale {
        target: usize,
        replicas: u16,
    },
    ScaleBack {
        target: usize,
    },
    Restart {
        target: usize,
    },
    DeletePods {
        target: usize,
    },
    /// `lead`: in mid-load it is begun so long before its time, in which its pod starts; the pod waits for its time.
    Job {
        lead: Millis,
    },
}

impl ActView {
    /// How long before its time it is begun.
    pub fn lead(&self) -> Millis {
        match self.kind {
            ActKind::Job { lead } => lead,
            _ => 0,
        }
    }

    /// Until when it may take once it was begun.
    pub fn longest(&self) -> Millis {
        self.lead() + self.timeout
    }
}

impl ActKind {
    /// It takes back what an earlier act did.
    pub fn undoes(self) -> bool {
        matches!(self, ActKind::ScaleBack { .. })
    }

    /// The sized target that it is done to.
    pub fn target(self) -> Option<usize> {
        match self {
            Self::Scale { target, .. } | Self::ScaleBack { target } => Some(target),
            Self::Restart { target } | Self::DeletePods { target } => Some(target),
            Self::Job { .. } => None,
        }
    }

    /// It is done by a Job of its own.
    pub fn is_job(self) -> bool {
        matches!(self, Self::Job { .. })
    }
}

/// How long unfinished preparations (ready pods, a Service) are waited for before anything is changed.
pub const CLAIMING: Millis = 60_000;
/// Until the Job's pods are there.
pub const CREATING: Millis = 60_000;
/// Until all generators are armed.
pub const ARMING: Millis = 120_000;
/// After hardEndAt, for pods to be seen ended.
pub const GRACE: Millis = 30_000;
/// For reading the generators' records.
pub const COLLECTING: Millis = 120_000;
/// For putting the targets back.
pub const RESTORING: Millis = 300_000;
/// After `stop-at`, until the Job is deleted.
pub const STOPPING: Millis = 10_000;
/// After its planned time an act in mid-load is not done any more.
pub const LATE: Millis = 5_000;
/// An act by a pod of ours is begun so long before its time in mid-load, since the pod takes its time to start.
pub const ACT_LEAD: Millis = 10_000;
/// What the rollout proof must have held.
pub const HELD: Millis = 3_000;

impl PlanView {
    /// The acts of where a run stands: before its first row, of its row, or after its verdict.
    pub fn acts(&self, state: &State) -> &[ActView] {
        match usize::from(state.row).checked_sub(1) {
            _ if state.judged => &self.after,
            None => &self.before,
            Some(at) => self.rows.get(at).map_or(&[], |row| &row.acts),
        }
    }

    /// The act of that number among these, from 1.
    pub fn act(&self, state: &State, act: u16) -> Option<&ActView> {
        self.acts(state).get(usize::from(act).checked_sub(1)?)
    }
}

/// How far ahead the common start instant is set: 5 s and a second for every 20 generators.
pub fn lead(generators: u32) -> Millis {
    5_000 + i64::from(generators) * 50
}

impl State {
    /// When the last request of the row can be open; the past when the row was not fired.
    pub fn hard_end(&self) -> Millis {
        self.fire.map_or(Millis::MIN / 2, |fire| fire.hard_end_at)
    }

    /// A run is in progress: claims and Jobs that carry its label are in use.
    pub fn active(&self) -> bool {
        matches!(self.phase, Phase::Claiming | Phase::Running | Phase::Restoring)
    }
}
