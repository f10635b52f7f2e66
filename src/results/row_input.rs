//! What a row is made from, stage by stage: plain data that a controller can fill again after a restart.

use crate::api::{ActionFigures, LoadTestSpec, Reason, TargetFigures};
use crate::plan::PlannedRow;

use super::figures::measurements::LogCount;
use super::gathered::collect::GeneratorOutcome;
use super::gathered::sample::Sample;
use super::gathered::series::Series;

/// Something the controller knows about a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it makes of the row, where its kind is Invalid; absent: it is only noticed.
    pub reason: Option<Reason>,
    /// A sentence for people, without secrets.
    pub message: String,
}

/// All of the clients' part of a row.
#[derive(Clone, Copy, Debug)]
pub struct CollectInput<'a> {
    pub planned: &'a PlannedRow,
    /// The granted start, milliseconds since the epoch; absent: none was granted.
    pub start_at_ms: Option<i64>,
    /// By completion index.
    pub outcomes: &'a [(u32, GeneratorOutcome)],
    /// What the targets' pods had.
    pub targets: &'a [TargetFigures],
    /// What actions did.
    pub actions: &'a [ActionFigures],
    pub facts: &'a [Fact],
}

/// All that is known when a row has settled, besides the row itself.
#[derive(Clone, Copy, Debug)]
pub struct CompleteInput<'a> {
    pub spec: &'a LoadTestSpec,
    pub planned: &'a PlannedRow,
    /// The observer's, from a little before the row's start to the end of its settle time.
    pub samples: &'a [Sample],
    /// One for each log measurement.
    pub logs: &'a [LogCount],
    /// Most connections the database allows.
    pub connection_limit: Option<i32>,
    /// Tasks of the warm-up by the clients' count ([`warmup_tasks`]); kept in the row's ConfigMap.
    pub warmup_tasks: Option<u64>,
    /// When settle.until held, milliseconds since the epoch; absent: not asked, or it never did.
    pub drained_at_ms: Option<i64>,
    /// Settle time over, milliseconds since the epoch.
    pub ended_at_ms: i64,
    pub facts: &'a [Fact],
}

/// What came late.
#[derive(Clone, Copy, Debug)]
pub struct LateInput<'a> {
    pub spec: &'a LoadTestSpec,
    /// CloudWatch's, for the whole test.
    pub series: &'a [Series],
}
