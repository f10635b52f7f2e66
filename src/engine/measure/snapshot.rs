//! PURE: what was counted so far, for people who watch and for thresholds that stop.

use crate::results::gathered::histogram::Micros;
use crate::results::gathered::record::Counts;

/// The counted part so far.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Without instants, and what is unsent: that is known at the end.
    pub counts: Counts,
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
        self.counts.add(&other.counts);
        self.latency += &other.latency;
        self.service += &other.service;
        self.lateness += &other.lateness;
    }
}
