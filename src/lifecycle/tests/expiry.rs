//! Walks of tests that do not stay: when they are deleted, and when not.

use super::defences::Defence;
use super::reads::{Weather, step};
use super::turns::{Turn, Walk, alone, plan};
use super::walk::{MOST, plans, stops};
use super::world::{World, Write};
use crate::api::{Phase, Reason};
use crate::lifecycle::{Change, Effect, Input, KEPT, Millis, PlanView, Seen, State, Step, decide, expires};

const TTL: Millis = 60_000;

/// The same world, whose first test goes a minute after its end.
pub fn expiring<T>((name, mut world): (T, World)) -> (T, World) {
    world.tests[0].ttl = Some(TTL);
    (name, world)
}

impl World {
    /// The test is deleted if it is as it was read; whatever is there of it yet, or was asked of it anew, is lost with it.
    pub fn expire(&mut self, write: &Write) {
        let test = &self.tests[write.test];
        if !test.exists || test.version != write.version && !self.without(Defence::DeleteVersion) {
            return;
        }
        // A bare claim that was on its way for longer than its run is the standing rule's, with or without the test.
        let claims = self.targets.iter().flatten().filter_map(|target| target.claim.as_ref());
        self.broken = if test.generation != test.state.observed_generation {
            Some("an edit is lost with its test")
        } else if test.state.phase != Phase::Finished || test.finalizer {
            Some("a test is deleted before its end")
        } else if claims.into_iter().any(|claim| claim.of.test == write.test && claim.set.is_some()) {
            Some("a test is deleted before everything is put back")
        } else if expires(test.state.finished_at, test.ttl).is_none_or(|over| self.now < over) {
            Some("a test is deleted before its time")
        } else {
            self.broken
        };
        self.delete_test(write.test);
    }
}

fn walk(plan: PlanView, ttl: Option<Millis>) -> Walk {
    let mut world = alone(plan);
    world.tests[0].ttl = ttl;
    Walk::of(world)
}

/// Until the test is finished and nothing of it is left to do but to wait.
fn rested(mut walk: Walk) -> Walk {
    while walk.world.tests[0].state.phase != Phase::Finished || walk.world.tests[0].finalizer {
        assert_ne!(walk.turn(), Turn::Rest);
    }
    walk
}

#[test]
fn a_finished_test_goes_when_its_time_is_over_and_not_before() {
    for (plan, ttl) in plans().into_iter().flat_map(|plan| [0, TTL].map(|ttl| (plan.clone(), ttl))) {
        let mut walk = rested(walk(plan, Some(ttl)));
        let finished_at = walk.world.tests[0].state.finished_at.expect("it is finished");
        walk.finish(MOST);
        assert_eq!(walk.log[walk.log.len() - 3..], ["Finish", "RemoveFinalizer", "Expire"], "{:?}", walk.log);
        assert!(!walk.world.tests[0].exists && walk.world.is_over());
        assert_eq!(walk.world.now, finished_at + ttl);
    }
}

#[test]
fn the_time_is_counted_from_when_the_late_figures_are_in_and_the_acts_after_the_run_are_over() {
    let mut walk = walk(PlanView { evidence: 900_000, ..plan(1, 1) }, Some(TTL));
    while walk.world.tests[0].state.phase != Phase::Evidence {
        walk.turn();
    }
    let put_back_at = walk.world.now;
    walk.weather = Weather::Still;
    while walk.world.tests[0].state.phase != Phase::Finished {
        walk.turn();
    }
    walk.weather = Weather::Calm;
    walk.finish(MOST);
    assert_eq!((walk.world.tests[0].exists, walk.world.now), (false, put_back_at + 900_000 + TTL));
}

#[test]
fn a_test_without_a_time_stays() {
    let mut walk = rested(walk(plan(1, 1), None));
    walk.world.now += 400 * 86_400_000;
    walk.finish(MOST);
    assert!(walk.world.tests[0].exists && walk.log.iter().all(|name| name != "Expire"));
}

#[test]
fn no_test_goes_while_anything_of_it_is_left_to_do() {
    for mut walk in stops() {
        walk.world.tests[0].ttl = Some(0);
        walk.finish(MOST);
        assert!(!walk.world.tests[0].exists && walk.world.is_over(), "{:?}", walk.log);
        assert!(walk.world.broken.is_none(), "{:?}: {:?}", walk.world.broken, walk.log);
    }
}

#[test]
fn a_time_that_is_set_changed_or_taken_away_afterwards_counts_and_starts_no_run() {
    let edited = |walk: &mut Walk, ttl| {
        let test = &mut walk.world.tests[0];
        (test.ttl, test.generation, test.version) = (ttl, test.generation + 1, test.version + 1);
    };
    let mut set = rested(walk(plan(1, 1), None));
    edited(&mut set, Some(0));
    set.finish(MOST);
    assert_eq!(set.log[set.log.len() - 2..], ["Observe", "Expire"]);

    let mut longer = rested(walk(plan(1, 1), Some(TTL)));
    let finished_at = longer.world.tests[0].state.finished_at;
    edited(&mut longer, Some(10 * TTL));
    longer.turn();
    assert_eq!(longer.world.tests[0].state.finished_at, finished_at, "the end is where it was");
    longer.finish(MOST);
    assert_eq!(Some(longer.world.now), finished_at.map(|at| at + 10 * TTL));

    let mut never = rested(walk(plan(1, 1), Some(TTL)));
    edited(&mut never, None);
    never.finish(MOST);
    assert_eq!((never.world.tests[0].exists, never.log.last().map(String::as_str)), (true, Some("Observe")));
    assert_eq!(never.world.tests[0].state.run, 1);
}

#[test]
fn an_edit_in_the_last_instant_wins_and_runs() {
    let mut walk = rested(walk(plan(1, 1), Some(TTL)));
    let write = loop {
        match walk.due() {
            Ok((write, name)) if name == "Expire" => break write,
            _ => assert_ne!(walk.turn(), Turn::Rest),
        }
    };
    let test = &mut walk.world.tests[0];
    (test.spec, test.generation, test.version) = (2, test.generation + 1, test.version + 1);
    walk.deliver(write);
    assert!(walk.world.tests[0].exists);
    while walk.world.tests[0].state.run != 2 || walk.world.tests[0].state.phase != Phase::Finished {
        walk.turn();
    }
    assert!(walk.world.tests[0].exists, "the second run has its own time");
    walk.finish(MOST);
    assert!(!walk.world.tests[0].exists && walk.world.broken.is_none());
}

#[test]
fn a_test_that_was_refused_or_never_begun_has_its_time_from_then_on() {
    let mut walk = walk(plan(1, 1), Some(TTL));
    walk.world.tests[0].cancel = true;
    walk.finish(MOST);
    assert_eq!(walk.log, ["Refuse", "Expire"]);
    assert!(!walk.world.tests[0].exists);

    // Refused after a run that ended long before: that end counts no more.
    let state = State { phase: Phase::Finished, run: 1, finished_at: Some(1), ..State::default() };
    let world = alone(plan(1, 0));
    let refused = state.after(&Change::Refuse(Reason::InvalidSpec), world.plan(0), &world.intent(0), 500_000);
    assert_eq!(refused.finished_at, Some(500_000));
}

#[test]
fn a_test_that_is_held_or_being_deleted_is_left_alone() {
    let mut held = walk(plan(1, 1), Some(0));
    held.world.tests[0].suspend = true;
    for _ in 0..10 {
        assert_eq!(held.turn(), Turn::Went);
    }
    assert!(held.world.tests[0].exists && held.log.is_empty());

    let mut deleted = rested(walk(plan(1, 1), Some(TTL)));
    // Somebody else's finalizer keeps it there.
    deleted.world.tests[0].deleting = true;
    assert_eq!(step(&deleted.world, 0, Weather::Calm), Step::Rest);
}

#[test]
fn a_deletion_that_is_refused_is_tried_again_an_hour_later() {
    let walk = rested(walk(plan(1, 1), Some(0)));
    let (world, intent) = (&walk.world, walk.world.intent(0));
    let seen = |kept| Seen { kept, ..Seen::default() };
    let next = |seen: &Seen| {
        let state = &world.tests[0].state;
        decide(&Input { now: world.now, intent: &intent, plan: world.plan(0), state, seen })
    };
    assert_eq!(next(&seen(false)), Step::Act(Effect::Expire));
    assert_eq!(next(&seen(true)), Step::Wait { reason: Reason::ThresholdsMet, until: world.now + KEPT });
}
