//! Something in the way of a run.

use serde_json::Value;

use crate::lab::Lab;

/// Something that is in the way for good.
pub struct Blocker {
    pub what: &'static str,
    pub plant: fn(&mut Lab),
    /// Makes the specification fit.
    pub spec: fn(&mut Value),
    /// How the run ends.
    pub verdict: &'static str,
    pub reason: &'static str,
    /// Within so many seconds from the beginning of the test.
    pub within: u64,
}

impl Blocker {
    /// One after which the run is Invalid.
    pub fn new(what: &'static str, plant: fn(&mut Lab), reason: &'static str, within: u64) -> Self {
        Self { what, plant, spec: |_| {}, verdict: "Invalid", reason, within }
    }

    /// With a change of the specification.
    pub fn spec(self, spec: fn(&mut Value)) -> Self {
        Self { spec, ..self }
    }

    /// With another verdict.
    pub fn verdict(self, verdict: &'static str) -> Self {
        Self { verdict, ..self }
    }
}
