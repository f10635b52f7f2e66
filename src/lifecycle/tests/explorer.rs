//! Every interleaving, breadth first: which promise can be broken, and from where the end can't be reached.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use super::events::Event;
use super::expiry::expiring;
use super::turns::{BACK, DELETE, DOWN, JOB, POD, RESTART, endless, with_acts, with_moments};
use super::world::{Budget, ENDLESS, Setup, World};
use crate::api::When;
use crate::lifecycle::{ActKind, Millis, PlanView};

/// What an exploration found.
#[derive(Debug)]
pub struct Found {
    pub states: usize,
    /// Nothing was left out.
    pub complete: bool,
    /// What was broken, and the shortest way there.
    pub broken: Option<(&'static str, Vec<Event>)>,
}

/// Digests are hashes already.
#[derive(Default)]
struct Same(u64);

impl Hasher for Same {
    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, digest: u64) {
        self.0 = digest;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// 64 bits: among ten million states two share a digest with a chance of 1 in 300,000.
fn digest(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&world.tests, &world.targets, &world.jobs, &world.pods, &world.writes).hash(&mut hasher);
    (&world.act_jobs, &world.act_jobs_made, &world.jobs_made, &world.sent, &world.acted, world.budget, world.edited)
        .hash(&mut hasher);
    hasher.finish()
}

/// Explores from `world`, at most `limit` states.
pub fn explore(mut world: World, limit: usize) -> Found {
    world.canonical();
    let mut known: HashMap<u64, u32, BuildHasherDefault<Same>> = HashMap::default();
    known.insert(digest(&world), 0);
    let mut parents: Vec<(u32, Event)> = vec![(0, Event::Time(0))];
    let mut edges: Vec<(u32, u32)> = Vec::new();
    let mut ends: Vec<u32> = Vec::new();
    let mut open = VecDeque::from([(0_u32, world)]);
    while let Some((at, world)) = open.pop_front() {
        if parents.len() >= limit {
            return Found { states: parents.len(), complete: false, broken: None };
        }
        if world.is_over() {
            ends.push(at);
        }
        for event in world.events() {
            let mut next = world.clone();
            next.happen(event);
            if let Some(broken) = next.broken {
                let mut way = way(&parents, at);
                way.push(event);
                return Found { states: parents.len(), complete: false, broken: Some((broken, way)) };
            }
            let fresh = u32::try_from(parents.len()).unwrap_or(u32::MAX);
            let id = *known.entry(digest(&next)).or_insert(fresh);
            if id == fresh {
                parents.push((at, event));
                open.push_back((id, next));
            }
            if event.is_ordinary() {
                edges.push((id, at));
            }
        }
    }
    let stuck = without_end(parents.len(), edges, ends);
    let broken = stuck.map(|state| ("the end can't be reached any more", way(&parents, state)));
    Found { states: parents.len(), complete: true, broken }
}

/// The events that led to a state.
fn way(parents: &[(u32, Event)], mut at: u32) -> Vec<Event> {
    let mut way = Vec::new();
    while at != 0 {
        let (parent, event) = parents[at as usize];
        way.push(event);
        at = parent;
    }
    way.reverse();
    way
}

/// A state from which no end can be reached; `edges` lead backwards.
fn without_end(states: usize, mut edges: Vec<(u32, u32)>, ends: Vec<u32>) -> Option<u32> {
    edges.sort_unstable();
    let mut reaches = vec![false; states];
    let mut open = ends;
    while let Some(at) = open.pop() {
        if std::mem::replace(&mut reaches[at as usize], true) {
            continue;
        }
        let first = edges.partition_point(|(to, _)| *to < at);
        let before = edges[first..].iter().take_while(|(to, _)| *to == at);
        open.extend(before.map(|(_, from)| *from).filter(|from| !reaches[*from as usize]));
    }
    let stuck = reaches.iter().position(|reaches| !reaches)?;
    u32::try_from(stuck).ok()
}

/// Nothing goes wrong.
pub const NONE: Budget =
    Budget { late: 0, duplicate: 0, restart: 0, kill: 0, delete_job: 0, foreign: 0, cancel: 0, delete: 0, edit: 0 };

const DELETED: Budget = Budget { delete_job: 1, ..NONE };
const LATE_ONCE: Budget = Budget { late: 1, ..NONE };

/// A configuration: its name, and the world it begins with.
type Configuration = (&'static str, World);

fn alone(name: &'static str, plan: PlanView, controllers: usize, budget: Budget) -> Configuration {
    let targets = vec![(0..plan.sized).collect()];
    (
        name,
        World::new(
            Setup { plans: vec![plan], targets, controllers, removed: None, deaf: false, prompt: false },
            budget,
        ),
    )
}

/// Two tests with one row each on one target; each waits for it as long as it takes.
fn rivals(name: &'static str, controllers: usize, budget: Budget) -> Configuration {
    let patient = || PlanView { queue: ENDLESS, ..endless(1, 1, 1) };
    let targets = vec![vec![0], vec![0]];
    let plans = vec![patient(), patient()];
    let setup = Setup { plans, targets, controllers, removed: None, deaf: false, prompt: true };
    (name, World::new(setup, budget))
}

/// The same, and every read but that of the LoadTest may fail.
fn deaf((name, mut world): Configuration) -> Configuration {
    if let Some(setup) = Rc::get_mut(&mut world.setup) {
        setup.deaf = true;
    }
    (name, world)
}

/// A target goes away in mid-load and comes back.
const FAULT: [(Option<Millis>, ActKind); 2] = [(Some(10_000), DOWN), (Some(20_000), BACK)];

fn faulty() -> PlanView {
    with_acts(endless(1, 1, 1), &FAULT)
}

/// Every kind of act in one row.
fn all() -> PlanView {
    let [down, back] = FAULT;
    with_acts(endless(1, 1, 1), &[(None, RESTART), down, (Some(15_000), DELETE), back, (Some(25_000), RESTART)])
}

/// Jobs before a row, in mid-load and after the run.
fn jobs() -> PlanView {
    let acts = [(None, JOB), (Some(15_000), POD)];
    with_moments(with_acts(endless(1, 0, 1), &acts), &[(When::AfterRun, POD)])
}

fn in_load() -> PlanView {
    with_acts(endless(1, 0, 1), &[(Some(15_000), POD)])
}

fn after_run() -> PlanView {
    with_moments(endless(1, 0, 1), &[(When::AfterRun, JOB)])
}

/// A Job at every moment outside the load.
fn moments() -> PlanView {
    let acts = [When::BeforeRun, When::AfterLoad, When::AfterRow, When::AfterRun].map(|when| (when, JOB));
    with_moments(endless(1, 0, 1), &acts)
}

/// What is explored in every run of the tests.
fn small() -> Vec<Configuration> {
    let one = || endless(1, 1, 1);
    vec![
        alone("a row", one(), 1, NONE),
        alone("two rows", endless(2, 1, 1), 1, NONE),
        alone("two targets", endless(1, 2, 1), 1, NONE),
        alone("two generators", endless(1, 1, 2), 1, NONE),
        alone("two controllers", one(), 2, NONE),
        alone("a killed generator, a deleted Job", one(), 1, Budget { kill: 1, delete_job: 1, ..NONE }),
        alone("a late write", one(), 1, Budget { late: 1, ..NONE }),
        alone("a total deadline", PlanView { total: 700_000, ..one() }, 1, NONE),
        deaf(alone("reads that fail", one(), 1, NONE)),
        alone("a target scaled in mid-load and back", faulty(), 1, NONE),
        alone("a restart before the row", with_acts(one(), &[(None, RESTART)]), 1, NONE),
        alone(
            "a pod deleted in mid-load, late",
            with_acts(one(), &[(Some(10_000), DELETE)]),
            1,
            Budget { late: 1, ..NONE },
        ),
        alone("actions, two controllers", faulty(), 2, NONE),
        deaf(alone("actions, reads that fail", faulty(), 1, NONE)),
        alone("a Job before the row", with_acts(endless(1, 0, 1), &[(None, JOB)]), 1, NONE),
        alone("a Job in mid-load", in_load(), 1, NONE),
        alone("a Job after the load", with_moments(endless(1, 0, 1), &[(When::AfterLoad, JOB)]), 1, NONE),
        alone("a Job after the run, deleted", after_run(), 1, DELETED),
        expiring(alone("a test that expires", one(), 1, NONE)),
    ]
}

/// What takes a machine minutes.
fn large() -> Vec<Configuration> {
    let one = || endless(1, 1, 1);
    let two = || endless(2, 2, 1);
    vec![
        rivals("two tests on one target", 1, NONE),
        rivals("two tests on one target, cancelled", 1, Budget { cancel: 1, ..NONE }),
        rivals("two tests on one target, late", 1, Budget { late: 1, ..NONE }),
        rivals("two tests on one target, two controllers", 2, NONE),
        alone("two late writes", one(), 1, Budget { late: 2, ..NONE }),
        alone("a late write, cancelled", one(), 1, Budget { late: 1, cancel: 1, ..NONE }),
        alone("a late write, deleted", one(), 1, Budget { late: 1, delete: 1, ..NONE }),
        alone("duplicate and restart", one(), 1, Budget { duplicate: 1, restart: 1, ..NONE }),
        alone("duplicate, late", one(), 1, Budget { duplicate: 1, late: 1, ..NONE }),
        alone("two controllers, cancelled", one(), 2, Budget { cancel: 1, ..NONE }),
        alone("two controllers, late", one(), 2, Budget { late: 1, ..NONE }),
        alone("two controllers, late, deleted", one(), 2, Budget { late: 1, delete: 1, ..NONE }),
        alone("two controllers, two rows, two targets", two(), 2, NONE),
        alone("two rows, two targets, cancelled", two(), 1, Budget { cancel: 1, ..NONE }),
        alone("two rows, two targets, late", two(), 1, Budget { late: 1, ..NONE }),
        alone("two generators, killed, late", endless(1, 1, 2), 1, Budget { kill: 1, late: 1, ..NONE }),
        alone("two targets, foreign edit, cancelled", endless(1, 2, 1), 1, Budget { foreign: 1, cancel: 1, ..NONE }),
        alone("foreign edit, late", one(), 1, Budget { foreign: 1, late: 1, ..NONE }),
        alone("edited and run again", one(), 1, Budget { edit: 1, ..NONE }),
        alone("edited, late", one(), 1, Budget { edit: 1, late: 1, ..NONE }),
        expiring(alone("a test that expires, edited, late", one(), 1, Budget { edit: 1, late: 1, ..NONE })),
        expiring(alone("a test that expires, two controllers, edited", one(), 2, Budget { edit: 1, ..NONE })),
        deaf(alone("reads that fail, two controllers", one(), 2, NONE)),
        deaf(alone("reads that fail, late", one(), 1, Budget { late: 1, ..NONE })),
        alone("all actions", all(), 1, NONE),
        alone("all actions, two controllers", all(), 2, NONE),
        alone("Jobs of actions", jobs(), 1, NONE),
        alone("a Job in mid-load, two controllers", in_load(), 2, NONE),
        alone("a Job in mid-load, late", in_load(), 1, LATE_ONCE),
        alone("a Job in mid-load, deleted", in_load(), 1, DELETED),
        alone("a Job in mid-load, cancelled", in_load(), 1, Budget { cancel: 1, ..NONE }),
        deaf(alone("a Job in mid-load, reads that fail", in_load(), 1, NONE)),
        alone("a Job before the row, late", with_acts(endless(1, 0, 1), &[(None, JOB)]), 1, LATE_ONCE),
        alone("a Job after the run, two controllers", after_run(), 2, NONE),
        alone("a Job after the run, late", after_run(), 1, LATE_ONCE),
        alone("a Job after the run, the test deleted", after_run(), 1, Budget { delete: 1, ..NONE }),
        alone("every moment", moments(), 1, NONE),
        alone("actions, late", faulty(), 1, Budget { late: 1, ..NONE }),
        alone("actions, cancelled", faulty(), 1, Budget { cancel: 1, ..NONE }),
        alone("actions, foreign edit", faulty(), 1, Budget { foreign: 1, ..NONE }),
        alone("actions, two controllers, late", faulty(), 2, Budget { late: 1, ..NONE }),
        alone("actions in two rows, deleted", with_acts(endless(2, 1, 1), &FAULT), 1, Budget { delete: 1, ..NONE }),
    ]
}

/// Explores each to the end; the number of states.
fn explore_all(configurations: Vec<Configuration>, limit: usize) -> usize {
    let mut states = 0;
    for (name, world) in configurations {
        let found = explore(world, limit);
        println!("{name}: {} states", found.states);
        if let Some((broken, way)) = found.broken {
            way.iter().for_each(|event| println!("  {event:?}"));
            panic!("{name}: {broken}");
        }
        assert!(found.complete, "{name}: more than {limit} states");
        states += found.states;
    }
    println!("states explored: {states}");
    states
}

#[test]
fn no_interleaving_of_a_small_world_breaks_a_promise() {
    assert!(explore_all(small(), 200_000) > 50_000);
}

#[test]
#[ignore = "minutes: make test-safety"]
fn no_interleaving_of_a_large_world_breaks_a_promise() {
    assert!(explore_all(large(), 12_000_000) > 1_000_000);
}
