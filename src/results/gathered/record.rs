//! What a generator says: JSON lines on standard output, a header first, a trailer last.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::items::ItemsRecord;
use super::recovery::RecoveryRecord;
use crate::api::Breach;

/// Word of a load that a threshold stopped: nothing was due any more.
pub const THRESHOLD: &str = "threshold";

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Record {
    Header(Header),
    Load(Box<LoadRecord>),
    Trailer(Trailer),
}

/// Who speaks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// [`crate::plan::PROTOCOL_VERSION`] of the writer.
    pub protocol: i32,
    pub run_id: String,
    pub row: i32,
    /// Completion index of the pod.
    pub index: u32,
    /// The granted start: first request due; milliseconds since the epoch.
    pub start_at_ms: i64,
    /// How far this pod's wall clock was from the controller's when the grant was seen, milliseconds:
    /// seen minus written; at least the delivery time (some tens of milliseconds), below zero only by skew.
    pub grant_seen_after_ms: i64,
    /// Version and commit of the binary.
    pub version: String,
}

/// What became of a load's requests; the counted part only, where warm-up is not named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Counts {
    /// Requests of the counted part that became due.
    pub due: u64,
    pub sent: u64,
    pub ok: u64,
    pub failed: u64,
    /// Of the failed: not answered in time.
    pub timed_out: u64,
    /// Due and not sent, by the generator's fault (cut off, stopped, ran behind until the end).
    pub unsent: u64,
    /// Due and not sent, because maxInFlight was reached.
    pub capped: u64,
    /// Tasks of good answers; absent: no step counts tasks.
    pub tasks: Option<u64>,
    /// Tasks of good answers of the warm-up.
    pub warmup_tasks: Option<u64>,
    /// Requests sent in the warm-up.
    pub warmup_sent: u64,
    /// First counted request due, milliseconds since the epoch.
    pub first_due_ms: Option<i64>,
    /// Last counted answer or giving-up, milliseconds since the epoch.
    pub last_end_ms: Option<i64>,
    /// Failures by class: `status 503`, `timeout`, `connect refused`, `reset`, `tls`, `bad json`, ...
    pub failures: BTreeMap<String, u64>,
    /// Requests that could not be made, because a value that they need was not captured; they were never due.
    #[serde(skip_serializing_if = "is_zero")]
    pub skipped: u64,
    /// Failed while an action lasted, and not among the failed; absent: there was no action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excused: Option<u64>,
}

/// What became of a step's requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StepCounts {
    pub name: String,
    pub sent: u64,
    pub ok: u64,
    pub failed: u64,
    /// Failures by class, as in [`Counts`].
    pub failures: BTreeMap<String, u64>,
    /// How often it is sent in an iteration; 0: not known.
    #[serde(skip_serializing_if = "is_zero")]
    pub each: u64,
    /// Of a step that is sent several times: which time failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<PlaceRecord>,
}

/// Failures of one class, the so-manieth time that their step was sent in its iteration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PlaceRecord {
    pub class: String,
    /// From 1.
    pub turn: u32,
    pub count: u64,
}

/// One load's share that this generator sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LoadRecord {
    pub name: String,
    #[serde(flatten)]
    pub counts: Counts,
    /// Answers by status code.
    pub statuses: BTreeMap<u16, u64>,
    /// Microseconds from due to answered, good answers only.
    pub latency: Histogram,
    /// Microseconds from sent to answered, good answers only.
    pub service: Histogram,
    /// Microseconds from due to sent, all sent.
    pub lateness: Histogram,
    /// Microseconds a new connection took (TCP and TLS).
    pub connect: Histogram,
    pub steps: Vec<StepRecord>,
    /// Absent: no step is polled. Where there are items, `latency` is theirs: from their iteration due to done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<ItemsRecord>,
    /// Absent: the load has no rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery: Option<RecoveryRecord>,
    pub timeline: Timeline,
    /// Stopped before its end: why, in a word (`stop-at`, `sigterm`, `hard-end`, [`THRESHOLD`]).
    pub stopped: Option<String>,
    /// The threshold that stopped it, as this generator saw it.
    pub breach: Option<Breach>,
}

/// One step's share of a load.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StepRecord {
    #[serde(flatten)]
    pub counts: StepCounts,
    /// Microseconds from sent to answered, good answers only.
    pub service: Histogram,
}

impl Counts {
    /// Takes in what another generator counted of the same load.
    pub fn add(&mut self, other: &Self) {
        self.due += other.due;
        self.sent += other.sent;
        self.ok += other.ok;
        self.failed += other.failed;
        self.timed_out += other.timed_out;
        self.unsent += other.unsent;
        self.capped += other.capped;
        self.warmup_sent += other.warmup_sent;
        self.tasks = plus(self.tasks, other.tasks);
        self.warmup_tasks = plus(self.warmup_tasks, other.warmup_tasks);
        self.first_due_ms = self.first_due_ms.into_iter().chain(other.first_due_ms).min();
        self.last_end_ms = self.last_end_ms.max(other.last_end_ms);
        add_each(&mut self.failures, &other.failures);
        self.skipped += other.skipped;
        self.excused = plus(self.excused, other.excused);
    }

    /// Seconds from the first request due to the last end; `None` when that is no time.
    pub fn seconds(&self) -> Option<f64> {
        let (first, last) = (self.first_due_ms?, self.last_end_ms?);
        (last > first).then(|| (last - first) as f64 / 1000.0)
    }

    /// What contradicts itself; sentences.
    pub fn contradictions(&self) -> Vec<String> {
        let (ended, known) = (self.ok + self.failed + self.excused.unwrap_or(0), self.sent + self.unsent + self.capped);
        let mut found = Vec::new();
        if self.sent != ended {
            found.push(format!("{} requests were sent, but {ended} ended", self.sent));
        }
        if self.due != known {
            found.push(format!("{} requests were due, but {known} are accounted for", self.due));
        }
        found
    }
}

impl StepCounts {
    /// Takes in what another generator counted of the same step.
    pub fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.ok += other.ok;
        self.failed += other.failed;
        add_each(&mut self.failures, &other.failures);
        self.each = self.each.max(other.each);
        for place in &other.places {
            match self.places.iter_mut().find(|own| (&own.class, own.turn) == (&place.class, place.turn)) {
                Some(own) => own.count += place.count,
                None => self.places.push(place.clone()),
            }
        }
    }
}

/// Adds up by key.
pub fn add_each<K: Ord + Clone>(sums: &mut BTreeMap<K, u64>, others: &BTreeMap<K, u64>) {
    for (key, n) in others {
        *sums.entry(key.clone()).or_default() += n;
    }
}

fn plus(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    }
}

/// A histogram of microseconds from 1 to 3,600,000,000 with 3 significant digits: HdrHistogram V2 + DEFLATE, base64. Empty: no values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Histogram(pub String);

/// What happened when; at most 600 buckets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Timeline {
    /// Milliseconds since the epoch of the first bucket's beginning.
    pub start_ms: i64,
    /// Length of a bucket.
    pub bucket_ms: u32,
    pub buckets: Vec<Bucket>,
}

/// One bucket: by due time for `due`, by send time for `sent`, by end for the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bucket {
    pub due: u32,
    pub sent: u32,
    pub ok: u32,
    pub failed: u32,
    /// Median and 99 of 100 of the latency of good answers, microseconds; absent below 7 and 459 samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99: Option<u32>,
    /// Largest, microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
}

/// Nothing is missing when this line is there and fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trailer {
    /// Lines before this one, the header among them.
    pub records: u32,
    /// CRC-32 (IEEE) over those lines, each with its line feed.
    pub crc32: u32,
}

/// The termination message (at most 4 KiB): what is left when the log is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Termination {
    /// Absent: ended as it should. A reason of the protocol (`SecretMissing`, `AgentHasIdentity`, `UrlNotAllowed`, `InvalidSpec`, ...).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Counts of each load, histograms and timelines left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loads: Vec<LoadRecord>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_zero(n: &u64) -> bool {
    *n == 0
}
