//! The table's own headings.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::rules::exactly_one;

/// A column of the table: a figure, or the same text in each row.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[x_kube(validation = exactly_one(&["metric", "text"]))]
pub struct Column {
    /// Heading.
    #[schemars(length(min = 1, max = 48))]
    pub title: String,
    /// A figure, named as in thresholds; or run, verdict, reason, observations; or set. and what the sweep
    /// sets, for example set.ingest.clients, set.api.env.WORKERS, set.vars.size.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub metric: Option<String>,
    /// Or: a constant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub text: Option<String>,
}
