//! What changes from row to row.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::exactly_one;
use super::shared::*;

/// One thing that changes from row to row.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[x_kube(
    validation = exactly_one(&["clients", "rate", "replicas", "cpu", "memory", "env", "variable"]),
    validation = (
        "has(self.load) == (has(self.clients) || has(self.rate))",
        "clients and rate need load, and load needs one of them"
    ),
    validation = (
        "(has(self.target) || has(self.action)) == (has(self.replicas) || has(self.cpu) || has(self.memory) || has(self.env))",
        "replicas, cpu, memory and env need target, and target needs one of them"
    ),
    validation = (
        "!has(self.action) || (has(self.replicas) && !has(self.target))",
        "action needs replicas and no target"
    )
)]
pub struct Sweep {
    /// The load to vary: with clients or rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<NameRef>,
    /// The target to vary: with replicas, cpu, memory or env.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<NameRef>,
    /// The action to vary: with replicas (of its scale).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<NameRef>,
    /// One value a row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 64), inner(range(min = 1, max = 10_000)), transform = list::atomic)]
    pub clients: Vec<i32>,
    /// One value a row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 64), inner(range(min = 1, max = 1_000_000)), transform = list::atomic)]
    pub rate: Vec<i32>,
    /// One value a row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 64), inner(range(min = 0, max = 1000)), transform = list::atomic)]
    pub replicas: Vec<i32>,
    /// One value a row; request and limit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 64), transform = list::atomic)]
    pub cpu: Vec<CpuQuantity>,
    /// One value a row; request and limit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 64), transform = list::atomic)]
    pub memory: Vec<MemoryQuantity>,
    /// Vary an environment variable of the target's container. It is put back like a size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<SweptEnv>,
    /// Vary an entry of vars (needs neither load nor target).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variable: Option<SweptVariable>,
    /// Entries with the same group move together, first value with first value. Entries without it are
    /// combined, each with each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<NameRef>,
}

/// Values of an environment variable.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweptEnv {
    /// Variable.
    #[schemars(length(max = 128), regex(pattern = r"^[-._a-zA-Z][-._a-zA-Z0-9]*$"))]
    pub name: String,
    /// One value a row, no secrets.
    #[schemars(length(min = 1, max = 64), inner(length(max = 1024)), transform = list::atomic)]
    pub values: Vec<String>,
}

/// Values of an entry of vars.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweptVariable {
    /// Variable: an entry of vars that has a value.
    #[schemars(length(min = 1, max = 32), regex(pattern = r"^[a-z][A-Za-z0-9]*$"))]
    pub name: String,
    /// One value a row, no secrets.
    #[schemars(length(min = 1, max = 64), inner(length(max = 1024)), transform = list::atomic)]
    pub values: Vec<String>,
}
