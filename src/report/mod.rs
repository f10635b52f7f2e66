//! PURE: the results of a test as files for people and programs.

pub mod comment;
pub mod compare;
mod csv;
pub mod html;
mod items;
mod json;
mod junit;
mod markdown;
mod redact;
mod results;

use std::collections::BTreeMap;

use serde_json::Value;

pub use results::Results;

use crate::api::{Fingerprint, Instant, LimitSource};
use crate::plan::Plan;
use crate::results::judged::verdict::{Outcome, TestInput};
use crate::results::shown::table::TableInput;

/// All files together are at most so many bytes.
pub const MOST_BYTES: usize = 900 * 1024;

/// A finished test.
#[derive(Clone, Copy, Debug)]
pub struct ReportInput<'a> {
    pub namespace: &'a str,
    pub name: &'a str,
    /// Number of the run.
    pub run: i64,
    pub started_at: Option<Instant>,
    /// Everything put back.
    pub finished_at: Option<Instant>,
    pub plan: &'a Plan,
    /// The rows (not compacted) and what they were judged with.
    pub test: TestInput<'a>,
    pub outcome: &'a Outcome,
    /// Most connections, and where that is known from.
    pub connection_limit: Option<(i32, LimitSource)>,
    pub fingerprint: Option<&'a Fingerprint>,
    /// `row.json` of rows, by their number, with histograms and timelines.
    pub details: &'a BTreeMap<i32, Value>,
    /// Names of the rows' ConfigMaps, by their number: where details are that don't fit.
    pub row_config_maps: &'a BTreeMap<i32, String>,
}

impl ReportInput<'_> {
    fn table(&self) -> TableInput<'_> {
        TableInput {
            plan: self.plan,
            rows: self.test.rows,
            database: self.test.database,
            connection_limit: self.connection_limit,
        }
    }
}

/// `table.md`, `results.csv`, `results.json`, `junit.xml`, and `items.csv` where there are items, at most [`MOST_BYTES`] in all: what doesn't fit of the rows'
/// details stays in their ConfigMaps, and results.json says where.
pub fn files(input: &ReportInput) -> BTreeMap<String, String> {
    let mut files = BTreeMap::from([
        ("table.md".to_owned(), markdown::markdown(input)),
        ("results.csv".to_owned(), csv::csv(input)),
        ("junit.xml".to_owned(), junit::junit(input)),
    ]);
    files.extend(items::items(input).map(|items| ("items.csv".to_owned(), items)));
    let taken: usize = files.values().map(String::len).sum();
    files.insert("results.json".into(), json::json(input, MOST_BYTES.saturating_sub(taken)));
    files
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
