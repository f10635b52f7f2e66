//! The standing rule in the small world: claims and Jobs of runs that are over go, also when their LoadTest is gone.

use super::world::{RunKey, World};
use crate::api::Phase;
use crate::lifecycle::{Active, StandingVerdict, standing};
use crate::plan::act_part;

fn label(key: RunKey) -> String {
    format!("{}.{}", key.test, key.run)
}

impl World {
    fn active(&self) -> Vec<Active> {
        let tests = 0..self.tests.len();
        let standing = tests.filter(|test| self.stands(self.key(*test)));
        let active = |test: usize| {
            let state = &self.tests[test].state;
            let acts = state.phase == Phase::Running || state.judged;
            let (row, act) = self.act_key(test);
            Active {
                label: label(self.key(test)),
                row: state.row.into(),
                act: (state.acting && acts).then(|| act_part(Some(row.row.into()), act.into())),
            }
        };
        standing.map(active).collect()
    }

    /// Targets whose claim is of no active run.
    pub fn stray_targets(&self) -> Vec<usize> {
        if self.targets.iter().flatten().all(|target| target.claim.is_none()) {
            return Vec::new();
        }
        let active = self.active();
        let stray = |index: &usize| {
            let claim = self.targets[*index].as_ref().and_then(|target| target.claim.as_ref());
            claim.is_some_and(|claim| standing(&active, &label(claim.of), None) == StandingVerdict::Remove)
        };
        (0..self.targets.len()).filter(stray).collect()
    }

    /// Jobs of no active row.
    pub fn stray_jobs(&self) -> Vec<usize> {
        if self.jobs.is_empty() {
            return Vec::new();
        }
        let active = self.active();
        let stray = |at: &usize| {
            let row = self.jobs[*at].row;
            standing(&active, &label(row.of), Some(&row.row.to_string())) == StandingVerdict::Remove
        };
        (0..self.jobs.len()).filter(stray).collect()
    }

    /// Jobs of no act under way.
    pub fn stray_act_jobs(&self) -> Vec<usize> {
        if self.act_jobs.is_empty() {
            return Vec::new();
        }
        let active = self.active();
        let stray = |at: &usize| {
            let (row, act) = self.act_jobs[*at].act;
            let part = act_part(Some(row.row.into()), act.into());
            standing(&active, &label(row.of), Some(&part)) == StandingVerdict::Remove
        };
        (0..self.act_jobs.len()).filter(stray).collect()
    }

    /// Applies the standing rule to one object; false: there is nothing to do.
    pub fn sweep(&mut self) -> bool {
        if let Some(index) = self.stray_targets().first() {
            self.release(*index);
            return true;
        }
        if let Some(at) = self.stray_jobs().first() {
            let row = self.jobs[*at].row;
            self.delete_job(row, None);
            return true;
        }
        if let Some(at) = self.stray_act_jobs().first() {
            self.act_jobs.remove(*at);
            return true;
        }
        false
    }
}
