//! The database beside the application.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::shared::*;

/// The database beside the application.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("has(self.rds) || has(self.postgres)", "set rds, postgres or both"))]
pub struct Database {
    /// Amazon RDS: CloudWatch, and Database Insights where it is switched on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rds: Option<Rds>,
    /// PostgreSQL itself: sessions, waits, slow queries, time to connect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postgres: Option<Postgres>,
    /// Most connections the database allows. Default: asked of PostgreSQL, else of the parameter group,
    /// else estimated from the instance class.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_connections: Option<i32>,
}

/// An RDS instance, and the proxy before it.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rds {
    /// DB instance identifier.
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][-A-Za-z0-9]*$"))]
    pub instance: String,
    /// AWS region. Default: that of the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), regex(pattern = r"^[a-z0-9-]+$"))]
    pub region: Option<String>,
    /// RDS Proxy before it, of the same region: how long a connection of its pool is waited for, and how many are out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][-A-Za-z0-9]*$"))]
    pub proxy: Option<String>,
}

/// A PostgreSQL server.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Postgres {
    /// Where the connection URL is.
    pub url_from: UrlSource,
    /// A query that runs longer is a slow query.
    #[serde(default = "one_thousand")]
    #[schemars(range(min = 1, max = 3_600_000))]
    pub slow_query_milliseconds: i32,
}

fn one_thousand() -> i32 {
    1000
}

/// Where a connection URL is.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlSource {
    /// Secret with postgres://user:password@host/database.
    pub secret_key_ref: SecretKeyRef,
}
