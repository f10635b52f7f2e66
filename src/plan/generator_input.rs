//! What a generator pod is given: `plan.json` in the ConfigMap of its row. Secrets are named here, never contained.

use serde::{Deserialize, Serialize};

use super::step_input::StepInput;
use crate::api::ConnectionUse;

/// Version of the input, the records and the annotations between controller and agents.
pub const PROTOCOL_VERSION: i32 = 1;

/// One row, as all its generators get it; each takes the share of its completion index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GeneratorInput {
    /// [`PROTOCOL_VERSION`] of the writer.
    pub protocol: i32,
    /// `$(run.id)`: unique name of the run.
    pub run_id: String,
    /// `$(run.start)`: milliseconds since the epoch.
    pub run_start_ms: i64,
    /// Number of the row, from 1.
    pub row: i32,
    /// Loads in order; completion indexes are dealt to them in this order, `generators` each.
    pub loads: Vec<LoadInput>,
    /// Entries of spec.vars.
    pub vars: Vec<VarInput>,
    /// When actions disturb the application.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excused: Vec<ExcusedInput>,
}

/// While an action lasts: requests that are due then may fail without counting as failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExcusedInput {
    /// Name of the action, for `expect.duringAction`.
    pub action: String,
    /// Milliseconds from the row's start; its first instant.
    pub from_ms: i64,
    /// Its last instant, the grace included.
    pub to_ms: i64,
    /// When the action itself is over, before the grace: from then counts the time to recover. Absent: at its last instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_ms: Option<i64>,
}

/// A value for `$(vars.NAME)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VarInput {
    /// Name as written in the manifest.
    pub name: String,
    /// Where the value is.
    #[serde(flatten)]
    pub source: VarSourceInput,
}

/// Where the value of a variable is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum VarSourceInput {
    /// Here.
    Value(String),
    /// In this environment variable of the pod (from a Secret).
    Env(String),
}

/// One stream of requests, in all, over all its generators.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadInput {
    pub name: String,
    /// Scheme, host, port and perhaps the beginning of the path.
    pub url: String,
    pub arrivals: Arrivals,
    /// Sent before the counted part, at the same rate or by the same clients; seconds.
    pub warmup_seconds: u32,
    /// From the row's start to this load's; seconds.
    #[serde(default)]
    pub start_after_seconds: u32,
    #[serde(default)]
    pub connection: ConnectionUse,
    /// Of random bodies and generated files.
    #[serde(default)]
    pub seed: u32,
    /// Pods that share this load.
    pub generators: u32,
    pub headers: Vec<HeaderInput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuthInput>,
    pub tls: TlsInput,
    /// At least one.
    pub steps: Vec<StepInput>,
    /// Thresholds that end the load when a generator's own requests break them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stops: Vec<StopInput>,
}

/// A threshold that ends a load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopInput {
    /// As in the manifest.
    pub metric: String,
    /// Not more than this, a decimal.
    pub max: String,
}

/// When iterations start.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Arrivals {
    /// Closed model: each client starts its next iteration when the last one ended.
    Iterations { clients: u32, iterations_per_client: u64 },
    /// Closed model for a time: no iteration starts after warm-up plus `seconds`.
    Seconds { clients: u32, seconds: u32 },
    /// Open model: iteration k of the load is due at k * per_seconds / count, whether answers come or not.
    Rate { count: u32, per_seconds: u32, seconds: u32, max_in_flight: u32 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeaderInput {
    pub name: String,
    /// May hold variables.
    pub value: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BasicAuthInput {
    pub username: String,
    pub password: String,
}

/// How an https server is checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsInput {
    pub insecure_skip_verify: bool,
    /// File with CA certificates (PEM) to trust instead of the usual ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// Directory with the client's certificates (`tls.crt`, PEM) and its key (`tls.key`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<String>,
}
