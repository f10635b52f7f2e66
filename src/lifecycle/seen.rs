//! What was seen of the cluster in this pass, as small values.

use super::state::{Millis, Uid};
use crate::api::Reason;

/// One thing that was looked for. Everything is read live: a decision to fire, delete or restore never rests on a cache.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Live<T> {
    /// Not looked for in this pass.
    #[default]
    NotRead,
    /// It is there, as the API server just said.
    Fresh(T),
    /// The API server just said that it isn't there.
    Missing,
    /// The API server refused to say.
    Denied,
    /// The API server did not answer.
    Unreachable,
}

impl<T> Live<T> {
    /// The value, when it was just read.
    pub fn fresh(&self) -> Option<&T> {
        match self {
            Live::Fresh(value) => Some(value),
            _ => None,
        }
    }

    /// The same with another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Live<U> {
        match self {
            Live::Fresh(value) => Live::Fresh(f(value)),
            Live::NotRead => Live::NotRead,
            Live::Missing => Live::Missing,
            Live::Denied => Live::Denied,
            Live::Unreachable => Live::Unreachable,
        }
    }

    /// Nobody looked yet.
    pub fn is_not_read(&self) -> bool {
        matches!(self, Live::NotRead)
    }
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Seen {
    /// Whether the test could start: rights, workloads, Services, quota, the database, the operator's limits.
    pub preflight: Live<Preflight>,
    /// Since when something other than a queue is in the way; 0: not known.
    pub not_yet_since: Millis,
    /// Tests of the namespace that get a place before this one, while it waits for one.
    pub ahead: u32,
    /// The sized targets, in the order they are claimed. Empty: not read.
    pub targets: Vec<Live<TargetSeen>>,
    /// The API server refused the last write to a target that this process tried; nothing was tried yet: false.
    pub refused: bool,
    /// The API server refused to delete the LoadTest when this process tried.
    pub kept: bool,
    /// Whether only the wanted pods serve, over all targets.
    pub rollout: Live<RolloutSeen>,
    /// The Job that has the row's name.
    pub job: Live<JobSeen>,
    /// The pods with the label of the run and row.
    pub pods: Live<PodsSeen>,
    /// The pods of the target whose pods the act at hand deletes.
    pub victims: Live<VictimsSeen>,
    /// The Job of the act that was begun last.
    pub act_job: Live<ActJobSeen>,
    /// The observer's pod.
    pub observer: Live<ObserverSeen>,
    /// settle.until holds.
    pub drained: Live<bool>,
    /// The records of the row's generators were read (or given up).
    pub collected: Live<()>,
    /// Late figures are all there.
    pub evidence: Live<bool>,
}

/// Whether the test could start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Preflight {
    Ok,
    /// May still come.
    NotYet(Reason),
    Refused(Reason),
}

/// A target that gets a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TargetSeen {
    pub uid: Uid,
    pub claim: ClaimSeen,
    pub size: SizeSeen,
    /// It carries the number of the row's act that was begun last.
    pub marked: bool,
}

/// Whose claim a target carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClaimSeen {
    None,
    /// This run's.
    Ours,
    /// Another run's.
    Other,
}

/// How the live size stands to what we set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SizeSeen {
    /// As this row wants it.
    Wanted,
    /// As we left it for another row, or as we found it.
    Left,
    /// Somebody else changed a field that we had set.
    Foreign,
}

/// Whether only the wanted pods serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RolloutSeen {
    /// So long already, the same pods.
    Ready {
        held: Millis,
    },
    Rolling,
    /// It will not come (ProgressDeadlineExceeded).
    Failed,
}

/// The Job that has the row's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JobSeen {
    pub uid: Uid,
    /// Our LoadTest owns it, and its label is this run's.
    pub ours: bool,
    pub terminating: bool,
}

/// The pods of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PodsSeen {
    /// Armed (started and waiting for the grant), one for each index; a second one of an index is left out.
    pub armed: Vec<Uid>,
    /// Carry `start-at`, and when they were told so last.
    pub granted: Vec<(Uid, Millis)>,
    /// May still send: not ended.
    pub alive: u32,
    /// Vanished without having been seen ended: a lost node's pod may still send.
    pub unconfirmed: u32,
    /// All that are alive carry `stop-at`.
    pub stopped: bool,
    /// Why it won't work out.
    pub trouble: Option<Reason>,
}

/// Pods that an act deletes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct VictimsSeen {
    /// Whom an act that begins now would delete.
    pub chosen: Vec<Uid>,
    /// Those of the act under way that are still there and not told to end.
    pub left: Vec<Uid>,
}

/// The Job of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ActJobSeen {
    pub uid: Uid,
    /// Our LoadTest owns it, and its label is this run's.
    pub ours: bool,
    pub terminating: bool,
    pub stage: ActStage,
}

/// How far an act's Job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActStage {
    /// It was not let go yet.
    Held,
    Runs,
    Done,
    Failed,
}

/// The observer's pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObserverSeen {
    Starting,
    Ready,
    /// Deleted, and not gone yet.
    Terminating,
    /// Ended or can't start; why.
    Lost(Reason),
}
