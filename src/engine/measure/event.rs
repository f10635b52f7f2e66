//! What is told of one request: when it was due, sent and answered.

use super::elapsed::Elapsed;
use crate::engine::http::failure::Failure;

/// When one request was due and was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sending {
    /// Position of its step.
    pub step: u32,
    /// Which time the step is sent in its iteration, from 1.
    pub turn: u32,
    /// Its iteration was due in the warm-up.
    pub warmup: bool,
    pub due: Elapsed,
    /// What its latency counts from: when it was due; of an item, when its iteration was.
    pub since: Elapsed,
    pub sent: Elapsed,
}

/// How one request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    pub end: Elapsed,
    /// The status, when there was one.
    pub status: Option<u16>,
    /// Tasks of a good answer, 0 when none are counted; or why it is no good answer.
    pub outcome: Result<u64, Failure>,
    /// It failed while an action lasted.
    pub excused: bool,
}
