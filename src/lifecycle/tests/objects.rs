//! The objects of a world that is explored, as far as a run reads and writes them.

use super::world::{ActKey, RowKey, RunKey};
use crate::lifecycle::{ActStage, Millis, Uid};

/// A field of a target: 0 as it was found, 100 and more set by somebody else, between them a row's size.
pub type Value = u8;

/// Set by somebody else.
pub const FOREIGN: Value = 100;

/// Replicas that an act gives a target, as its value.
pub fn scaled_to(replicas: u16) -> Value {
    90 + u8::try_from(replicas).unwrap_or(8)
}

/// The size a row wants.
pub fn wanted(row: RowKey) -> Value {
    let n = row.of.test * 30 + usize::try_from(row.of.run).unwrap_or(0) * 4 + usize::from(row.row);
    u8::try_from(n).unwrap_or(99).min(99)
}

/// A claim: label and annotation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    pub of: RunKey,
    pub originals: [Value; 2],
    pub set: Option<[Value; 2]>,
    /// The act that wrote it last.
    pub act: Option<ActKey>,
}

/// A workload under test.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    pub uid: Uid,
    pub version: u32,
    pub claim: Option<Claim>,
    /// Replicas and CPU, say: two fields, so that somebody else can change one of them.
    pub size: [Value; 2],
    /// How often its pod was replaced because it was deleted: which pod it has.
    pub pod: u8,
}

/// A generator Job.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Job {
    pub row: RowKey,
    /// The how-many-th of its row.
    pub nth: u8,
    /// Indexes whose pod was made.
    pub made: u8,
    pub terminating: bool,
}

impl Job {
    pub fn uid(&self) -> Uid {
        let RunKey { test, run } = self.row.of;
        Uid(1 + test as u64 * 10_000 + run.unsigned_abs() * 1_000 + u64::from(self.row.row) * 100 + u64::from(self.nth))
    }
}

/// The Job of an act, and its one pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActJob {
    pub act: ActKey,
    /// The how-many-th of its act.
    pub nth: u8,
    pub stage: ActStage,
}

impl ActJob {
    pub fn uid(&self) -> Uid {
        let (RowKey { of, row }, act) = self.act;
        let row = u64::from(row) * 1_000 + u64::from(act) * 10 + u64::from(self.nth);
        Uid(500_000_000 + of.test as u64 * 10_000_000 + of.run.unsigned_abs() * 1_000_000 + row)
    }
}

/// Where a generator stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    Starting,
    Armed,
    /// Made its marker; sends from `start` to `hard_end`.
    Fired,
    Ended,
}

/// A generator pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pod {
    pub row: RowKey,
    pub job: Uid,
    pub index: u8,
    /// Not the first of its index.
    pub duplicate: bool,
    pub version: u32,
    pub stage: Stage,
    pub marker: bool,
    /// Annotations: the granted start and hard end, and `stop-at`.
    pub grant: Option<(Millis, Millis)>,
    /// How many reminders were due when it was told last.
    pub reminded: u8,
    pub stop: bool,
    pub terminating: bool,
}

impl Pod {
    pub fn uid(&self) -> Uid {
        Uid(self.job.0 * 1_000 + u64::from(self.index) * 2 + u64::from(self.duplicate))
    }

    /// Requests may be open.
    pub fn may_send(&self, now: Millis) -> bool {
        self.stage == Stage::Fired && self.grant.is_some_and(|(_, hard_end)| now < hard_end)
    }
}
