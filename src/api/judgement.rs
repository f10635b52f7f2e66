//! When a row is over and what must hold.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules;
use super::shared::*;

/// The quiet time around a row.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settle {
    /// Wait so long after the load; figures named settled are read at its end.
    #[schemars(range(min = 0, max = 86_400))]
    pub seconds: i32,
    /// Also wait, before the first row and after every row, until a measurement is down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Until>,
    /// Longest wait for until; then the run stops as Invalid.
    #[schemars(range(min = 1, max = 604_800))]
    pub timeout_seconds: i32,
    /// True: the figures of the row go on until the measurement is down (a backlog being worked off).
    pub measure: bool,
}

impl Default for Settle {
    fn default() -> Self {
        Self { seconds: 10, until: None, timeout_seconds: 600, measure: false }
    }
}

/// A measurement that must be down.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Until {
    /// Its name.
    pub measurement: NameRef,
    /// Down means not more than this.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub at_most: i64,
}

/// The application's own count of tasks.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TasksCheck {
    /// The measurement that counts the tasks created since $(row.start); its settled value is used.
    pub measurement: NameRef,
}

/// What must hold.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[x_kube(
    validation = ("has(self.max) || has(self.min)", "set max, min or both"),
    validation = rules::THRESHOLD_METRIC,
    validation = rules::THRESHOLD_STOP
)]
pub struct Threshold {
    /// A figure of the row, by its path in status.results: tasks, tasksPerSecond, tasksUnaccounted,
    /// backlog, backlogSlopePerSecond, drainSeconds, processedPerSecond;
    /// requests.{sent,ok,failed,excused,timedOut,capped,late,failedPercent,perSecond}; latency. and
    /// service.{mean,p50,p90,p95,p99,max}Ms, lateness.{p50,p99,max}Ms;
    /// recovery.{outages,longestMs,recoveryMs} of loads with a rate;
    /// targets.NAME.{restarts,oomKills,cpuMaxPercent,memoryMaxPercent,memoryMaxMiB,
    /// memorySlopePercentPerMinute}; measurements.NAME.STAT, of durations
    /// measurements.NAME.{average,minimum,maximum,p50,p95} in seconds;
    /// database.FIGURE.STAT, FIGURE from PostgreSQL: connections, connectionsPercent, activeSessions,
    /// waitingSessions, idleInTransaction, lockWaitPercent, lwlockWaitPercent, ioWaitPercent,
    /// clientWaitPercent, connectMs, refusedConnections, slowQueries, transactionsPerSecond,
    /// cacheHitPercent, deadlocks, tempMiB; from CloudWatch: instanceConnections, cpuPercent,
    /// freeableMemoryMiB, swapMiB, readLatencyMs, writeLatencyMs, readIops, writeIops, queueDepth,
    /// dbLoad, dbLoadCpu, dbLoadNonCpu, and with database.rds.proxy proxyBorrowLatencyMs,
    /// proxyBorrowedConnections, proxyClientConnections. STAT is average, minimum, maximum, last or
    /// settled. With loads.NAME. before it, of one load; without, counts and rates are sums and every load
    /// must hold a latency. A CloudWatch figure that no row can carry is judged once, on the whole test.
    #[schemars(length(min = 1, max = 128))]
    pub metric: String,
    /// Not more than this. A whole number, or a decimal in quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Limit>,
    /// Not less than this. A whole number, or a decimal in quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<Limit>,
    /// True: skip it where the figure is not available. False: then the verdict is Invalid.
    #[serde(default)]
    pub optional: bool,
    /// True: a generator whose own requests break max ends its load within a second, and the row is
    /// Failed. For tasks, requests.{sent,ok,failed,timedOut,capped,failedPercent}, latency., service.
    /// and lateness.; a share or percentile must be broken beyond chance.
    #[serde(default)]
    pub stop: bool,
}

/// The longest each part may take.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Deadlines {
    /// Waiting for another test that uses the same target.
    #[schemars(range(min = 0, max = 604_800))]
    pub queue_seconds: i32,
    /// Until the targets have the wanted size and are ready; for each row.
    #[schemars(range(min = 10, max = 86_400))]
    pub prepare_seconds: i32,
    /// Waiting for figures that come late (CloudWatch).
    #[schemars(range(min = 0, max = 3600))]
    pub evidence_seconds: i32,
    /// The whole run.
    #[schemars(range(min = 60, max = 604_800))]
    pub total_seconds: i32,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { queue_seconds: 3600, prepare_seconds: 600, evidence_seconds: 600, total_seconds: 21_600 }
    }
}
