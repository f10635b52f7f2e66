//! Writes to targets: sizes, claims, what acts do to them, and their release.

use super::defences::Defence;
use super::objects::{Claim, Target, scaled_to, wanted};
use super::world::{ActKey, Kind, LONGEST_ACT, RowKey, World, Write};
use crate::lifecycle::{LATE, Millis};

impl World {
    /// A JSON Patch of a target that begins with its resourceVersion.
    pub fn write_target(&mut self, write: &Write, index: usize) {
        let stale = |target: &Target| target.version != write.version && !self.without(Defence::TargetVersion);
        let Some(target) = self.targets[index].as_ref().filter(|target| !stale(target)) else { return };
        let ours = target.claim.as_ref().is_some_and(|claim| claim.of == write.run);
        match &write.kind {
            Kind::Claim(_) => {
                let row = RowKey { of: write.run, row: 1 };
                let originals = target.size;
                let claim = Claim { of: write.run, originals, set: None, act: None };
                let at_once = self.without(Defence::ClaimFirst);
                let target = self.target(index);
                target.claim = Some(claim);
                if at_once {
                    // A size under a claim that stayed on a run that is over is put back with that claim; this one is new.
                    if !self.stands(write.run) {
                        self.broken = Some("a size is set for a run that is over");
                    }
                    self.size(index, row);
                }
            }
            Kind::Size(_, row) => {
                if !ours {
                    self.broken = Some("a size is set without a claim");
                }
                self.size(index, *row);
            }
            Kind::Rescale(_, act, replicas) if ours => {
                self.size(index, act.0);
                if let (Some(replicas), Some(target)) = (replicas, self.targets[index].as_mut()) {
                    target.size[0] = scaled_to(*replicas);
                    target.claim.iter_mut().for_each(|claim| claim.set = Some(target.size));
                }
                self.mark(index, *act, write);
            }
            Kind::Restart(_, act) if ours => {
                self.target(index);
                self.mark(index, *act, write);
            }
            Kind::Release(_) if ours => self.release(index),
            _ => {}
        }
    }

    fn size(&mut self, index: usize, row: RowKey) {
        let size = [wanted(row); 2];
        let target = self.target(index);
        target.size = size;
        if let Some(claim) = &mut target.claim {
            claim.set = Some(size);
        }
    }

    /// An act was done to a target, which carries its number from now on.
    fn mark(&mut self, index: usize, act: ActKey, write: &Write) {
        if let Some(claim) = self.targets[index].as_mut().and_then(|target| target.claim.as_mut()) {
            claim.act = Some(act);
        }
        self.count(act, write);
    }

    /// What a process sends itself comes at its planned time, or not at all; and once.
    fn count(&mut self, act: ActKey, write: &Write) {
        let due = self.due(act);
        if write.held && due.is_some_and(|due| self.now > due + LATE + LONGEST_ACT) {
            self.broken = Some("an action is done long after its planned time");
        }
        self.count_once(act);
    }

    /// The planned instant of an act in mid-load, while its row is in progress.
    pub fn due(&self, (row, act): ActKey) -> Option<Millis> {
        let test = row.of.test;
        let state = &self.tests[test].state;
        let planned = self.plan(test).act(state, act).filter(|act| !act.kind.undoes() && self.row(test) == row)?;
        Some(state.fire?.start_at + planned.at?)
    }

    /// An act is done.
    pub fn count_once(&mut self, act: ActKey) {
        let times = self.acted.entry(act).or_default();
        *times += 1;
        if *times > 1 {
            self.broken = Some("an action is done twice for one planned time");
        }
    }

    /// A pod that is deleted is replaced at once.
    pub fn delete_pod(&mut self, index: usize, act: ActKey, pods: &[u8], write: &Write) {
        let Some(target) = self.targets[index].as_mut() else { return };
        if pods.contains(&target.pod) {
            target.pod += 1;
            self.count(act, write);
        }
    }

    /// The target, written.
    fn target(&mut self, index: usize) -> &mut Target {
        let target = self.targets[index].as_mut().expect("looked at before");
        target.version = target.version.wrapping_add(1) % (u32::MAX - 1);
        target
    }

    /// Puts back what is still ours, and takes the claim away.
    pub fn release(&mut self, index: usize) {
        let Some(claim) = self.targets[index].as_ref().and_then(|target| target.claim.clone()) else { return };
        if self.pods.iter().any(|pod| pod.row.of == claim.of && pod.may_send(self.now)) {
            self.broken = Some("a target is put back while a generator may send");
        }
        let compares = !self.without(Defence::CompareFields);
        let target = self.target(index);
        target.claim = None;
        let Some(set) = claim.set else { return };
        for ((live, set), original) in target.size.iter_mut().zip(set).zip(claim.originals) {
            if *live == set || !compares {
                *live = original;
            }
        }
    }

    /// The user deletes the test: it goes at once when nobody holds it.
    pub fn delete_test(&mut self, test: usize) {
        let (holds, now) = (!self.without(Defence::Finalizer), self.now);
        let test = &mut self.tests[test];
        test.version += 1;
        test.deleting = true;
        test.exists = test.finalizer && holds;
        test.over_since = now;
    }

    /// Somebody else's change of one field.
    pub fn edit_target(&mut self, index: usize, field: usize, value: u8) {
        if self.targets[index].is_some() {
            self.target(index).size[field] = value;
            self.edited = Some(index);
        }
    }
}
