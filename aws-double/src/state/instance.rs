//! Database instances, their proxies and parameter groups, with the members that the operator reads.

use serde::{Deserialize, Serialize};

/// A DB instance (`DBInstance` of the RDS API).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Instance {
    /// `DBInstanceIdentifier`.
    pub identifier: String,
    /// `DbiResourceId`; the identifier of Database Insights.
    pub resource_id: String,
    /// `DBInstanceClass`, for example `db.m6g.large`.
    pub class: String,
    /// `Engine`.
    pub engine: String,
    /// `EngineVersion`.
    pub engine_version: String,
    /// `DBInstanceStatus`, for example `available`.
    pub status: String,
    /// `PerformanceInsightsEnabled`.
    #[serde(default)]
    pub insights_enabled: bool,
    /// `DatabaseInsightsMode`: `standard` or `advanced`; absent when not set.
    #[serde(default)]
    pub insights_mode: Option<String>,
    /// Name of its parameter group and that group's `ParameterApplyStatus`.
    #[serde(default)]
    pub parameter_group: Option<(String, String)>,
}

impl Instance {
    /// An available PostgreSQL instance without Database Insights and without parameter group.
    pub fn postgres(identifier: &str) -> Self {
        Self {
            identifier: identifier.to_owned(),
            resource_id: format!("db-{}", identifier.to_uppercase()),
            class: "db.m6g.large".to_owned(),
            engine: "postgres".to_owned(),
            engine_version: "16.4".to_owned(),
            status: "available".to_owned(),
            insights_enabled: false,
            insights_mode: None,
            parameter_group: None,
        }
    }
}

/// A proxy (`DBProxy` of the RDS API).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Proxy {
    /// `DBProxyName`.
    pub name: String,
    /// `EngineFamily`, for example `POSTGRESQL`.
    pub engine_family: String,
    /// `Status`, for example `available`.
    pub status: String,
}

impl Proxy {
    /// An available proxy for PostgreSQL.
    pub fn postgres(name: &str) -> Self {
        Self { name: name.to_owned(), engine_family: "POSTGRESQL".to_owned(), status: "available".to_owned() }
    }
}

/// A parameter group with its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ParameterGroup {
    /// `DBParameterGroupName`.
    pub name: String,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
}

/// A parameter (`Parameter` of the RDS API).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Parameter {
    /// `ParameterName`.
    pub name: String,
    /// `ParameterValue`: a literal or a formula; absent when not set.
    #[serde(default)]
    pub value: Option<String>,
    /// `Source`: `user`, `system` or `engine-default`.
    pub source: String,
}

impl Parameter {
    /// A parameter with a value.
    pub fn new(name: &str, value: &str, source: &str) -> Self {
        Self { name: name.to_owned(), value: Some(value.to_owned()), source: source.to_owned() }
    }
}
