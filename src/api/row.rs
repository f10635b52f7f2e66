//! One row of the table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::action::ActionFigures;
use super::figures::{DatabaseFigure, MeasurementFigure};
use super::shared::*;

/// One row of the table.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Number of the row; the Run column of the table.
    #[schemars(range(min = 1, max = 64))]
    pub row: i32,
    /// Passed, Failed or Invalid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<RowVerdict>,
    /// Why, in one word.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub reason: Option<String>,
    /// What the sweep had set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 6), transform = list::atomic)]
    pub set: Vec<Setting>,
    /// First request due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Instant>,
    /// Last request answered or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_ended_at: Option<Instant>,
    /// Settle time over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Instant>,
    /// Tasks, all loads. Absent when not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Count>,
    /// Tasks by measured time: from the first request due to the last answer, and not before the planned end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks_per_second: Option<Decimal>,
    /// Tasks by the clients' count, warm-up included, minus the application's own since $(row.start).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -MAX_INTEGER, max = MAX_INTEGER))]
    pub tasks_unaccounted: Option<i64>,
    /// Value of settle.until's measurement when the load ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backlog: Option<Count>,
    /// Its growth under load, least squares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backlog_slope_per_second: Option<Decimal>,
    /// Time from the end of the load until settle.until held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain_seconds: Option<Decimal>,
    /// Tasks by the time from the first request being due until settle.until held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processed_per_second: Option<Decimal>,
    /// With settle.measure: when settle.until held, so until when the figures of the database, the measurements
    /// and the targets go on. Absent: until loadEndedAt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured_until: Option<Instant>,
    /// Figures of each load.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), transform = list::atomic)]
    pub loads: Vec<LoadFigures>,
    /// Figures of the database that this row can carry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), transform = list::atomic)]
    pub database: Vec<DatabaseFigure>,
    /// Figures of spec.measurements.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), transform = list::atomic)]
    pub measurements: Vec<MeasurementFigure>,
    /// What the pods of the targets really had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), transform = list::atomic)]
    pub targets: Vec<TargetFigures>,
    /// What spec.actions did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), transform = list::atomic)]
    pub actions: Vec<ActionFigures>,
    /// Thresholds that did not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4), transform = list::atomic)]
    pub breaches: Vec<Breach>,
    /// What else was noticed; when there is more, the last one says how many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4), inner(length(max = 160)), transform = list::atomic)]
    pub observations: Vec<String>,
}

impl Row {
    /// When what is measured beside the loads begins and ends; `None`: the row sent nothing.
    pub fn measured(&self) -> Option<(Instant, Instant)> {
        Some((self.started_at?, self.measured_until.or(self.load_ended_at)?))
    }
}

/// Outcome of a row.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowVerdict {
    Passed,
    Failed,
    Invalid,
}

/// One value that the sweep had set.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Load or target, and field; `NAME.env.VARIABLE`; `vars.NAME`.
    #[schemars(length(max = 166))]
    pub name: String,
    /// Value; a longer one is cut, and ends with an ellipsis.
    #[schemars(length(max = 64))]
    pub value: String,
}

/// Figures of a load.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadFigures {
    /// Name, used in thresholds, sweep and results.
    pub name: Name,
    /// Tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Count>,
    /// By measured time: to the last answer, and not before the planned end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks_per_second: Option<Decimal>,
    /// Measured time from first due to last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<Decimal>,
    /// Requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<Requests>,
    /// Milliseconds from due to answered, good answers only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
    /// Milliseconds from sent to answered, good answers only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Latency>,
    /// Milliseconds from due to sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lateness: Option<Lateness>,
    /// Outages, of a load with a rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery: Option<Recovery>,
}

/// Outages of a load with a rate: each from the first failed to the first good due request.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recovery {
    /// Number.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub outages: i32,
    /// Longest outage, milliseconds; one that lasted until the end of the load is at least so long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_ms: Option<Decimal>,
    /// Longest time from the end of an action to the next good answer's due time, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_ms: Option<Decimal>,
}

/// Requests of a load.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Requests {
    /// Sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<Count>,
    /// Good answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ok: Option<Count>,
    /// Failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<Count>,
    /// Of those, not answered in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timed_out: Option<Count>,
    /// Sent late, or not at all, by the generator's fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late: Option<Count>,
    /// Due and not sent, because maxInFlight was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capped: Option<Count>,
    /// Failed of sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_percent: Option<Decimal>,
    /// Answered per second, from the first request due: in the planned duration, or until a later answer where that is more;
    /// of a load that was stopped, in the time in which it sent; of iterations, until the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_second: Option<Decimal>,
    /// Asked for per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offered_per_second: Option<Decimal>,
    /// Failed while an action lasted or within its grace; not counted as failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excused: Option<Count>,
}

/// Latency of a load.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// Mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_ms: Option<Decimal>,
    /// Median.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<Decimal>,
    /// 90 of 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p90_ms: Option<Decimal>,
    /// 95 of 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95_ms: Option<Decimal>,
    /// 99 of 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<Decimal>,
    /// Largest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ms: Option<Decimal>,
}

/// How late requests were sent.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lateness {
    /// Median.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<Decimal>,
    /// 99 of 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<Decimal>,
    /// Largest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ms: Option<Decimal>,
}

/// What the pods of a target really had.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetFigures {
    /// Name, used in thresholds, sweep and results.
    pub name: Name,
    /// Ready pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub replicas: Option<i32>,
    /// CPU limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 24))]
    pub cpu: Option<String>,
    /// Memory limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 24))]
    pub memory: Option<String>,
    /// Container restarts in the row, not counting our own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub restarts: Option<i32>,
    /// Of those, out of memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub oom_kills: Option<i32>,
    /// Most CPU used by a pod, of its limit; where the metrics API is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_max_percent: Option<Decimal>,
    /// Most memory used by a pod, of its limit; where the metrics API is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_max_percent: Option<Decimal>,
    /// Most memory used by a pod, MiB; where the metrics API is there and was asked all the time.
    #[serde(rename = "memoryMaxMiB", skip_serializing_if = "Option::is_none")]
    pub memory_max_mib: Option<Decimal>,
    /// Growth of the memory of the pod that grew most, in percent of its median a minute: the Theil-Sen slope over the
    /// second half of the load.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_slope_percent_per_minute: Option<Decimal>,
}

/// A threshold that did not hold.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Breach {
    /// Figure.
    #[schemars(length(max = 128))]
    pub metric: String,
    /// Seen.
    #[schemars(length(max = 24))]
    pub observed: String,
    /// Allowed.
    #[schemars(length(max = 32))]
    pub limit: String,
}
