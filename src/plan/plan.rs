//! The validated plan: the spec with the sweep unfolded into rows.

use std::collections::BTreeMap;

use crate::api::{Action, Load, LoadTestSpec, Setting, Target};

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

impl Plan {
    /// The targets that get a size in some row or that an action is done to, in the order they are claimed: by kind and name, so that two tests never
    /// wait for each other.
    pub fn sized(&self) -> Vec<&Target> {
        let swept = |name: &str| self.spec.sweep.iter().any(|s| s.target.as_ref().is_some_and(|t| t.0 == name));
        let acted = |name: &str| self.spec.actions.iter().any(|a| a.target().is_some_and(|t| t.0 == name));
        let set = |t: &&Target| t.replicas.is_some() || t.cpu.is_some() || t.memory.is_some() || !t.env.is_empty();
        let mut sized: Vec<&Target> =
            self.spec.targets.iter().filter(|t| set(t) || swept(&t.name.0) || acted(&t.name.0)).collect();
        sized.sort_by_key(|t| (t.workload_ref.kind.as_str(), &t.workload_ref.name.0));
        sized
    }

    /// Numbers of replicas that actions give this target, in all rows.
    pub fn scales(&self, target: &str) -> Vec<i32> {
        let actions = self.rows.iter().flat_map(|row| &row.actions);
        let scale = actions.filter_map(|action| action.scale.as_ref());
        scale.filter(|scale| scale.target.0 == target).map(|scale| scale.replicas).collect()
    }

    /// The row of that number.
    pub fn row(&self, number: i32) -> Option<&PlannedRow> {
        self.rows.iter().find(|row| row.number == number)
    }
}

impl PlannedRow {
    /// The target of that name, as this row wants it.
    pub fn target(&self, name: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.name.0 == name)
    }
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
    /// All targets, with the sweep's replicas, CPU, memory or environment.
    pub targets: Vec<Target>,
    /// Entries of vars that the sweep gives another value.
    pub variables: BTreeMap<String, String>,
    /// All actions, with the sweep's replicas.
    pub actions: Vec<Action>,
}
