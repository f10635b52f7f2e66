//! Writes: how a step becomes one, and what the API server makes of it. Preconditions are checked here, where the API
//! server would check them.

use super::defences::Defence;
use super::objects::{ActJob, Job, Stage};
use super::world::{ActKey, Kind, LONGEST_ACT, RowKey, World, Write};
use crate::api::Phase;
use crate::lifecycle::{ActKind, ActStage, Change, Effect, Millis, REMINDERS, Step, Uid};

impl World {
    /// The write of a step; `None` for a step that only waits.
    pub fn write_of(&self, test: usize, step: &Step) -> Option<Write> {
        let version = self.tests[test].version;
        let (kind, version) = match step {
            Step::Record(change) => {
                let next = self.tests[test].state.after(change, self.plan(test), &self.intent(test), self.now);
                (Kind::Record(Box::new(next)), version)
            }
            Step::Act(effect) => self.act(test, effect, version),
            _ => return None,
        };
        Some(Write { test, run: self.key(test), kind, version, decided: self.now, held: true })
    }

    fn act(&self, test: usize, effect: &Effect, version: u32) -> (Kind, u32) {
        let of_target = |n: usize| self.targets[self.setup.targets[test][n]].as_ref().map_or(0, |t| t.version);
        let row = self.row(test);
        match effect {
            Effect::AddFinalizer => (Kind::Finalizer(true), version),
            Effect::RemoveFinalizer => (Kind::Finalizer(false), version),
            Effect::Claim(n) => (Kind::Claim(*n), of_target(*n)),
            Effect::Size(n) => (Kind::Size(*n, row), of_target(*n)),
            Effect::Rescale(n) => {
                let state = &self.tests[test].state;
                let replicas = match self.plan(test).act(state, state.act).map(|act| act.kind) {
                    Some(ActKind::Scale { replicas, .. }) => Some(replicas),
                    _ => None,
                };
                (Kind::Rescale(*n, self.act_key(test), replicas), of_target(*n))
            }
            Effect::Restart(n) => (Kind::Restart(*n, self.act_key(test)), of_target(*n)),
            Effect::DeletePods(pods) => {
                let state = &self.tests[test].state;
                let act = self.plan(test).act(state, state.act).and_then(|act| act.kind.target()).unwrap_or(0);
                let pods = pods.iter().map(|pod| u8::try_from(pod.0).unwrap_or(0)).collect();
                (Kind::DeletePods(act, self.act_key(test), pods), 0)
            }
            Effect::Release(n) => (Kind::Release(*n), of_target(*n)),
            Effect::CreateActJob => (Kind::CreateActJob(self.act_key(test)), 0),
            Effect::RunActJob(uid) => (Kind::RunActJob(self.act_key(test), *uid), 0),
            Effect::DeleteActJob(uid) => (Kind::DeleteActJob(self.act_key(test), *uid), 0),
            Effect::CreateObserver => (Kind::CreateObserver, 0),
            Effect::DeleteObserver => (Kind::DeleteObserver, 0),
            Effect::CreateJob => (Kind::CreateJob(row), 0),
            Effect::DeleteJob(uid) => (Kind::DeleteJob(row, *uid), 0),
            Effect::Grant(pods) => {
                let fire = self.tests[test].state.fire.map_or((0, 0), |fire| (fire.start_at, fire.hard_end_at));
                let due = REMINDERS.iter().filter(|before| fire.0 - **before <= self.now).count();
                (Kind::Grant(self.versions(|uid| pods.contains(&uid)), fire, due as u8), 0)
            }
            Effect::Expire => (Kind::Expire, version),
            Effect::Stop => {
                let alive = |uid| self.pods.iter().any(|p| p.uid() == uid && p.row == row && p.stage != Stage::Ended);
                (Kind::Stop(self.versions(alive)), 0)
            }
        }
    }

    fn versions(&self, wanted: impl Fn(Uid) -> bool) -> Vec<(Uid, u32)> {
        self.pods.iter().filter(|pod| wanted(pod.uid())).map(|pod| (pod.uid(), pod.version)).collect()
    }

    /// The API server gets the write. Grants and stops are one write for each pod: this is the first, and the rest is
    /// given back.
    pub fn deliver(&mut self, write: Write) -> Option<Write> {
        if write.held && matches!(write.kind, Kind::Claim(_) | Kind::CreateJob(_)) {
            let over = !self.stands(write.run) && self.tests[write.test].state.run == write.run.run;
            if over && self.now - self.tests[write.test].over_since > LONGEST_ACT {
                self.broken = Some("a process claims or creates long after its run was over");
            }
        }
        match &write.kind {
            Kind::Record(_) | Kind::Finalizer(_) => self.write_test(&write),
            Kind::Expire => self.expire(&write),
            Kind::Claim(n) | Kind::Size(n, _) | Kind::Release(n) => {
                let index = self.setup.targets[write.test][*n];
                self.write_target(&write, index);
            }
            Kind::Rescale(n, ..) | Kind::Restart(n, _) => {
                self.write_target(&write, self.setup.targets[write.test][*n]);
            }
            Kind::DeletePods(n, act, pods) => {
                self.delete_pod(self.setup.targets[write.test][*n], *act, pods, &write);
            }
            Kind::CreateActJob(act) => self.create_act_job(*act),
            Kind::RunActJob(act, uid) => {
                let job = self.act_jobs.iter_mut().find(|job| job.act == *act && job.uid() == *uid);
                job.filter(|job| job.stage == ActStage::Held).into_iter().for_each(|job| job.stage = ActStage::Runs);
            }
            Kind::DeleteActJob(_, uid) => self.act_jobs.retain(|job| job.uid() != *uid),
            Kind::CreateObserver => {
                let run = write.run.run;
                self.tests[write.test].observer.get_or_insert((run, false));
            }
            Kind::DeleteObserver => self.tests[write.test].observer = None,
            Kind::CreateJob(row) => self.create_job(*row),
            Kind::DeleteJob(row, uid) => self.delete_job(*row, Some(*uid)),
            Kind::Grant(pods, fire, due) => {
                let (first, rest) = pods.split_first()?;
                self.grant(*first, *fire, *due);
                let kind = Kind::Grant(rest.to_vec(), *fire, *due);
                return (!rest.is_empty()).then_some(Write { kind, ..write });
            }
            Kind::Stop(pods) => {
                let (first, rest) = pods.split_first()?;
                self.stop(*first);
                let kind = Kind::Stop(rest.to_vec());
                return (!rest.is_empty()).then_some(Write { kind, ..write });
            }
        }
        None
    }

    /// Compare and swap of the LoadTest.
    fn write_test(&mut self, write: &Write) {
        let swaps = !self.without(Defence::StatusSwap) || matches!(write.kind, Kind::Finalizer(_));
        let test = &mut self.tests[write.test];
        if !test.exists || swaps && test.version != write.version {
            return;
        }
        test.version = test.version.wrapping_add(1) % (u32::MAX - 1);
        match &write.kind {
            Kind::Record(next) => {
                if next.phase == Phase::Claiming && test.state.phase != Phase::Claiming {
                    test.ran = test.spec;
                }
                if next.phase == Phase::Finished && test.state.phase != Phase::Finished {
                    test.over_since = self.now;
                }
                test.state = (**next).clone();
            }
            Kind::Finalizer(there) => test.finalizer = *there,
            _ => {}
        }
        test.exists = !test.deleting || test.finalizer;
    }

    fn create_job(&mut self, row: RowKey) {
        let taken = self.jobs.iter().any(|job| job.row == row);
        if taken && !self.without(Defence::JobName) {
            return;
        }
        if taken {
            self.broken = Some("a row has two Jobs");
        }
        let nth = self.jobs_made.entry(row).or_default();
        *nth += 1;
        let nth = *nth;
        self.jobs.push(Job { row, nth, made: 0, terminating: false });
    }

    /// Background deletion: the Job is gone, its pods are told to end.
    pub fn delete_job(&mut self, row: RowKey, uid: Option<Uid>) {
        let Some(at) = self.jobs.iter().position(|job| job.row == row && uid.is_none_or(|uid| job.uid() == uid)) else {
            return;
        };
        let gone = self.jobs.remove(at).uid();
        self.pods.iter_mut().filter(|pod| pod.job == gone).for_each(|pod| pod.terminating = true);
        self.bury();
    }

    fn create_act_job(&mut self, act: ActKey) {
        if self.act_jobs.iter().any(|job| job.act == act) {
            return;
        }
        let stage = if self.without(Defence::ActHeld) { ActStage::Runs } else { ActStage::Held };
        let nth = self.act_jobs_made.entry(act).or_default();
        *nth += 1;
        self.act_jobs.push(ActJob { act, nth: *nth, stage });
    }

    fn grant(&mut self, (uid, version): (Uid, u32), fire: (Millis, Millis), due: u8) {
        let by_uid = !self.without(Defence::PodUid);
        let index = |uid: Uid| uid.0 / 2;
        for pod in &mut self.pods {
            let addressed =
                if by_uid { pod.uid() == uid && pod.version == version } else { index(pod.uid()) == index(uid) };
            if addressed && (pod.grant.is_none() || pod.reminded < due) {
                pod.grant = Some(fire);
                pod.reminded = due;
                pod.version += 1;
            }
        }
    }

    fn stop(&mut self, (uid, version): (Uid, u32)) {
        for pod in self.pods.iter_mut().filter(|pod| pod.uid() == uid && pod.version == version && !pod.stop) {
            pod.stop = true;
            pod.version += 1;
        }
    }

    /// Ended pods of a deleted Job leave the world.
    pub fn bury(&mut self) {
        self.pods.retain(|pod| !(pod.terminating && pod.stage == Stage::Ended));
    }

    /// What a process does that acts on what it is about to record: the grants of a start that nobody recorded yet.
    pub fn grant_early(&mut self, step: &Step) {
        if let Step::Record(Change::Fire { fire, pods }) = step {
            let versions = self.versions(|uid| pods.contains(&uid));
            versions.into_iter().for_each(|pod| self.grant(pod, (fire.start_at, fire.hard_end_at), 0));
        }
    }
}
