//! Walks with actions: their order, and what becomes of them when their time passes.

use super::turns::{BACK, DELETE, DOWN, RESTART, Turn, Walk, alone, plan, with_acts};
use super::walk::MOST;
use super::world::World;
use crate::api::{Reason, RowStep};
use crate::lifecycle::{LATE, Millis};

const FAULT: [(Option<Millis>, crate::lifecycle::ActKind); 2] = [(Some(10_000), DOWN), (Some(20_000), BACK)];

/// The names of the writes between two of them.
fn between<'a>(log: &'a [String], from: &str, to: &str) -> Vec<&'a str> {
    let after = log.iter().skip_while(|name| *name != from).skip(1);
    after.take_while(|name| *name != to).map(String::as_str).collect()
}

/// A walk until the row loads.
fn loading(world: World) -> Walk {
    let mut walk = Walk::of(world);
    while walk.world.tests[0].state.step != RowStep::Loading {
        assert_ne!(walk.turn(), Turn::Rest);
    }
    walk
}

/// Goes on for so long after the start, in which no generator ends.
fn load_for(walk: &mut Walk, millis: Millis) {
    let start = walk.world.tests[0].state.fire.map_or(0, |fire| fire.start_at);
    while walk.world.now < start + millis && walk.world.tests[0].state.step == RowStep::Loading {
        match walk.due() {
            Ok((write, name)) => {
                walk.log.push(name);
                walk.deliver(write);
            }
            Err(until) => walk.world.now = until.expect("a wait"),
        }
    }
}

#[test]
fn an_act_is_recorded_as_begun_then_done_then_recorded_as_done() {
    let acts = [(None, RESTART), (Some(10_000), DOWN), (Some(15_000), DELETE), (Some(20_000), BACK)];
    let mut walk = loading(alone(with_acts(plan(1, 1), &acts)));
    load_for(&mut walk, 30_000);
    walk.finish(MOST);
    assert_eq!(between(&walk.log, "Size", "Creating"), ["ActBegun", "Restart", "ActDone"]);
    assert_eq!(
        between(&walk.log, "Loading", "Collecting"),
        ["ActBegun", "Rescale", "ActDone", "ActBegun", "DeletePods", "ActDone", "ActBegun", "Rescale", "ActDone"]
    );
    assert_eq!(walk.world.acted.values().copied().collect::<Vec<_>>(), [1, 1, 1, 1]);
    assert!(walk.world.is_over());
}

#[test]
fn an_act_whose_time_passed_while_nobody_was_there_is_not_done_and_what_was_scaled_comes_back_all_the_same() {
    let mut walk = loading(alone(with_acts(plan(1, 1), &FAULT)));
    walk.world.now += 10_000 + LATE + 1;
    assert_eq!(walk.turn(), Turn::Wrote("ActFailed".into()));
    walk.finish(MOST);
    assert_eq!(between(&walk.log, "ActFailed", "Collecting"), ["ActBegun", "Rescale", "ActDone"]);
    assert!(walk.world.is_over());
}

#[test]
fn a_load_that_is_over_early_undoes_the_scale_at_once_and_begins_nothing_else() {
    let acts = [(Some(10_000), DOWN), (Some(15_000), DELETE), (Some(40_000), BACK)];
    let mut walk = loading(alone(with_acts(plan(1, 1), &acts)));
    load_for(&mut walk, 12_000);
    walk.world.pods.iter_mut().for_each(|pod| pod.stage = super::objects::Stage::Ended);
    walk.finish(MOST);
    assert_eq!(between(&walk.log, "ActDone", "Collecting"), ["ActBegun", "Rescale", "ActDone"]);
    assert!(walk.world.is_over());
}

#[test]
fn a_target_that_somebody_else_scaled_meanwhile_is_left_to_them() {
    let mut walk = loading(alone(with_acts(plan(1, 1), &FAULT)));
    walk.world.edit_target(0, 0, super::objects::FOREIGN);
    load_for(&mut walk, 30_000);
    walk.finish(MOST);
    assert_eq!(between(&walk.log, "Loading", "Collecting"), ["ActBegun", "ActFailed", "ActBegun", "ActFailed"]);
    assert_eq!(walk.world.targets[0].as_ref().map(|target| target.size), Some([super::objects::FOREIGN, 0]));
}

#[test]
fn a_restart_before_the_row_that_never_rolls_out_ends_the_run() {
    let mut walk = Walk::of(alone(with_acts(plan(1, 1), &[(None, RESTART)])));
    while walk.log.last().map(String::as_str) != Some("Restart") {
        assert_ne!(walk.turn(), Turn::Rest);
    }
    walk.weather = super::reads::Weather::Still;
    while walk.world.tests[0].state.end.is_none() {
        assert_ne!(walk.turn(), Turn::Rest);
    }
    assert_eq!(walk.world.tests[0].state.end, Some(Reason::ActionFailed));
}
