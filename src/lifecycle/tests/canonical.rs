//! One form for all histories that can't be told apart: [`World::canonical`].

use super::defences::Defence;
use super::objects::Stage;
use super::world::{ENDLESS, Kind, LONGEST_ACT, T0, World, Write};
use crate::api::Phase;
use crate::lifecycle::{ActView, LATE, Millis, PlanView, STOPPING, State, Uid};

/// Version of a write whose object was written since.
const STALE: u32 = u32::MAX;
/// Longest time after which something is still looked back at: hardEndAt and the time for putting back.
const LONG_AGO: Millis = 400_000;

impl World {
    /// The same world seen from [`T0`], with versions as "current or not" and instants that are over as one.
    pub fn canonical(&mut self) {
        let shift = T0 - self.now;
        self.now = T0;
        let ahead = |instant: &mut Millis| *instant = (*instant + shift).max(T0 - LONG_AGO);
        for (test, plan) in self.tests.iter_mut().zip(&self.setup.plans) {
            canonical_state(&mut test.state, plan, test.ttl, shift);
            test.over_since = (test.over_since + shift).max(T0 - LONGEST_ACT - 1);
        }
        for pod in &mut self.pods {
            if let Some((start, hard_end)) = &mut pod.grant {
                ahead(start);
                ahead(hard_end);
                (*start, *hard_end) = ((*start).max(T0 - 1), (*hard_end).max(T0 - 1));
                if *start - 1_000 <= T0 {
                    pod.reminded = 0;
                }
            }
        }
        for write in &mut self.writes {
            write.decided = (write.decided + shift).max(T0 - LONGEST_ACT - 1);
            if !write.held || matches!(write.kind, Kind::Record(_)) {
                write.decided = T0;
            }
            match &mut write.kind {
                Kind::Record(state) => {
                    canonical_state(state, &self.setup.plans[write.test], self.tests[write.test].ttl, shift);
                }
                Kind::Grant(_, (start, hard_end), _) => {
                    ahead(start);
                    ahead(hard_end);
                }
                _ => {}
            }
            let current = match &write.kind {
                Kind::Record(_) | Kind::Finalizer(_) | Kind::Expire => Some(self.tests[write.test].version),
                Kind::Claim(n) | Kind::Size(n, _) | Kind::Release(n) | Kind::Rescale(n, ..) | Kind::Restart(n, _) => {
                    self.targets[self.setup.targets[write.test][*n]].as_ref().map(|target| target.version)
                }
                _ => Some(write.version),
            };
            write.version = if current == Some(write.version) { 0 } else { STALE };
        }
        self.tests.iter_mut().for_each(|test| test.version = 0);
        self.targets.iter_mut().flatten().for_each(|target| target.version = 0);
        self.forget_refused();
        self.jobs.sort();
        self.act_jobs.sort();
        self.pods.sort();
        self.writes.sort_by_key(|write| (write.held, write.test));
    }

    /// Writes that the API server can only refuse, now and later, are as good as gone.
    fn forget_refused(&mut self) {
        let keeps = |write: &Write| match &write.kind {
            Kind::Record(_) => write.version != STALE || self.without(Defence::StatusSwap),
            Kind::Finalizer(_) => write.version != STALE,
            Kind::Expire => write.version != STALE || self.without(Defence::DeleteVersion),
            Kind::DeletePods(n, _, pods) => {
                let target = self.targets[self.setup.targets[write.test][*n]].as_ref();
                target.is_some_and(|target| pods.contains(&target.pod))
            }
            Kind::Claim(_) | Kind::Size(..) | Kind::Release(_) | Kind::Rescale(..) | Kind::Restart(..) => {
                write.version != STALE || self.without(Defence::TargetVersion)
            }
            Kind::RunActJob(_, uid) | Kind::DeleteActJob(_, uid) => self.act_jobs.iter().any(|job| job.uid() == *uid),
            Kind::DeleteJob(_, uid) => self.jobs.iter().any(|job| job.uid() == *uid),
            Kind::Grant(pods, ..) | Kind::Stop(pods) => {
                let same = |(uid, version): &(Uid, u32)| {
                    self.pods
                        .iter()
                        .any(|pod| pod.uid() == *uid && pod.version == *version && pod.stage != Stage::Ended)
                };
                pods.iter().any(same) || self.without(Defence::PodUid)
            }
            Kind::CreateObserver | Kind::DeleteObserver | Kind::CreateJob(_) | Kind::CreateActJob(_) => true,
        };
        let kept = self.writes.iter().map(keeps).collect::<Vec<_>>();
        let mut kept = kept.into_iter();
        self.writes.retain(|_| kept.next().unwrap_or(true));
    }
}

/// Moves a state's instants; those that are over, and make no difference any more, become one.
fn canonical_state(state: &mut State, plan: &PlanView, ttl: Option<Millis>, shift: Millis) {
    state.finished_at = state.finished_at.zip(ttl).map(|(at, ttl)| (at + shift).max(T0 - ttl));
    state.deadline = (state.deadline + shift).max(T0 - 1);
    if state.deadline > T0 + ENDLESS / 2 {
        state.deadline = T0 + ENDLESS;
    }
    if state.acting || state.act_job.is_some() {
        let all = plan.rows.iter().flat_map(|row| &row.acts).chain(&plan.before).chain(&plan.after);
        let longest = all.map(ActView::longest).max().unwrap_or(0) + STOPPING;
        state.act_at = (state.act_at + shift).max(T0 - longest - 1);
    }
    if let Some(fire) = &mut state.fire {
        // Acts are planned from the start on: it makes a difference until the last of them is too late.
        let acts = plan.rows.iter().flat_map(|row| &row.acts).filter_map(|act| act.at).max();
        let matters = acts.filter(|_| state.phase == Phase::Running).map_or(1, |at| at + LATE + LONGEST_ACT + 1);
        fire.start_at = (fire.start_at + shift).max(T0 - matters);
        fire.hard_end_at = (fire.hard_end_at + shift).max(T0 - LONG_AGO);
    }
    state.started_at = if plan.total >= ENDLESS { T0 } else { (state.started_at + shift).max(T0 - plan.total - 1) };
}
