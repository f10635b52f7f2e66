//! What is told of one request: when it was due, sent and answered.

use std::time::Duration;

use crate::engine::http::failure::Failure;

/// Milliseconds of a duration, for instants since the epoch.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Whole microseconds, rounded up so that less than one does not vanish.
pub(super) fn micros(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000) + u64::from(duration.subsec_nanos().div_ceil(1000))
}

/// When one request was due and was sent; from the load's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sending {
    /// Position of its step.
    pub step: usize,
    /// Which time the step is sent in its iteration, from 1.
    pub turn: u32,
    /// Its iteration was due in the warm-up.
    pub warmup: bool,
    pub due: Duration,
    /// What its latency counts from: when it was due; of an item, when its iteration was.
    pub since: Duration,
    pub sent: Duration,
}

/// How one request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// From the load's start.
    pub end: Duration,
    /// The status, when there was one.
    pub status: Option<u16>,
    /// Tasks of a good answer, 0 when none are counted; or why it is no good answer.
    pub outcome: Result<u64, Failure>,
    /// It failed while an action lasted.
    pub excused: bool,
}
