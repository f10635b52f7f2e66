//! Walks with others in the way: edits and deletions of targets, a second test, a run of another version.

use super::objects::FOREIGN;
use super::turns::{Walk, plan};
use super::walk::{MOST, stops};
use super::world::{Budget, Setup, World};
use crate::api::Reason;
use crate::lifecycle::{Millis, PlanView};

#[test]
fn a_foreign_edit_survives_per_field() {
    for mut walk in stops() {
        if walk.world.targets.is_empty() {
            continue;
        }
        walk.world.edit_target(0, 1, FOREIGN);
        walk.finish(MOST);
        let size = walk.world.targets[0].as_ref().map(|target| target.size);
        assert_eq!((walk.world.is_over(), size), (true, Some([0, FOREIGN])), "{:?}", walk.log);
    }
}

#[test]
fn a_target_deleted_at_any_time_ends_the_test() {
    for mut walk in stops() {
        if walk.world.targets.is_empty() {
            continue;
        }
        walk.world.targets[0] = None;
        walk.finish(MOST);
        assert!(walk.world.is_over(), "{:?}", walk.log);
    }
}

/// Two tests on the target 1; the first has the target 0 too.
fn busy(settle: Millis) -> Walk {
    let plans = vec![plan(1, 2), PlanView { settle, ..plan(1, 1) }];
    let setup =
        Setup { plans, targets: vec![vec![0, 1], vec![1]], controllers: 1, removed: None, deaf: false, prompt: false };
    let mut walk = Walk::of(World::new(setup, Budget::default()));
    walk.world.tests[0].suspend = true;
    while walk.world.tests[1].state.targets.iter().flatten().count() == 0 {
        walk.turn();
    }
    walk.world.tests[0].suspend = false;
    walk.finish(MOST);
    walk
}

#[test]
fn a_test_that_waits_for_one_target_holds_no_other() {
    let walk = busy(10_000);
    let count = |name: &str| walk.log.iter().filter(|written| *written == name).count();
    assert_eq!((count("Claim"), count("Release"), walk.world.is_over()), (3, 3, true), "{:?}", walk.log);
    assert!(walk.world.tests.iter().all(|test| test.state.end == Some(Reason::ThresholdsMet)));
}

#[test]
fn a_target_that_stays_busy_ends_the_test_at_its_queue_deadline() {
    let walk = busy(1_000_000);
    let ends: Vec<_> = walk.world.tests.iter().map(|test| test.state.end).collect();
    assert_eq!(ends, [Some(Reason::DeadlineExceeded), Some(Reason::ThresholdsMet)], "{:?}", walk.log);
    assert!(walk.world.is_over());
}

#[test]
fn a_run_of_another_protocol_is_left_alone_until_nothing_of_it_can_send_and_then_put_back() {
    for mut walk in stops().into_iter().filter(|walk| walk.world.tests[0].state.active()) {
        let over = walk.world.tests[0].state.end;
        walk.world.tests[0].state.protocol_known = false;
        let written = walk.log.len();
        walk.finish(MOST);
        assert!(walk.world.is_over(), "{:?}", walk.log);
        let first = walk.log.get(written).map(String::as_str);
        assert!(over.is_some() || first == Some("Restoring"), "{:?}", walk.log);
        assert_eq!(walk.world.tests[0].state.end, over.or(Some(Reason::UnknownProtocol)));
    }
}
