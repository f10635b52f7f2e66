//! What the observer says: one compact JSON line a second on standard output.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::durations::DurationsRecord;
use super::statements::Statements;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ObserverLine {
    /// Said once, when PostgreSQL first answered, and again after it was lost.
    Database(DatabaseFacts),
    /// What was seen at one instant.
    Sample(Sample),
    /// Statements over the row in progress, or the row that ended.
    Statements(Statements),
}

/// What PostgreSQL says about itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DatabaseFacts {
    /// `SHOW server_version`.
    pub version: Option<String>,
    /// `SHOW max_connections`.
    pub max_connections: Option<i32>,
    /// When the server was started (`pg_postmaster_start_time()`), milliseconds since the epoch, by its own clock.
    pub started_ms: Option<i64>,
    /// False: without pg_monitor other users' sessions show no state, so figures by state are missing.
    pub sees_all: bool,
}

/// What was seen at one instant. Absent: not asked now; what was asked and did not answer is in `lost`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sample {
    /// Milliseconds since the epoch.
    pub t: i64,
    /// PostgreSQL's sessions and counters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pg: Option<PostgresSample>,
    /// Measurements asked at this instant, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub m: BTreeMap<String, f64>,
    /// Items that measurements timed, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub d: BTreeMap<String, DurationsRecord>,
    /// What did not answer (`postgres`, or the name of a measurement), and why, without any secret.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub lost: BTreeMap<String, String>,
}

/// PostgreSQL at one instant: client backends of the whole server, the observer's own left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PostgresSample {
    pub connections: u32,
    pub active: Option<u32>,
    /// Active and waiting for something.
    pub waiting: Option<u32>,
    pub idle_in_transaction: Option<u32>,
    /// Of the active: waiting for a lock, an LWLock, I/O, the client.
    pub lock: Option<u32>,
    pub lwlock: Option<u32>,
    pub io: Option<u32>,
    pub client: Option<u32>,
    /// Active for longer than slowQueryMilliseconds.
    pub slow: Option<u32>,
    /// Milliseconds a new connection took; absent: none was tried or none came about.
    pub connect_ms: Option<f64>,
    /// New connections that the server refused (SQLSTATE 53300) in this second.
    pub refused: u32,
    /// Counters since the server's statistics began; differences count.
    pub transactions: Option<i64>,
    /// The observer's own of them, since it began.
    pub own_transactions: Option<i64>,
    pub blocks_hit: Option<i64>,
    pub blocks_read: Option<i64>,
    pub deadlocks: Option<i64>,
    pub temp_bytes: Option<i64>,
}
