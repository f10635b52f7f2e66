//! PURE: what one generator saw of one load, counted.
//!
//! Invariants:
//! - due = sent + unsent + capped, and sent = ok + failed when the load is over.
//! - Latency and service are of good answers only; lateness is of everything sent.
//! - What belongs to an iteration that was due in the warm-up is in the warm-up's two counts and nowhere else.
//! - Recorders of the same load add up to the recorder of all their events, in any order.

use std::collections::BTreeMap;

use super::counts::Fine;
use super::elapsed::Elapsed;
use super::event::{Answer, Sending};
use super::items::{Item, Items};
use super::snapshot::Snapshot;
use super::statuses::Statuses;
use super::steps::{StepTally, named};
use super::timeline::Buckets;
use crate::engine::http::failure::Failure;
use crate::plan::StepInput;
use crate::results::gathered::histogram::{self, Micros};
use crate::results::gathered::record::{Counts, LoadRecord, add_each};

/// The counts of one load.
#[derive(Clone)]
pub struct Recorder {
    name: String,
    warmup: Elapsed,
    counts_tasks: bool,
    due: u64,
    sent: u64,
    ok: u64,
    unsent: u64,
    capped: u64,
    tasks: u64,
    warmup_tasks: u64,
    warmup_sent: u64,
    first_due: Option<Elapsed>,
    last_end: Option<Elapsed>,
    failures: BTreeMap<Failure, u64>,
    statuses: Statuses,
    latency: Fine,
    lateness: Fine,
    connect: Fine,
    /// Requests that could not be made, because a value that they need was not captured. They were never due.
    skipped: u64,
    /// Failed while an action lasted.
    excused: u64,
    steps: Vec<StepTally>,
    items: Option<Items>,
    timeline: Buckets,
}

impl Recorder {
    /// For a load with these steps, counted from `warmup` after its start; `counts_tasks`: a step counts tasks.
    pub fn new(name: &str, steps: &[StepInput], warmup: Elapsed, counts_tasks: bool) -> Self {
        Self {
            name: name.into(),
            warmup,
            counts_tasks,
            due: 0,
            sent: 0,
            ok: 0,
            unsent: 0,
            capped: 0,
            tasks: 0,
            warmup_tasks: 0,
            warmup_sent: 0,
            first_due: None,
            last_end: None,
            failures: BTreeMap::new(),
            statuses: Statuses::default(),
            latency: Fine::default(),
            lateness: Fine::default(),
            connect: Fine::default(),
            skipped: 0,
            excused: 0,
            steps: StepTally::of(steps),
            items: Items::of(steps),
            timeline: Buckets::default(),
        }
    }

    /// A request is being sent.
    pub fn sent(&mut self, sending: Sending) {
        if sending.warmup {
            self.warmup_sent += 1;
            return;
        }
        self.became_due(sending.due);
        self.sent += 1;
        self.steps[sending.step as usize].sent += 1;
        self.lateness.record(sending.sent.since(sending.due).micros());
        self.timeline.sent(self.counted(sending.due), self.counted(sending.sent));
    }

    /// A request that was sent has ended.
    pub fn answered(&mut self, sending: Sending, answer: Answer) {
        if sending.warmup {
            self.warmup_tasks += answer.outcome.unwrap_or(0);
            return;
        }
        self.last_end = self.last_end.max(Some(answer.end));
        if let Some(status) = answer.status {
            self.statuses.count(status);
        }
        let end = self.counted(answer.end);
        let step = &mut self.steps[sending.step as usize];
        match answer.outcome {
            Ok(tasks) => {
                self.ok += 1;
                self.tasks += tasks;
                step.answered(answer.end.since(sending.sent).micros());
                if step.is_timed() {
                    let latency = answer.end.since(sending.since).micros();
                    self.latency.record(latency);
                    self.timeline.ok(end, latency);
                } else {
                    self.timeline.untimed(end);
                }
            }
            Err(_) if answer.excused => {
                self.excused += 1;
                self.timeline.failed(end);
            }
            Err(failure) => {
                *self.failures.entry(failure).or_default() += 1;
                step.failed(failure, sending.turn);
                self.timeline.failed(end);
            }
        }
    }

    /// What became of an item of an iteration that counts; its answer is counted beside.
    pub fn item(&mut self, item: Item) {
        if let Some(items) = &mut self.items {
            items.push(item);
        }
    }

    /// A counted request could not be made: a value that it needs was not captured.
    pub fn skipped(&mut self) {
        self.skipped += 1;
    }

    /// A new connection took so long, TCP and TLS.
    pub fn connected(&mut self, took: Elapsed) {
        self.connect.record(took.micros());
    }

    /// So many requests of an iteration due at `due` were not sent, because too many were open.
    pub fn capped(&mut self, requests: u64, due: Elapsed) {
        if due >= self.warmup {
            self.capped += requests;
            self.due += requests;
            self.first_due = Some(self.first_due.map_or(due, |first| first.min(due)));
            self.timeline.due(self.counted(due), requests);
        }
    }

    /// So many counted requests were planned and not sent, and never will be.
    pub fn unsent(&mut self, requests: u64) {
        self.unsent += requests;
        self.due += requests;
    }

    /// Adds what another recorder of the same load saw.
    pub fn merge(&mut self, other: &Self) {
        self.counts_tasks |= other.counts_tasks;
        for (ours, theirs) in [
            (&mut self.due, other.due),
            (&mut self.sent, other.sent),
            (&mut self.ok, other.ok),
            (&mut self.unsent, other.unsent),
            (&mut self.capped, other.capped),
            (&mut self.tasks, other.tasks),
            (&mut self.warmup_tasks, other.warmup_tasks),
            (&mut self.warmup_sent, other.warmup_sent),
            (&mut self.skipped, other.skipped),
            (&mut self.excused, other.excused),
        ] {
            *ours += theirs;
        }
        self.first_due = [self.first_due, other.first_due].into_iter().flatten().min();
        self.last_end = self.last_end.max(other.last_end);
        add_each(&mut self.failures, &other.failures);
        self.statuses.merge(&other.statuses);
        for (ours, theirs) in [
            (&mut self.latency, &other.latency),
            (&mut self.lateness, &other.lateness),
            (&mut self.connect, &other.connect),
        ] {
            ours.add(theirs);
        }
        for (ours, theirs) in self.steps.iter_mut().zip(&other.steps) {
            ours.merge(theirs);
        }
        if let (Some(ours), Some(theirs)) = (&mut self.items, &other.items) {
            ours.merge(theirs);
        }
        self.timeline.merge(&other.timeline);
    }

    /// Counted requests that became due so far, and those that could not be made.
    pub fn reached(&self) -> u64 {
        self.due + self.skipped
    }

    /// The counts so far, for people who watch.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            counts: self.counted_requests(),
            latency: self.latency.histogram(),
            service: self.service(),
            lateness: self.lateness.histogram(),
        }
    }

    /// The record; `start_ms` is the load's start, milliseconds since the epoch.
    pub fn finish(&self, start_ms: i64, stopped: Option<&str>) -> LoadRecord {
        LoadRecord {
            name: self.name.clone(),
            counts: Counts {
                unsent: self.unsent,
                first_due_ms: self.first_due.map(|due| start_ms + due.millis()),
                last_end_ms: self.last_end.map(|end| start_ms + end.millis()),
                ..self.counted_requests()
            },
            statuses: self.statuses.all(),
            latency: histogram::encode(&self.latency.histogram()),
            service: histogram::encode(&self.service()),
            lateness: histogram::encode(&self.lateness.histogram()),
            connect: histogram::encode(&self.connect.histogram()),
            items: self.items.as_ref().map(|items| items.finish(&self.steps, start_ms)),
            recovery: None,
            steps: self.steps.iter().map(StepTally::finish).collect(),
            timeline: self.timeline.finish(start_ms + self.warmup.millis()),
            stopped: stopped.map(str::to_string),
            breach: None,
        }
    }

    /// What is known while the load runs.
    fn counted_requests(&self) -> Counts {
        Counts {
            due: self.due,
            sent: self.sent,
            ok: self.ok,
            failed: self.failures.values().sum(),
            timed_out: self.failures.iter().filter(|(f, _)| f.timed_out()).map(|(_, n)| n).sum(),
            capped: self.capped,
            tasks: self.counts_tasks.then_some(self.tasks),
            warmup_tasks: self.counts_tasks.then_some(self.warmup_tasks),
            warmup_sent: self.warmup_sent,
            failures: named(&self.failures),
            skipped: self.skipped,
            excused: (self.excused > 0).then_some(self.excused),
            ..Counts::default()
        }
    }

    /// That of all steps.
    fn service(&self) -> Micros {
        let mut all = Fine::default();
        self.steps.iter().for_each(|step| all.add(step.service()));
        all.histogram()
    }

    fn became_due(&mut self, due: Elapsed) {
        self.due += 1;
        self.first_due = Some(self.first_due.map_or(due, |first| first.min(due)));
    }

    /// From the beginning of the counted part.
    fn counted(&self, time: Elapsed) -> Elapsed {
        time.since(self.warmup)
    }
}

#[cfg(test)]
#[path = "recorder_tests.rs"]
mod tests;
