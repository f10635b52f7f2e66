//! What must be equal before two runs may be compared.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::shared::*;

/// What must be equal before two runs may be compared.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fingerprint {
    /// Version and commit of the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub operator_version: Option<String>,
    /// Nodes of the generators, with kernel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(max = 128)), transform = list::atomic)]
    pub nodes: Vec<String>,
    /// Images of the targets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), transform = list::atomic)]
    pub targets: Vec<TargetImages>,
    /// The database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseIdentity>,
}

/// Images of a target.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetImages {
    /// Name, used in thresholds, sweep and results.
    pub name: Name,
    /// Image ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), inner(length(max = 256)), transform = list::atomic)]
    pub images: Vec<String>,
}

/// Which database it was.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseIdentity {
    /// Engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub engine: Option<String>,
    /// Version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub version: Option<String>,
    /// Instance class.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub class: Option<String>,
    /// Most connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub connection_limit: Option<i32>,
    /// Where that is known from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_limit_source: Option<LimitSource>,
}

/// Where the connection limit is known from.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LimitSource {
    Spec,
    #[serde(rename = "PostgreSQL")]
    PostgreSql,
    ParameterGroup,
    Estimated,
}
