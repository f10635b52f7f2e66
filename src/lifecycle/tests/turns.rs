//! One controller that is never interrupted, turn by turn on virtual time: what walks are made of.

use super::reads::{Weather, step};
use super::world::{Budget, ENDLESS, Setup, World, Write};
use crate::api::{Phase, When};
use crate::lifecycle::{ACT_LEAD, ActKind, ActView, Millis, PlanView, RowView, Step};

/// A controller that gets an error tries again so much later.
const AGAIN: Millis = 2_000;

/// A plan of rows with one generator each.
pub fn plan(rows: usize, sized: usize) -> PlanView {
    PlanView {
        rows: vec![RowView { generators: 1, worst_case: 60_000, acts: Vec::new() }; rows],
        before: Vec::new(),
        after: Vec::new(),
        sized,
        observer: false,
        drain: false,
        drain_timeout: 600_000,
        settle: 10_000,
        queue: 600_000,
        prepare: 600_000,
        total: 3_600_000,
        evidence: 0,
    }
}

/// A plan whose run may take for ever.
pub fn endless(rows: usize, sized: usize, generators: u32) -> PlanView {
    let rows = vec![RowView { generators, worst_case: 60_000, acts: Vec::new() }; rows];
    PlanView { rows, total: ENDLESS, ..plan(1, sized) }
}

/// What the first target is done.
pub const DOWN: ActKind = ActKind::Scale { target: 0, replicas: 0 };
pub const BACK: ActKind = ActKind::ScaleBack { target: 0 };
pub const RESTART: ActKind = ActKind::Restart { target: 0 };
pub const DELETE: ActKind = ActKind::DeletePods { target: 0 };
/// What a Job does: one that is made when it is due, and one whose pod is there before and waits.
pub const JOB: ActKind = ActKind::Job { lead: 0 };
pub const POD: ActKind = ActKind::Job { lead: ACT_LEAD };

/// The same plan with these acts in each row.
pub fn with_acts(mut plan: PlanView, acts: &[(Option<Millis>, ActKind)]) -> PlanView {
    let view = |(at, kind): &(Option<Millis>, ActKind)| {
        let when = if at.is_some() { When::DuringLoad } else { When::BeforeRow };
        ActView { when, at: *at, kind: *kind, timeout: 30_000 }
    };
    plan.rows.iter_mut().for_each(|row| row.acts = acts.iter().map(view).collect());
    plan
}

/// The same plan with these acts at their moments outside the load, of each row or of the run.
pub fn with_moments(mut plan: PlanView, acts: &[(When, ActKind)]) -> PlanView {
    for (when, kind) in acts {
        let act = ActView { when: *when, at: None, kind: *kind, timeout: 30_000 };
        match when {
            When::BeforeRun => plan.before.push(act),
            When::AfterRun => plan.after.push(act),
            _ => plan.rows.iter_mut().for_each(|row| row.acts.push(act)),
        }
    }
    plan
}

/// A world with one test of that plan.
pub fn alone(plan: PlanView) -> World {
    let targets = vec![(0..plan.sized).collect()];
    World::new(
        Setup { plans: vec![plan], targets, controllers: 1, removed: None, deaf: false, prompt: false },
        Budget::default(),
    )
}

/// What a turn came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Turn {
    /// A write was decided and delivered.
    Wrote(String),
    /// Something happened by itself, or time went by.
    Went,
    /// Every test is at rest.
    Rest,
}

/// A walk through a world.
#[derive(Clone, Debug)]
pub struct Walk {
    pub world: World,
    pub weather: Weather,
    /// Names of the writes so far.
    pub log: Vec<String>,
}

impl Walk {
    pub fn of(world: World) -> Self {
        Self { world, weather: Weather::Calm, log: Vec::new() }
    }

    /// The next step that is due; a write is not delivered yet. `None` and an instant: wait until then.
    pub fn due(&self) -> Result<(Write, String), Option<Millis>> {
        let mut until: Option<Millis> = None;
        for test in 0..self.world.tests.len() {
            if !self.world.tests[test].exists {
                continue;
            }
            let step = step(&self.world, test, self.weather);
            if let Some(write) = self.world.write_of(test, &step) {
                return Ok((write, name(&step)));
            }
            if let Step::Wait { until: at, .. } = step {
                until = Some(until.map_or(at, |until| until.min(at)));
            }
        }
        Err(until)
    }

    /// One turn.
    pub fn turn(&mut self) -> Turn {
        match self.due() {
            Ok((write, name)) => {
                self.log.push(name.clone());
                self.deliver(write);
                Turn::Wrote(name)
            }
            Err(_) if self.by_itself() => Turn::Went,
            Err(Some(until)) => {
                assert!(until > self.world.now, "a wait that is over: {:?}", self.world.tests);
                self.world.now = until;
                Turn::Went
            }
            Err(None) => Turn::Rest,
        }
    }

    /// Delivers a write with all its parts, as far as the weather allows.
    pub fn deliver(&mut self, write: Write) {
        let recorded = matches!(write.kind, super::world::Kind::Record(_));
        if self.weather != Weather::Calm && !recorded {
            self.world.now += AGAIN;
            return;
        }
        let mut next = Some(write);
        while let Some(write) = next {
            next = self.world.deliver(write);
        }
    }

    /// What others do: the cluster, the generators, the standing rule.
    pub fn by_itself(&mut self) -> bool {
        if self.weather != Weather::Calm {
            return false;
        }
        if let Some(next) = self.world.moves().first() {
            self.world.make_move(*next);
            return true;
        }
        for test in &mut self.world.tests {
            if let Some((_, ready @ false)) = &mut test.observer {
                *ready = true;
                return true;
            }
        }
        self.world.sweep()
    }

    /// Until the test is at rest, or `Finished` when nothing can be written any more.
    ///
    /// # Panics
    /// When it takes more than `most` milliseconds of virtual time.
    pub fn finish(&mut self, most: Millis) {
        let begun = self.world.now;
        let finished = |world: &World| world.tests.iter().all(|t| !t.exists || t.state.phase == Phase::Finished);
        while !(self.weather != Weather::Calm && finished(&self.world)) && self.turn() != Turn::Rest {
            assert!(self.world.broken.is_none(), "{:?} after {:?}", self.world.broken, self.log);
            assert!(self.log.len() < 20_000, "writes without end: {:?}", &self.log[self.log.len() - 10..]);
            assert!(
                self.world.now - begun <= most,
                "{:?}: no end after {} s: {:?}",
                self.weather,
                most / 1000,
                self.world.tests
            );
        }
    }
}

/// `Begin`, `Claim`, `Fire` …
pub fn name(step: &Step) -> String {
    let text = match step {
        Step::Record(change) => format!("{change:?}"),
        Step::Act(effect) => format!("{effect:?}"),
        other => format!("{other:?}"),
    };
    text.split(['(', ' ', '{']).next().unwrap_or_default().to_owned()
}
