//! The process in an agent's pod. It goes on when its pod's object is gone: a lost node's generator does.

use crate::fake::Millis;
use crate::fake::store::Key;
use loadtest_operator::plan::GeneratorInput;

/// What a generator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Not armed yet.
    Starting,
    /// Armed and waiting for the grant.
    Armed,
    /// Granted, or sending: first request due, latest end, and when the grant was seen after it was written.
    Granted {
        start_at: Millis,
        hard_end_at: Millis,
        seen_after: Millis,
    },
    Ended,
}

/// One agent.
#[derive(Clone, Debug)]
pub struct Process {
    /// Where its pod is.
    pub pod: Key,
    /// Absent: the observer.
    pub input: Option<GeneratorInput>,
    /// The Job of an act, whose pod this is.
    pub act: Option<String>,
    /// Value of the run's label.
    pub run: String,
    pub row: i32,
    pub index: u32,
    pub doing: Doing,
    /// When it was armed.
    pub armed_at: Option<Millis>,
    /// How often its annotations were changed.
    pub changes: u8,
    /// When it ended.
    pub ended_at: Option<Millis>,
    /// What it wrote to standard output.
    pub log: String,
    /// Its node is lost: nothing reaches it and nothing is heard of it.
    pub lost: bool,
}
