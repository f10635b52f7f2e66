//! What came of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::shared::*;
use super::{
    figures::DatabaseFigure,
    fingerprint::Fingerprint,
    row::Row,
    run::{Run, TargetRecord},
};

/// What came of it. Written by the operator only.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct LoadTestStatus {
    /// Generation of spec that this status is about. -1: not seen yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1, max = MAX_INTEGER))]
    pub observed_generation: Option<i64>,
    /// For people; derived from the conditions. spec can be edited in Pending and Finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Passed: everything held. Failed: a threshold did not. Invalid: the run proves nothing; see the
    /// conditions. Aborted: cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Ready, Reconciling, Stalled, Succeeded, Finished.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), transform = list::by_type)]
    pub conditions: Vec<Condition>,
    /// The run in progress, or the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// The record of what was changed, written before it is changed. Original env values are in an
    /// annotation of the workload, not here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), transform = list::by_name)]
    pub targets: Vec<TargetRecord>,
    /// One entry a row, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), transform = list::atomic)]
    pub results: Vec<Row>,
    /// Figures of the database for the whole test, where no single row can carry them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), transform = list::atomic)]
    pub database: Vec<DatabaseFigure>,
    /// What must be equal before two runs may be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// The valid row with the highest rate, for kubectl get.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// The results as a Markdown table, "-" where there is no figure. Over 32,768 characters, observations are
    /// shortened, then left out, and the last line says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32_768))]
    pub table: Option<String>,
    /// ConfigMap with table.md, results.csv, results.json and junit.xml, at most 900 KiB: what does not fit stays
    /// in the ConfigMaps of the rows, and results.json says where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report_ref: Option<ReportRef>,
    /// True: the status would be over 200 KiB, so rows keep row, verdict, reason, set, tasks, rate, requests and
    /// latency; still over, then loads of a row are left out, last row first. The rest is in the report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated: Option<bool>,
    /// Earlier runs, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5), transform = list::atomic)]
    pub history: Vec<PastRun>,
}

/// Where a run stands.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Phase {
    Pending,
    Claiming,
    Running,
    Restoring,
    Evidence,
    Finished,
}

/// Outcome of a run.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[schemars(transform = words)]
pub enum Verdict {
    /// Everything held.
    Passed,
    /// A threshold did not hold.
    Failed,
    /// The run proves nothing.
    Invalid,
    /// Cancelled.
    Aborted,
}

/// One condition, as everywhere in Kubernetes.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Ready, Reconciling, Stalled, Succeeded or Finished.
    #[serde(rename = "type")]
    #[schemars(length(max = 316), regex(pattern = r"^[A-Za-z]+$"))]
    pub type_: String,
    /// True, False or Unknown.
    pub status: ConditionStatus,
    /// One word for programs.
    #[schemars(length(max = 64))]
    pub reason: String,
    /// A sentence for people.
    #[schemars(length(max = 1024))]
    pub message: String,
    /// Generation it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<Count>,
    /// When status changed last.
    pub last_transition_time: Instant,
}

/// Status of a condition.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConditionStatus {
    True,
    False,
    Unknown,
}

/// The row with the highest rate.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub row: Option<i32>,
    /// Rate with its unit: tasks/s, tasks/s processed with settle.measure, or req/s where tasks are not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub rate: Option<String>,
    /// p99 latency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<Decimal>,
    /// Failed requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_percent: Option<Decimal>,
}

/// ConfigMap of the report.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReportRef {
    /// Its name.
    #[schemars(length(max = 253))]
    pub name: String,
}

/// An earlier run.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PastRun {
    /// Run.
    #[schemars(range(min = 1, max = MAX_INTEGER))]
    pub id: i64,
    /// spec.runId.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub run_id: Option<String>,
    /// Verdict.
    #[schemars(length(max = 7))]
    pub verdict: String,
    /// Reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub reason: Option<String>,
    /// Start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Instant>,
    /// End.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Instant>,
    /// Highest rate with its unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub rate: Option<String>,
    /// ConfigMap of the report.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub report: Option<String>,
}
