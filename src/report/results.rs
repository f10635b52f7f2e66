//! `results.json` read back: what every other form of a report is made from, on whichever machine.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::{DatabaseFigure, Fingerprint, Instant, LoadTestSpec, Row, Verdict};
use crate::results::shown::detail::RowDetail;

/// A finished test as [`super::json`] wrote it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Results {
    pub test: TestName,
    #[serde(default)]
    pub started_at: Option<Instant>,
    #[serde(default)]
    pub finished_at: Option<Instant>,
    pub verdict: Verdict,
    /// One word.
    pub reason: String,
    /// A sentence or two for people.
    pub message: String,
    pub plan: PlanSummary,
    #[serde(default)]
    pub fingerprint: Option<Fingerprint>,
    #[serde(default)]
    pub rows: Vec<ResultRow>,
    /// Figures of the whole test.
    #[serde(default)]
    pub database: Vec<DatabaseFigure>,
    #[serde(default)]
    pub whole_test_thresholds: Vec<WholeTestThreshold>,
}

/// Which run of which test.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestName {
    /// Empty: it ran without a cluster.
    pub namespace: String,
    pub name: String,
    pub run: i64,
    #[serde(default)]
    pub run_id: Option<String>,
}

/// What was planned.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlanSummary {
    pub hash: String,
    /// Rows of the plan.
    pub rows: usize,
    /// The spec without secrets.
    pub spec: Value,
}

/// A row with what was measured in it, or where that is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultRow {
    #[serde(flatten)]
    pub row: Row,
    /// Histograms, timelines and statements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<RowDetail>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details_in: Option<DetailsIn>,
}

/// A key of a ConfigMap.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DetailsIn {
    pub config_map: String,
    pub key: String,
}

/// A threshold that was judged once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WholeTestThreshold {
    pub metric: String,
    /// In words, as [`super::junit::words`] has it.
    pub judgement: String,
}

impl Results {
    /// Reads a `results.json`.
    ///
    /// # Errors
    /// It is of another form; where, and what was expected there.
    pub fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| format!("results.json can't be read: {error}"))
    }

    /// The spec; `None` where another version wrote it, whose fields this one doesn't know.
    pub fn spec(&self) -> Option<LoadTestSpec> {
        serde_json::from_value(self.plan.spec.clone()).ok()
    }

    /// `namespace/name`, or the name of a test that ran without a cluster.
    pub fn name(&self) -> String {
        let TestName { namespace, name, .. } = &self.test;
        if namespace.is_empty() { name.clone() } else { format!("{namespace}/{name}") }
    }

    /// It ran on a person's machine.
    pub fn is_local(&self) -> bool {
        self.test.namespace.is_empty()
    }

    /// Rows without what was measured in them.
    pub fn plain_rows(&self) -> impl Iterator<Item = &Row> + Clone {
        self.rows.iter().map(|row| &row.row)
    }
}
