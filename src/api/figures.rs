//! Figures over a row or a test.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::shared::*;

/// What a figure was over a row. Flattened into the figures that have it.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// Mean over the load.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average: Option<Decimal>,
    /// Smallest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Decimal>,
    /// Largest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<Decimal>,
    /// At the end of the load.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Decimal>,
    /// At the end of the settle time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled: Option<Decimal>,
    /// Points it rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10_000_000))]
    pub points: Option<i32>,
    /// Points there should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10_000_000))]
    pub expected: Option<i32>,
}

/// A figure of the database.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatabaseFigure {
    /// Figure.
    #[schemars(length(max = 24))]
    pub name: String,
    /// Where from.
    pub source: DatabaseSource,
    #[serde(flatten)]
    pub statistics: Statistics,
}

/// Where a figure of the database is from.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DatabaseSource {
    CloudWatch,
    DatabaseInsights,
    #[serde(rename = "PostgreSQL")]
    PostgreSql,
}

/// A figure of spec.measurements.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasurementFigure {
    /// Name, used in thresholds, sweep and results.
    pub name: Name,
    #[serde(flatten)]
    pub statistics: Statistics,
    /// Median of durations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50: Option<Decimal>,
    /// 95 of 100 of durations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95: Option<Decimal>,
}
