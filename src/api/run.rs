//! The run in progress, and the record of what it changed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::action::ActRecord;
use super::shared::*;

/// A run.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Number of the run, counted up; also in the names of its Jobs.
    #[schemars(range(min = 1, max = MAX_INTEGER))]
    pub id: i64,
    /// spec.runId at its start.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub run_id: Option<String>,
    /// Generation it started from.
    pub generation: Count,
    /// Hash of the validated plan without defaults; rewritten, never acted on, when only the operator
    /// changed.
    #[schemars(length(max = 64))]
    pub plan_hash: String,
    /// Version of that hash.
    #[schemars(range(min = 1, max = 1000))]
    pub hash_version: i32,
    /// Version of the protocol the run follows.
    #[schemars(range(min = 1, max = 1000))]
    pub protocol_version: i32,
    /// Image of its pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub image: Option<String>,
    /// How it ended, in one word; written with Restoring. What it waits for now is the reason of Ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub reason: Option<String>,
    /// How it ended, in a sentence; written with the verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
    /// Rows in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 64))]
    pub rows: Option<i32>,
    /// Row being worked on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 64))]
    pub row: Option<i32>,
    /// For the ROWS column.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8))]
    pub rows_done: Option<String>,
    /// What is being done in the row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<RowStep>,
    /// What must be known to go on with the row after a crash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<CurrentRow>,
    /// When that is given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_deadline: Option<Instant>,
    /// Start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Instant>,
    /// End, everything put back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Instant>,
}

/// What is being done in a row.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RowStep {
    Pending,
    Sizing,
    Creating,
    Arming,
    Starting,
    Loading,
    Collecting,
    Draining,
    Settling,
    Done,
}

/// The row in progress.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CurrentRow {
    /// Its Job.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 36))]
    pub job_uid: Option<String>,
    /// uids of the armed pods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(max = 36)), transform = list::atomic)]
    pub armed_pods: Vec<String>,
    /// Commit point: first request due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_at: Option<Instant>,
    /// No generator sends after this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hard_end_at: Option<Instant>,
    /// The targets when the load started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), transform = list::atomic)]
    pub targets: Vec<TargetAtStart>,
    /// What actions did so far, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), transform = list::atomic)]
    pub acts: Vec<ActRecord>,
    /// uids of the pods that the last of them deletes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 36)), transform = list::atomic)]
    pub doomed_pods: Vec<String>,
    /// uid of the Job that does the last of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 36))]
    pub act_job_uid: Option<String>,
    /// Why the first one that failed did so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 160))]
    pub action_problem: Option<String>,
}

/// A target when the load started.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetAtStart {
    /// Name, used in thresholds, sweep and results.
    pub name: Name,
    /// Generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<Count>,
    /// Pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100_000))]
    pub pods: Option<i32>,
    /// Digest of their uids and restart counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub pods_digest: Option<String>,
}

/// What was changed in one target.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetRecord {
    /// Name, used in thresholds, sweep and results.
    pub name: Name,
    /// uid of the workload.
    #[schemars(length(max = 36))]
    pub uid: String,
    /// Kind.
    #[schemars(length(max = 12))]
    pub kind: String,
    /// Name.
    #[schemars(length(max = 253))]
    pub workload: String,
    /// Container.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub container: Option<String>,
    /// Before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original: Option<Size>,
    /// What we set last, for people; restore reads the annotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied: Option<Size>,
    /// Where it stands.
    pub state: TargetState,
}

/// The size of a workload.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Size {
    /// Pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = i32::MAX))]
    pub replicas: Option<i32>,
    /// Absent: there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 24))]
    pub cpu_request: Option<String>,
    /// Absent: there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 24))]
    pub cpu_limit: Option<String>,
    /// Absent: there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 24))]
    pub memory_request: Option<String>,
    /// Absent: there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 24))]
    pub memory_limit: Option<String>,
    /// Hash of the env entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub env_hash: Option<String>,
}

/// Where a changed target stands.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TargetState {
    Claimed,
    Recorded,
    Sized,
    Restored,
    Skipped,
    Gone,
}
