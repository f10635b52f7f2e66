//! The shares of a load that several generators sent, added up: histograms are merged, percentiles never averaged.

use std::collections::BTreeMap;

use crate::api::Breach;

use super::collect::GeneratorOutcome;
use super::histogram::{self, Micros};
use super::items::ItemsRecord;
use super::record::{Counts, Histogram, LoadRecord, StepCounts, StepRecord, Timeline, add_each};
use super::recovery::RecoveryRecord;

/// Word of a load that ran into the end of its time with work left.
const HARD_END: &str = "hard-end";

/// One load as all its generators sent it.
#[derive(Clone, Debug, Default)]
pub struct MergedLoad {
    pub name: String,
    pub counts: Counts,
    /// Answers by status code.
    pub statuses: BTreeMap<u16, u64>,
    /// Absent when one generator's are: a part of the requests can't speak for all.
    pub histograms: Option<Histograms>,
    /// In the order of the manifest.
    pub steps: Vec<MergedStep>,
    /// Absent: no step is polled, or nothing is known.
    pub items: Option<ItemsRecord>,
    /// Absent: the load has no rate, or nothing is known.
    pub recovery: Option<RecoveryRecord>,
    /// Of each generator that has one.
    pub timelines: Vec<Timeline>,
    /// Why generators stopped before the end, in a word each.
    pub stopped: Vec<String>,
    /// Thresholds that stopped generators, as each of them saw it.
    pub breaches: Vec<Breach>,
    /// What of the records contradicts itself; sentences.
    pub contradictions: Vec<String>,
}

/// One step of a load.
#[derive(Clone, Debug, Default)]
pub struct MergedStep {
    pub counts: StepCounts,
    /// Microseconds from sent to answered; absent when one generator's are.
    pub service: Option<Micros>,
}

/// Microseconds; see [`LoadRecord`].
#[derive(Clone, Debug)]
pub struct Histograms {
    pub latency: Micros,
    pub service: Micros,
    pub lateness: Micros,
    pub connect: Micros,
}

impl Default for Histograms {
    fn default() -> Self {
        let empty = histogram::empty;
        Self { latency: empty(), service: empty(), lateness: empty(), connect: empty() }
    }
}

/// Adds up what the generators say about the load of that name.
pub fn merged(name: &str, outcomes: &[(u32, GeneratorOutcome)]) -> MergedLoad {
    let mut sum = MergedLoad { name: name.to_owned(), ..MergedLoad::default() };
    let mut histograms = Some(Histograms::default());
    for (index, outcome) in outcomes {
        for record in outcome.loads().iter().filter(|r| r.name == name) {
            sum.add(record);
            histograms = match outcome {
                GeneratorOutcome::Complete(_) => histograms.and_then(|h| sum.add_histograms(h, *index, record)),
                _ => None,
            };
        }
    }
    sum.histograms = histograms.filter(|_| sum.counts.first_due_ms.is_some());
    sum
}

impl MergedLoad {
    fn add(&mut self, record: &LoadRecord) {
        self.counts.add(&record.counts);
        add_each(&mut self.statuses, &record.statuses);
        record.steps.iter().for_each(|step| self.add_step(step));
        if let Some(items) = &record.items {
            let sum = self.items.take().unwrap_or_default();
            self.items = Some(sum.plus(items));
        }
        if let Some(recovery) = &record.recovery {
            self.recovery = Some(match self.recovery.take() {
                Some(sum) => sum.plus(recovery),
                None => recovery.clone(),
            });
        }
        self.timelines.extend(Some(&record.timeline).filter(|one| !one.buckets.is_empty()).cloned());
        self.stopped.extend(record.stopped.clone());
        self.breaches.extend(record.breach.clone());
        self.contradictions.extend(record.counts.contradictions());
    }

    fn add_step(&mut self, record: &StepRecord) {
        let at = self.steps.iter().position(|step| step.counts.name == record.counts.name).unwrap_or_else(|| {
            let service = Some(histogram::empty());
            let counts = StepCounts { name: record.counts.name.clone(), ..StepCounts::default() };
            self.steps.push(MergedStep { counts, service });
            self.steps.len() - 1
        });
        let step = &mut self.steps[at];
        step.counts.add(&record.counts);
        // A long log leaves the steps' histograms out: then there is none.
        let added = histogram::decode(&record.service).ok().filter(|service| service.len() == record.counts.ok);
        step.service = step.service.take().zip(added).and_then(|(mut sum, one)| sum.add(one).ok().map(|()| sum));
    }

    fn add_histograms(&mut self, mut sum: Histograms, index: u32, record: &LoadRecord) -> Option<Histograms> {
        let parts: [(&mut Micros, &Histogram); 4] = [
            (&mut sum.latency, &record.latency),
            (&mut sum.service, &record.service),
            (&mut sum.lateness, &record.lateness),
            (&mut sum.connect, &record.connect),
        ];
        for (into, from) in parts {
            let added = histogram::decode(from).ok().and_then(|h| into.add(h).ok());
            if added.is_none() {
                self.contradictions.push(format!("a histogram of generator {index} can't be read"));
                return None;
            }
        }
        let measured = histogram::decode(&record.latency).map_or(0, |h| h.len());
        match &record.items {
            Some(items) if measured != items.done => {
                self.contradictions.push(format!("{} items done, but {measured} latencies", items.done));
            }
            None if measured != record.counts.ok => {
                self.contradictions.push(format!("{} good answers, but {measured} latencies", record.counts.ok));
            }
            _ => {}
        }
        let lateness = histogram::decode(&record.lateness).map_or(0, |h| h.len());
        if lateness != record.counts.sent {
            self.contradictions.push(format!("{} requests sent, but {lateness} send times", record.counts.sent));
        }
        Some(sum)
    }

    /// Answers of any status: what timed out or broke off is none.
    pub fn answered(&self) -> u64 {
        let by_status: u64 = self.statuses.values().sum();
        if self.statuses.is_empty() {
            self.counts.ok
        } else {
            by_status.clamp(self.counts.ok, self.counts.ok + self.counts.failed + self.counts.excused.unwrap_or(0))
        }
    }

    /// Sent later than `limit` microseconds after due, and what was not sent by the generator's fault. `None` without
    /// histogram.
    pub fn late(&self, limit: u64) -> Option<u64> {
        let lateness = &self.histograms.as_ref()?.lateness;
        Some(lateness.len() - lateness.count_between(0, limit) + self.left_out())
    }

    /// Not sent by the generator's fault. What was planned for the time after a stop never became due.
    pub fn left_out(&self) -> u64 {
        let by_hand = self.stopped.iter().any(|why| why != HARD_END);
        if by_hand { 0 } else { self.counts.unsent }
    }
}

/// The longest that a request may be sent after it was due without counting as late, microseconds: 10 ms or 10 % of the
/// row's median response time, whichever is more.
pub fn late_limit(loads: &[MergedLoad]) -> u64 {
    let mut all = histogram::empty();
    for part in loads.iter().filter_map(|l| l.histograms.as_ref()) {
        // The same bounds everywhere, so adding can't fail; a smaller median is only stricter.
        let _ = all.add(&part.latency);
    }
    if all.is_empty() { 10_000 } else { (all.value_at_quantile(0.5) / 10).max(10_000) }
}
