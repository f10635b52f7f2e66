//! The workloads under test.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::shared::*;

/// A workload under test.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Name, used in thresholds, sweep and results.
    pub name: Name,
    /// The workload, in the namespace of the test.
    pub workload_ref: WorkloadRef,
    /// The container that cpu, memory and env are for. Default: the only one, or the one named like the
    /// workload.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), regex(pattern = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"))]
    pub container: Option<String>,
    /// So many pods. Not set: left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub replicas: Option<i32>,
    /// CPU request and CPU limit, both this (500m, 2). Not set: left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<CpuQuantity>,
    /// Memory request and memory limit, both this (512Mi). Not set: left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryQuantity>,
    /// Environment variables to set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), transform = list::by_name)]
    pub env: Vec<EnvVar>,
    /// An autoscaler or an owning object also sets this workload: Refuse to start, or Override it, and mark the
    /// row Invalid when it is changed back. Of effect only where a size is written here or in sweep.
    #[serde(default)]
    pub when_managed: WhenManaged,
}

/// A Deployment or StatefulSet.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkloadRef {
    /// Its kind.
    #[serde(default)]
    pub kind: WorkloadKind,
    /// Its name.
    pub name: ObjectName,
}

/// Kinds of workload.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkloadKind {
    #[default]
    Deployment,
    StatefulSet,
}

impl WorkloadKind {
    /// The kind as Kubernetes writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
        }
    }
}

/// One environment variable.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnvVar {
    /// Variable.
    #[schemars(length(max = 128), regex(pattern = r"^[-._a-zA-Z][-._a-zA-Z0-9]*$"))]
    pub name: String,
    /// Value, not a secret.
    #[schemars(length(max = 1024))]
    pub value: String,
}

/// What to do with a workload that something else sets as well.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum WhenManaged {
    /// Do not start.
    #[default]
    Refuse,
    /// Start, and mark the row Invalid when it is changed back.
    Override,
}
