//! What a record makes of the state.

use super::state::*;
use super::step::Change;
use crate::api::{Phase, Reason, RowStep, TargetState};

impl State {
    /// The state after `change` was recorded at `now`.
    pub fn after(&self, change: &Change, plan: &PlanView, intent: &Intent, now: Millis) -> State {
        let mut next = self.clone();
        next.observed_generation = intent.generation;
        match change {
            Change::Observe => {
                next.phase = Phase::Finished;
                next.finished_at = self.finished_at.or(Some(now));
            }
            Change::Refuse(reason) => next.finish(*reason, now),
            Change::Begin => {
                next = State {
                    phase: Phase::Claiming,
                    observed_generation: intent.generation,
                    run: self.run + 1,
                    started_at: now,
                    deadline: now + CLAIMING + plan.queue,
                    targets: vec![None; plan.sized],
                    ..State::default()
                };
            }
            Change::Originals(uids) => {
                next.phase = Phase::Running;
                // The total deadline is the run's own: waiting in line for a target does not count.
                next.started_at = now;
                next.targets = uids.iter().map(|uid| Some((*uid, TargetState::Recorded))).collect();
                next.enter(0, if plan.drain { RowStep::Draining } else { RowStep::Pending }, now + plan.drain_timeout);
            }
            Change::NextRow => next.enter(self.row + 1, RowStep::Sizing, now + plan.prepare),
            Change::Creating => {
                next.step(RowStep::Creating, now + CREATING);
                next.targets.iter_mut().flatten().for_each(|(_, state)| *state = TargetState::Sized);
            }
            Change::Arming(job) => {
                next.step(RowStep::Arming, now + ARMING);
                next.job = Some(*job);
            }
            Change::Fire { fire, pods } => {
                next.step(RowStep::Starting, fire.start_at + 5_000);
                next.fire = Some(*fire);
                next.armed.clone_from(pods);
            }
            Change::ActBegun { act, doomed } => {
                (next.act, next.acting, next.act_at, next.act_job) = (*act, true, now, None);
                next.doomed.clone_from(doomed);
                if next.step == RowStep::Sizing {
                    // Each act has its own time, and the rollout that follows has its own again.
                    let act = plan.act(self, *act);
                    next.deadline = now + act.map_or(0, ActView::longest) + plan.prepare;
                }
            }
            Change::ActJob(job) => next.act_job = Some(*job),
            Change::ActDone => {
                next.end_act();
                next.wait_anew(plan, now);
            }
            Change::ActFailed(act) => {
                if *act != self.act {
                    next.act_job = None;
                }
                next.end_act();
                next.act = *act;
                next.wait_anew(plan, now);
            }
            Change::Loading => next.step(RowStep::Loading, self.hard_end() + GRACE),
            Change::Collecting => next.step(RowStep::Collecting, now + COLLECTING),
            Change::Collected | Change::RowInvalid(_) => next.step(RowStep::Draining, now + plan.drain_timeout),
            Change::Settling => next.step(RowStep::Settling, now + plan.settle),
            Change::RowDone => next.step(RowStep::Done, now + plan.prepare),
            Change::Restoring(reason) => {
                next.phase = Phase::Restoring;
                next.end = Some(*reason);
                next.deadline = now + RESTORING;
            }
            Change::Released(states) => {
                next.phase = Phase::Evidence;
                next.deadline = now + plan.evidence;
                for (target, state) in next.targets.iter_mut().zip(states) {
                    if let Some((_, target)) = target {
                        *target = *state;
                    }
                }
            }
            Change::Judged => {
                next.judged = true;
                next.deadline = now;
                next.forget_acts();
            }
            Change::Finish => next.finish(self.end.unwrap_or(Reason::ThresholdsMet), now),
        }
        next
    }

    fn enter(&mut self, row: u8, step: RowStep, deadline: Millis) {
        self.row = row;
        self.job = None;
        self.armed.clear();
        self.fire = None;
        self.forget_acts();
        self.step(step, deadline);
    }

    fn step(&mut self, step: RowStep, deadline: Millis) {
        self.step = step;
        self.deadline = deadline;
    }

    fn forget_acts(&mut self) {
        (self.act, self.act_job) = (0, None);
        self.end_act();
    }

    /// When it began is still asked for while its Job may be there.
    fn end_act(&mut self) {
        self.acting = false;
        self.act_at = self.act_job.map_or(0, |_| self.act_at);
        self.doomed.clear();
    }

    /// What is waited for after an act has its whole time.
    fn wait_anew(&mut self, plan: &PlanView, now: Millis) {
        match self.step {
            _ if self.judged => self.deadline = now,
            RowStep::Sizing => self.deadline = now + plan.prepare,
            RowStep::Draining => self.deadline = now + plan.drain_timeout,
            _ => {}
        }
    }

    fn finish(&mut self, reason: Reason, now: Millis) {
        self.phase = Phase::Finished;
        self.finished_at = Some(now);
        self.judged = false;
        self.end = Some(reason);
    }
}
