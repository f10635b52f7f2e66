//! PURE: what was counted so far, for people who watch and for thresholds that stop.

use crate::results::gathered::histogram::Micros;

/// The counted part so far.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub due: u64,
    pub sent: u64,
    pub ok: u64,
    pub failed: u64,
    /// Of the failed: not answered in time.
    pub timed_out: u64,
    pub capped: u64,
    pub warmup_sent: u64,
    /// Absent: no step counts tasks.
    pub tasks: Option<u64>,
    /// Microseconds from due to answered, good answers only.
    pub latency: Micros,
    /// Microseconds from sent to answered, good answers only.
    pub service: Micros,
    /// Microseconds from due to sent, all sent.
    pub lateness: Micros,
}

impl Snapshot {
    /// Adds what another one of the same load counted.
    pub fn add(&mut self, other: &Self) {
        self.due += other.due;
        self.sent += other.sent;
        self.ok += other.ok;
        self.failed += other.failed;
        self.timed_out += other.timed_out;
        self.capped += other.capped;
        self.warmup_sent += other.warmup_sent;
        self.tasks = self.tasks.or(other.tasks).map(|_| self.tasks.unwrap_or(0) + other.tasks.unwrap_or(0));
        self.latency += &other.latency;
        self.service += &other.service;
        self.lateness += &other.lateness;
    }
}
