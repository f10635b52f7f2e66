//! What may happen next in the small world, and what comes of it.

use super::defences::Defence;
use super::generators::{LEAST_AHEAD, Move};
use super::objects::{FOREIGN, Stage};
use super::reads::{Weather, step};
use super::world::{Budget, ENDLESS, Kind, LONGEST_ACT, World, Write};
use crate::api::{Phase, RowStep};
use crate::lifecycle::{LATE, Millis, REMINDERS, RESTORING, STOPPING, expires};

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// A controller reads and decides; its write is not sent yet.
    Decide(usize, Weather),
    /// A write arrives, and its answer too (or it is lost: a process keeps nothing that the next pass would miss).
    Deliver(usize),
    /// A write arrives, and is sent again later: its answer was lost on the way.
    Repeat(usize),
    /// A write is held up on its way; its process goes on, or dies.
    Hold(usize),
    /// A process finds its act too old, or dies before it was sent.
    Drop(usize),
    Move(Move),
    SweepTarget(usize),
    SweepJob(usize),
    SweepActJob(usize),
    /// Time goes by until the next instant that makes a difference.
    Time(Millis),
    Cancel(usize),
    Delete(usize),
    Edit(usize),
    DeleteJob(usize),
    DeleteActJob(usize),
    EditTarget(usize),
    Duplicate(usize),
    Restart(usize),
    Kill(usize),
}

impl Event {
    /// Needs no bad luck: the end must be reachable by such events alone.
    pub fn is_ordinary(self) -> bool {
        use Event::{Decide, Deliver, Drop, Move, SweepActJob, SweepJob, SweepTarget, Time};
        matches!(
            self,
            Decide(_, Weather::Calm)
                | Deliver(_)
                | Drop(_)
                | Move(_)
                | SweepTarget(_)
                | SweepJob(_)
                | SweepActJob(_)
                | Time(_)
        )
    }
}

impl World {
    /// Everything that may happen now.
    pub fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        self.decisions(&mut events);
        self.deliveries(&mut events);
        events.extend(self.moves().into_iter().map(Event::Move));
        if !self.without(Defence::StandingRule) {
            events.extend(self.stray_targets().into_iter().map(Event::SweepTarget));
            events.extend(self.stray_jobs().into_iter().map(Event::SweepJob));
            events.extend(self.stray_act_jobs().into_iter().map(Event::SweepActJob));
        }
        let decides = events.iter().any(|event| matches!(event, Event::Decide(..)));
        let busy = decides || self.writes.iter().any(|write| write.held);
        events.extend(self.next_instant().filter(|_| !(self.setup.prompt && busy)).map(Event::Time));
        self.mishaps(&mut events);
        events
    }

    fn decisions(&self, events: &mut Vec<Event>) {
        for (at, test) in self.tests.iter().enumerate() {
            let held = self.writes.iter().filter(|write| write.held && write.test == at).count();
            if !test.exists || held >= self.setup.controllers {
                continue;
            }
            let mut weathers = vec![Weather::Calm];
            weathers.extend(self.setup.deaf.then_some(Weather::Unreachable));
            weathers.extend(self.without(Defence::LiveReads).then_some(Weather::Cached));
            for weather in weathers {
                let write = self.write_of(at, &step(self, at, weather));
                // The same write twice in two hands is the same as one that is sent again.
                if write.is_some_and(|write| !self.writes.contains(&write)) {
                    events.push(Event::Decide(at, weather));
                }
            }
        }
    }

    fn deliveries(&self, events: &mut Vec<Event>) {
        for (at, write) in self.writes.iter().enumerate() {
            if write.held && self.is_too_old(write) {
                events.push(Event::Drop(at));
                continue;
            }
            events.push(Event::Deliver(at));
            if self.budget.late > 0 && write.held {
                events.push(Event::Hold(at));
                events.push(Event::Repeat(at));
            }
        }
    }

    /// What the process that decided it does not send any more.
    fn is_too_old(&self, write: &Write) -> bool {
        let old = self.now - write.decided > LONGEST_ACT && !self.without(Defence::Fresh);
        match &write.kind {
            Kind::Record(_) => false,
            Kind::Grant(_, (start, _), _) => old || self.now > start - 1_000,
            _ => old,
        }
    }

    fn mishaps(&self, events: &mut Vec<Event>) {
        let Budget { duplicate, restart, kill, delete_job, foreign, cancel, delete, edit, .. } = self.budget;
        for (at, test) in self.tests.iter().enumerate().filter(|(_, test)| test.exists) {
            let finished = test.state.phase == Phase::Finished;
            events.extend((cancel > 0 && !test.cancel && !finished).then_some(Event::Cancel(at)));
            events.extend((delete > 0 && !test.deleting).then_some(Event::Delete(at)));
            events.extend((edit > 0 && finished && !test.cancel).then_some(Event::Edit(at)));
        }
        events.extend((0..self.jobs.len()).filter(|_| delete_job > 0).map(Event::DeleteJob));
        events.extend((0..self.act_jobs.len()).filter(|_| delete_job > 0).map(Event::DeleteActJob));
        events.extend((0..self.targets.len()).filter(|_| foreign > 0).map(Event::EditTarget));
        for (at, pod) in self.pods.iter().enumerate() {
            let lives = matches!(pod.stage, Stage::Armed | Stage::Fired);
            events.extend((duplicate > 0 && !pod.duplicate && !pod.terminating).then_some(Event::Duplicate(at)));
            events.extend((restart > 0 && lives).then_some(Event::Restart(at)));
            events.extend((kill > 0 && lives).then_some(Event::Kill(at)));
        }
    }

    /// Makes it happen.
    pub fn happen(&mut self, event: Event) {
        match event {
            Event::Decide(test, weather) => {
                let step = step(self, test, weather);
                self.writes.extend(self.write_of(test, &step));
                if self.without(Defence::CommitPoint) {
                    self.grant_early(&step);
                }
            }
            Event::Deliver(at) => {
                let write = self.writes.remove(at);
                let rest = self.deliver(write);
                self.writes.extend(rest);
            }
            Event::Repeat(at) => {
                self.budget.late -= 1;
                self.writes[at].held = false;
                self.deliver(self.writes[at].clone());
            }
            Event::Hold(at) => {
                self.budget.late -= 1;
                self.writes[at].held = false;
            }
            Event::Drop(at) => drop(self.writes.remove(at)),
            Event::Move(next) => self.make_move(next),
            Event::SweepTarget(index) => self.release(index),
            Event::SweepJob(at) => self.delete_job(self.jobs[at].row, Some(self.jobs[at].uid())),
            Event::SweepActJob(at) => drop(self.act_jobs.remove(at)),
            Event::Time(until) => self.now = until,
            _ => self.go_wrong(event),
        }
        if self.is_over() && self.edited.is_some_and(|index| self.lost(index)) {
            self.broken = Some("somebody else's change is lost");
        }
        self.canonical();
    }

    fn lost(&self, index: usize) -> bool {
        self.targets[index].as_ref().is_some_and(|target| target.size[1] != FOREIGN)
    }

    fn go_wrong(&mut self, event: Event) {
        match event {
            Event::Cancel(test) => {
                self.budget.cancel -= 1;
                let test = &mut self.tests[test];
                (test.cancel, test.generation, test.version) = (true, test.generation + 1, test.version + 1);
            }
            Event::Edit(test) => {
                self.budget.edit -= 1;
                let test = &mut self.tests[test];
                (test.spec, test.generation, test.version) = (test.spec + 1, test.generation + 1, test.version + 1);
            }
            Event::Delete(test) => {
                self.budget.delete -= 1;
                self.delete_test(test);
            }
            Event::DeleteJob(at) => {
                self.budget.delete_job -= 1;
                self.delete_job(self.jobs[at].row, Some(self.jobs[at].uid()));
            }
            Event::DeleteActJob(at) => {
                self.budget.delete_job -= 1;
                self.act_jobs.remove(at);
            }
            Event::EditTarget(index) => {
                self.budget.foreign -= 1;
                self.edit_target(index, 1, FOREIGN);
            }
            Event::Duplicate(at) => {
                self.budget.duplicate -= 1;
                self.duplicate(at);
            }
            Event::Restart(at) => {
                self.budget.restart -= 1;
                self.restart(at);
            }
            Event::Kill(at) => {
                self.budget.kill -= 1;
                self.make_move(Move::End(at));
            }
            other => unreachable!("{other:?} is ordinary"),
        }
    }

    /// The next instant at which anybody may do something else than now.
    fn next_instant(&self) -> Option<Millis> {
        let mut instants = Vec::new();
        for (test, plan) in self.tests.iter().zip(&self.setup.plans).filter(|(test, _)| test.exists) {
            let state = &test.state;
            instants.extend(expires(state.finished_at, test.ttl));
            if state.active() {
                instants.extend([state.deadline, state.started_at + plan.total]);
            }
            if state.phase == Phase::Restoring {
                instants.extend([
                    state.deadline - RESTORING + STOPPING,
                    state.hard_end(),
                    state.hard_end() + RESTORING,
                ]);
            }
            if let Some(fire) = state.fire.filter(|_| state.step == RowStep::Starting) {
                instants.extend(REMINDERS.map(|before| fire.start_at - before));
                instants.extend([fire.start_at - 1_000, fire.start_at]);
            }
        }
        self.instants_of_acts(&mut instants);
        for pod in self.pods.iter().filter(|pod| pod.stage != Stage::Ended) {
            instants.extend(pod.grant.iter().flat_map(|(start, end)| [start - LEAST_AHEAD + 1, *start, *end]));
        }
        let strays = self.writes.iter().filter(|write| write.held && !self.stands(write.run));
        instants.extend(strays.map(|write| self.tests[write.test].over_since + LONGEST_ACT + 1));
        instants.into_iter().filter(|instant| (self.now + 1..self.now + ENDLESS / 2).contains(instant)).min()
    }

    /// When acts are due, too late, or given up.
    fn instants_of_acts(&self, instants: &mut Vec<Millis>) {
        for (test, plan) in self.tests.iter().zip(&self.setup.plans).filter(|(test, _)| test.exists) {
            let state = &test.state;
            if state.phase != Phase::Running && !state.judged {
                continue;
            }
            let number = state.act + u16::from(!state.acting);
            if let Some(act) = plan.act(state, number) {
                if let Some((fire, at)) = state.fire.zip(act.at) {
                    let due = fire.start_at + at;
                    instants.extend([due - act.lead(), due, due + LATE + 1]);
                }
                if state.acting {
                    instants.extend([state.act_at + act.longest(), state.act_at + act.longest() + 1]);
                }
            }
            let over = plan.act(state, state.act).filter(|_| state.act_job.is_some());
            instants.extend(over.map(|act| state.act_at + act.longest() + STOPPING));
        }
    }
}
