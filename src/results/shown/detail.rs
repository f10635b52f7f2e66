//! `row.json`: all of a row that the status has no room for, and what a later step needs after a restart.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::{Instant, Latency, Row};

use crate::results::figures::load_figures::latency;
use crate::results::gathered::collect::GeneratorOutcome;
use crate::results::gathered::histogram::encode;
use crate::results::gathered::items::ItemsRecord;
use crate::results::gathered::merge::{MergedLoad, MergedStep};
use crate::results::gathered::record::{Histogram, StepCounts, StepRecord, Timeline};
use crate::results::gathered::recovery::RecoveryRecord;
use crate::results::gathered::statements::Statements;
use crate::results::shown::course::Course;

/// Most bytes of a `row.json`.
pub const MOST_BYTES: usize = 256 * 1024;

/// What a row's ConfigMap holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowDetail {
    pub row: Row,
    /// [`crate::results::row::warmup_tasks`], for [`crate::results::row::CompleteInput`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmup_tasks: Option<u64>,
    /// Of PostgreSQL, by the time they added; once the row has settled, where pg_stat_statements can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statements: Option<Statements>,
    /// What was sampled beside the row, once it has settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<Course>,
    /// What actions did, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acts: Vec<ActDetail>,
    /// In the plan's order.
    pub loads: Vec<LoadDetail>,
    /// What each generator saw; the last are left out where there is no room.
    pub generators: Vec<GeneratorDetail>,
    /// Generators left out of the list.
    #[serde(default)]
    pub left_out: usize,
}

/// One of the times that an action was planned for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActDetail {
    /// Its name.
    pub action: String,
    /// It took back what the action did.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undo: bool,
    /// Planned for so many milliseconds after the start of the load; absent: at a moment outside the load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_ms: Option<i64>,
    pub started_at: Instant,
    /// Milliseconds until it was done; absent: it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<i32>,
    /// When its pod did it (sql, http), or began (job).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ran_at: Option<Instant>,
    /// Pods that it deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pods: Option<i32>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
}

/// A load over all its generators.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadDetail {
    pub name: String,
    /// Failures by class.
    pub failures: BTreeMap<String, u64>,
    /// Answers by status code.
    pub statuses: BTreeMap<u16, u64>,
    /// Microseconds, as in [`crate::results::gathered::record::LoadRecord`]; empty: not known.
    pub latency: Histogram,
    pub service: Histogram,
    pub lateness: Histogram,
    pub connect: Histogram,
    /// In the order of the manifest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepDetail>,
    /// Items of steps that are polled, the first that were due one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<ItemsRecord>,
    /// Outages of a load with a rate, the first one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<RecoveryRecord>,
}

/// A step over all generators of its load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepDetail {
    #[serde(flatten)]
    pub counts: StepCounts,
    /// Milliseconds from sent to answered, good answers only; absent: not known, or there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Latency>,
}

/// What one generator saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GeneratorDetail {
    /// Completion index.
    pub index: u32,
    pub load: String,
    pub steps: Vec<StepRecord>,
    pub timeline: Timeline,
}

impl RowDetail {
    /// The details of a row.
    pub fn new(
        row: Row,
        loads: &[MergedLoad],
        outcomes: &[(u32, GeneratorOutcome)],
        warmup_tasks: Option<u64>,
    ) -> Self {
        let of = |(index, outcome): &(u32, GeneratorOutcome)| {
            let detail = |record: &crate::results::gathered::record::LoadRecord| GeneratorDetail {
                index: *index,
                load: record.name.clone(),
                steps: record.steps.clone(),
                timeline: record.timeline.clone(),
            };
            outcome.loads().iter().map(detail).collect::<Vec<_>>()
        };
        let generators = outcomes.iter().flat_map(of).collect();
        let loads = loads.iter().map(load).collect();
        Self { row, warmup_tasks, statements: None, course: None, acts: Vec::new(), loads, generators, left_out: 0 }
    }

    /// As JSON of at most [`MOST_BYTES`], as far as leaving out generators and then single items can do it.
    pub fn json(&self) -> String {
        let mut detail = self.clone();
        loop {
            let text = serde_json::to_string(&detail).unwrap_or_default();
            if text.len() <= MOST_BYTES {
                return text;
            }
            if detail.generators.pop().is_some() {
                detail.left_out += 1;
            } else if !detail.loads.iter_mut().filter_map(|load| load.items.as_mut()).any(ItemsRecord::halve) {
                return text;
            }
        }
    }
}

fn load(merged: &MergedLoad) -> LoadDetail {
    let histograms = merged.histograms.as_ref();
    LoadDetail {
        name: merged.name.clone(),
        failures: merged.counts.failures.clone(),
        statuses: merged.statuses.clone(),
        latency: histograms.map(|h| encode(&h.latency)).unwrap_or_default(),
        service: histograms.map(|h| encode(&h.service)).unwrap_or_default(),
        lateness: histograms.map(|h| encode(&h.lateness)).unwrap_or_default(),
        connect: histograms.map(|h| encode(&h.connect)).unwrap_or_default(),
        steps: merged.steps.iter().map(step).collect(),
        items: merged.items.clone(),
        recovery: merged.recovery.clone(),
    }
}

fn step(merged: &MergedStep) -> StepDetail {
    StepDetail { counts: merged.counts.clone(), service: merged.service.as_ref().and_then(latency) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::fixture::good;
    use crate::results::gathered::histogram::decode;
    use crate::results::gathered::record::Bucket;
    use crate::results::row::{merged_loads, warmup_tasks};

    #[test]
    fn a_row_is_read_back_as_it_was_written_with_merged_histograms() {
        let scene = good(60);
        let loads = merged_loads(&scene.planned, &scene.outcomes);
        let detail = RowDetail::new(scene.row(), &loads, &scene.outcomes, warmup_tasks(&scene.planned, &loads));
        let read: RowDetail = serde_json::from_str(&detail.json()).expect("JSON");
        assert_eq!(read, detail);
        assert_eq!(decode(&read.loads[0].latency).expect("a histogram").len(), 600);
        assert_eq!(read.warmup_tasks, Some(0));
    }

    #[test]
    fn a_row_of_many_generators_fits_and_says_what_is_missing() {
        let mut scene = good(60);
        scene.load(0).timeline = Timeline {
            start_ms: 0,
            bucket_ms: 1000,
            buckets: vec![Bucket { due: 1_000_000, p50: Some(123_456), p99: Some(123_456), ..Bucket::default() }; 600],
        };
        let one = scene.outcomes[0].1.clone();
        let outcomes: Vec<_> = (0..32).map(|i| (i, one.clone())).collect();
        let text = RowDetail::new(scene.row(), &[], &outcomes, None).json();
        assert!(text.len() <= MOST_BYTES);
        let read: RowDetail = serde_json::from_str(&text).expect("JSON");
        assert!(read.left_out > 0 && read.generators.len() + read.left_out == 32);
    }
}
