//! The validated plan: the spec with the sweep unfolded into rows.

use crate::api::{Load, LoadTestSpec, Setting, Target};

/// A spec that holds together.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What was planned from.
    pub spec: LoadTestSpec,
    /// In the order they run; at least one, at most 64.
    pub rows: Vec<PlannedRow>,
    /// Hash of the spec without defaults, `suspend` and `cancel`; 64 hex digits.
    pub hash: String,
}

/// One row of the table to come.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedRow {
    /// From 1.
    pub number: i32,
    /// Which combination of the sweep this is, from 1; `repeats` gives several rows of one point.
    pub point: i32,
    /// What the sweep set, as shown in the table.
    pub set: Vec<Setting>,
    /// All loads, with the sweep's clients or rate.
    pub loads: Vec<Load>,
    /// All targets, with the sweep's replicas, CPU or memory.
    pub targets: Vec<Target>,
}
