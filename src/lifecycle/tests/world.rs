//! A world small enough to be explored: the objects that a run reads and writes, without Kubernetes.
//!
//! Identity is by construction (test, run, row, index, how often made), and a resource version is a counter that
//! [`World::canonical`] reduces to "current or not", so that two histories that can't be told apart are one state.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::defences::Defence;
use super::objects::{ActJob, FOREIGN, Job, Pod, Target, Value, scaled_to, wanted};
use crate::api::Phase;
use crate::lifecycle::{Intent, Millis, PlanView, State, Uid, scaled};

/// The instant that every canonical world stands at.
pub const T0: Millis = 10_000_000;
/// A plan's total or queue time that is never over: the run's beginning then makes no difference.
pub const ENDLESS: Millis = 1_000_000_000_000;
/// An act decided longer ago is not sent by its process.
pub const LONGEST_ACT: Millis = 5_000;

/// One run of one test: the claim's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunKey {
    pub test: usize,
    pub run: i64,
}

/// One row of a run: the Job's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    pub of: RunKey,
    pub row: u8,
}

/// One act of a row.
pub type ActKey = (RowKey, u16);

/// The row of the acts that follow the verdict.
const AFTER: u8 = 99;

/// What does not change while a world is explored.
#[derive(Debug)]
pub struct Setup {
    pub plans: Vec<PlanView>,
    /// Sized targets of each test.
    pub targets: Vec<Vec<usize>>,
    /// Writes of one test that may be decided at the same time: one for each controller that runs.
    pub controllers: usize,
    /// The defence that the harness takes away.
    pub removed: Option<Defence>,
    /// Reads may fail for a pass.
    pub deaf: bool,
    /// Time goes by only when no controller has anything to write: what is explored is the order of writes.
    pub prompt: bool,
}

/// How often something may still go wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Budget {
    /// A write is held up by the network, or sent a second time.
    pub late: u8,
    /// A second pod of an index.
    pub duplicate: u8,
    /// A generator's process starts again.
    pub restart: u8,
    /// A generator is killed.
    pub kill: u8,
    /// The row's Job is deleted by somebody else.
    pub delete_job: u8,
    /// Somebody else sets one field of a target.
    pub foreign: u8,
    pub cancel: u8,
    pub delete: u8,
    /// The spec of a finished test is edited.
    pub edit: u8,
}

/// A LoadTest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Test {
    pub exists: bool,
    pub version: u32,
    pub generation: i64,
    /// Which plan the spec holds, and which the run in the status.
    pub spec: u8,
    pub ran: u8,
    pub suspend: bool,
    pub cancel: bool,
    pub deleting: bool,
    pub finalizer: bool,
    pub state: State,
    /// Run of the observer's Job, and whether its pod is ready.
    pub observer: Option<(i64, bool)>,
    /// When its last run was over.
    pub over_since: Millis,
    /// How long it stays after its end.
    pub ttl: Option<Millis>,
}

/// A write that was decided. Versions are those that were read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Write {
    pub test: usize,
    pub run: RunKey,
    pub kind: Kind,
    pub version: u32,
    pub decided: Millis,
    /// Its process can still drop it; otherwise it is on its way.
    pub held: bool,
}

/// What is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Record(Box<State>),
    Finalizer(bool),
    Claim(usize),
    Size(usize, RowKey),
    Release(usize),
    /// With the replicas that the act gives.
    Rescale(usize, ActKey, Option<u16>),
    Restart(usize, ActKey),
    /// Pods of a target, each named by how often it was replaced before.
    DeletePods(usize, ActKey, Vec<u8>),
    CreateActJob(ActKey),
    RunActJob(ActKey, Uid),
    DeleteActJob(ActKey, Uid),
    CreateObserver,
    DeleteObserver,
    CreateJob(RowKey),
    DeleteJob(RowKey, Uid),
    /// Pods with the version they were read at; start and hard end.
    /// And how many reminders were due when it was decided.
    Grant(Vec<(Uid, u32)>, (Millis, Millis), u8),
    Stop(Vec<(Uid, u32)>),
    /// The test itself.
    Expire,
}

/// Everything.
#[derive(Clone, Debug)]
pub struct World {
    pub setup: Rc<Setup>,
    pub now: Millis,
    pub tests: Vec<Test>,
    pub targets: Vec<Option<Target>>,
    pub jobs: Vec<Job>,
    pub act_jobs: Vec<ActJob>,
    pub pods: Vec<Pod>,
    pub writes: Vec<Write>,
    /// Jobs made of each row, ever.
    pub jobs_made: BTreeMap<RowKey, u8>,
    /// Jobs made of each act, ever.
    pub act_jobs_made: BTreeMap<ActKey, u8>,
    /// How often each index of each row began to send.
    pub sent: BTreeMap<(RowKey, u8), u8>,
    /// How often each act was done.
    pub acted: BTreeMap<ActKey, u8>,
    pub budget: Budget,
    /// A target whose second field somebody else set.
    pub edited: Option<usize>,
    /// A promise that was broken.
    pub broken: Option<&'static str>,
}

impl World {
    /// Fresh tests on untouched targets.
    pub fn new(setup: Setup, budget: Budget) -> Self {
        let count = setup.targets.iter().flatten().max().map_or(0, |most| most + 1);
        let test = |sized: &Vec<usize>| Test {
            exists: true,
            version: 0,
            generation: 1,
            spec: 1,
            ran: 0,
            suspend: false,
            cancel: false,
            deleting: false,
            finalizer: false,
            state: State { targets: vec![None; sized.len()], ..State::default() },
            observer: None,
            over_since: T0,
            ttl: None,
        };
        Self {
            now: T0,
            tests: setup.targets.iter().map(test).collect(),
            targets: (0..count)
                .map(|n| Some(Target { uid: Uid(90 + n as u64), version: 0, claim: None, size: [0; 2], pod: 0 }))
                .collect(),
            setup: Rc::new(setup),
            jobs: Vec::new(),
            act_jobs: Vec::new(),
            pods: Vec::new(),
            writes: Vec::new(),
            jobs_made: BTreeMap::new(),
            act_jobs_made: BTreeMap::new(),
            sent: BTreeMap::new(),
            acted: BTreeMap::new(),
            budget,
            edited: None,
            broken: None,
        }
    }

    pub fn key(&self, test: usize) -> RunKey {
        RunKey { test, run: self.tests[test].state.run }
    }

    pub fn row(&self, test: usize) -> RowKey {
        RowKey { of: self.key(test), row: self.tests[test].state.row }
    }

    pub fn plan(&self, test: usize) -> &PlanView {
        &self.setup.plans[test]
    }

    /// The act of a test that was begun last.
    pub fn act_key(&self, test: usize) -> ActKey {
        let (row, state) = (self.row(test), &self.tests[test].state);
        (RowKey { row: if state.judged { AFTER } else { row.row }, ..row }, state.act)
    }

    /// The size that a test wants of its n-th target now.
    pub fn size_wanted(&self, test: usize, n: usize) -> [Value; 2] {
        let state = &self.tests[test].state;
        let row = self.plan(test).rows.get(usize::from(state.row).saturating_sub(1));
        let replicas = row.and_then(|row| scaled(&row.acts, state.act, n));
        let size = wanted(self.row(test));
        [replicas.map_or(size, scaled_to), size]
    }

    pub fn without(&self, defence: Defence) -> bool {
        self.setup.removed == Some(defence)
    }

    /// As the controller derives it from the LoadTest.
    pub fn intent(&self, test: usize) -> Intent {
        let test = &self.tests[test];
        Intent {
            generation: test.generation,
            refusal: None,
            same_plan: test.ran == test.spec,
            suspend: test.suspend,
            cancel: test.cancel,
            deleting: test.deleting,
            finalizer: test.finalizer,
            ttl: test.ttl,
        }
    }

    /// The run holds claims and Jobs by the standing rule.
    pub fn stands(&self, key: RunKey) -> bool {
        let test = &self.tests[key.test];
        let active = matches!(test.state.phase, Phase::Claiming | Phase::Running | Phase::Restoring | Phase::Evidence);
        test.exists && test.state.run == key.run && active
    }

    /// Every test is over, and no target is as we changed it.
    pub fn is_over(&self) -> bool {
        let over = |test: &Test| !test.exists || test.state.phase == Phase::Finished && !test.finalizer;
        let put_back = |target: &Target| {
            target.claim.is_none() && target.size.iter().all(|value| *value == 0 || *value >= FOREIGN)
        };
        self.tests.iter().all(over)
            && self.targets.iter().flatten().all(put_back)
            && self.jobs.is_empty()
            && self.act_jobs.is_empty()
    }
}
