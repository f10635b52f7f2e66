//! Walks: the writes of a test in their order, and what becomes of a test that is interrupted after any of them.

use super::objects::Claim;
use super::reads::Weather;
use super::turns::{BACK, DELETE, DOWN, JOB, POD, RESTART, Turn, Walk, alone, plan, with_acts, with_moments};
use super::world::{RunKey, World};
use crate::api::{Phase, Reason, When};
use crate::lifecycle::{Millis, PlanView};

/// The longest that any run may take here, with everything that may be waited for at its end.
pub const MOST: Millis = 3 * 3_600_000;

/// The plans that are walked.
pub fn plans() -> Vec<PlanView> {
    let acts = [(None, RESTART), (Some(10_000), DOWN), (Some(15_000), DELETE), (Some(20_000), BACK)];
    let moments = [When::BeforeRun, When::AfterLoad, When::AfterRow, When::AfterRun].map(|when| (when, JOB));
    vec![
        plan(1, 0),
        plan(1, 1),
        plan(2, 2),
        with_acts(plan(2, 1), &acts),
        with_moments(with_acts(plan(1, 0), &[(None, JOB), (Some(15_000), POD)]), &moments),
        PlanView { observer: true, drain: true, evidence: 900_000, ..plan(2, 1) },
    ]
}

/// The undisturbed walk to its end.
pub fn walked(world: World) -> Walk {
    let mut walk = Walk::of(world);
    walk.finish(MOST);
    walk
}

/// A walk of each plan, stopped after each of its turns.
pub fn stops() -> Vec<Walk> {
    let mut all = Vec::new();
    for plan in plans() {
        let mut walk = Walk::of(alone(plan));
        loop {
            all.push(walk.clone());
            if walk.turn() == Turn::Rest {
                break;
            }
        }
    }
    all
}

/// What a run leaves, without its instants.
fn end(world: &World) -> (Phase, Option<Reason>, i64, bool, usize, Vec<u8>) {
    let state = &world.tests[0].state;
    let sent = world.sent.values().copied().collect();
    (state.phase, state.end, state.run, world.is_over(), world.jobs_made.len(), sent)
}

#[test]
fn one_row_without_targets_is_written_in_the_order_of_the_protocol() {
    let expected = [
        "AddFinalizer",
        "Begin",
        "Originals",
        "NextRow",
        "Creating",
        "CreateJob",
        "Arming",
        "Fire",
        "Grant",
        "Grant",
        "Grant",
        "Loading",
        "Collecting",
        "Collected",
        "DeleteJob",
        "Settling",
        "RowDone",
        "Restoring",
        "Released",
        "Finish",
        "RemoveFinalizer",
    ];
    assert_eq!(walked(alone(plan(1, 0))).log, expected);
}

#[test]
fn targets_are_claimed_before_their_originals_are_recorded_and_sized_only_then() {
    let expected = [
        "AddFinalizer",
        "Begin",
        "Claim",
        "Claim",
        "Originals",
        "NextRow",
        "Size",
        "Size",
        "Creating",
        "CreateJob",
        "Arming",
        "Fire",
        "Grant",
        "Grant",
        "Grant",
        "Loading",
        "Collecting",
        "Collected",
        "DeleteJob",
        "Settling",
        "RowDone",
        "Restoring",
        "Release",
        "Release",
        "Released",
        "Finish",
        "RemoveFinalizer",
    ];
    assert_eq!(walked(alone(plan(1, 2))).log, expected);
}

#[test]
fn two_rows_with_an_observer_size_twice_and_release_once() {
    let row = [
        "NextRow",
        "Size",
        "Creating",
        "CreateJob",
        "Arming",
        "Fire",
        "Grant",
        "Grant",
        "Grant",
        "Loading",
        "Collecting",
        "Collected",
        "DeleteJob",
        "Settling",
        "RowDone",
    ];
    let mut expected = vec!["AddFinalizer", "Begin", "Claim", "Originals", "CreateObserver"];
    expected.extend(row.iter().chain(&row));
    expected.extend(["Restoring", "Release", "Released", "DeleteObserver", "Finish", "RemoveFinalizer"]);
    assert_eq!(walked(alone(PlanView { observer: true, drain: true, evidence: 900_000, ..plan(2, 1) })).log, expected);
}

#[test]
fn an_undisturbed_test_sends_each_row_once_and_leaves_nothing() {
    for plan in plans() {
        let rows = plan.rows.len();
        let (phase, reason, run, over, jobs, sent) = end(&walked(alone(plan)).world);
        assert_eq!((phase, reason, run, over), (Phase::Finished, Some(Reason::ThresholdsMet), 1, true));
        assert_eq!((jobs, sent), (rows, vec![1; rows]));
    }
}

#[test]
fn a_cancelled_test_puts_everything_back_wherever_it_stands() {
    for mut walk in stops() {
        let over = walk.world.tests[0].state.end;
        walk.world.tests[0].cancel = true;
        walk.world.tests[0].generation += 1;
        walk.finish(MOST);
        assert!(walk.world.is_over(), "{:?}", walk.log);
        assert_eq!(walk.world.tests[0].state.end, over.or(Some(Reason::Cancelled)), "{:?}", walk.log);
    }
}

#[test]
fn a_deleted_test_puts_everything_back_and_is_gone() {
    for mut walk in stops() {
        walk.world.delete_test(0);
        walk.finish(MOST);
        assert!(walk.world.is_over() && !walk.world.tests[0].exists, "{:?}", walk.log);
    }
}

#[test]
fn a_claim_that_arrives_after_the_end_is_released_before_the_finalizer_goes() {
    let ended = |walk: &Walk| walk.world.tests[0].state.phase == Phase::Finished && walk.world.tests[0].finalizer;
    let ends: Vec<Walk> = stops().into_iter().filter(|walk| ended(walk) && !walk.world.targets.is_empty()).collect();
    assert_eq!(ends.len(), 4, "the plans with targets");
    for mut walk in ends {
        let target = walk.world.targets[0].as_mut().expect("nobody deleted it");
        target.claim = Some(Claim { of: RunKey { test: 0, run: 1 }, originals: target.size, set: None, act: None });
        target.version += 1;
        let before = walk.log.len();
        walk.finish(MOST);
        assert_eq!(walk.log[before..], ["Release", "RemoveFinalizer"], "{:?}", walk.log);
    }
}

#[test]
fn suspend_holds_only_what_has_not_begun() {
    for mut walk in stops() {
        let begun = walk.world.tests[0].state.run > 0;
        let test = &mut walk.world.tests[0];
        test.suspend = true;
        test.generation += 1;
        for _ in 0..5_000 {
            walk.turn();
        }
        let reason = walk.world.tests[0].state.end;
        assert_eq!(reason, begun.then_some(Reason::ThresholdsMet), "{:?}", walk.log);
        assert!(begun || walk.world.sent.is_empty() && walk.world.tests[0].state.run == 0);
    }
}

#[test]
fn an_edited_test_runs_again_with_its_own_number_and_the_same_plan_does_not() {
    let mut walk = walked(alone(plan(1, 1)));
    walk.world.tests[0].generation += 1;
    walk.finish(MOST);
    assert_eq!((walk.world.tests[0].state.run, walk.log.last().map(String::as_str)), (1, Some("Observe")));
    for (run, spec) in [(2, 2), (3, 1)] {
        walk.world.tests[0].spec = spec;
        walk.world.tests[0].generation += 1;
        walk.finish(MOST);
        assert_eq!((walk.world.tests[0].state.run, walk.world.sent.len()), (run, usize::try_from(run).unwrap()));
        assert!(walk.world.is_over());
    }
}

#[test]
fn every_wait_has_a_deadline_and_a_reason_whatever_does_not_answer() {
    for weather in [Weather::Still, Weather::Unreachable, Weather::Denied] {
        // A test that has not begun holds nothing, so it may wait for its finalizer.
        for mut walk in stops().into_iter().filter(|walk| walk.world.tests[0].state.run > 0) {
            walk.weather = weather;
            walk.finish(MOST);
            let state = &walk.world.tests[0].state;
            assert!(!walk.world.tests[0].exists || state.phase == Phase::Finished && state.end.is_some());
            walk.weather = Weather::Calm;
            walk.finish(MOST);
            assert!(walk.world.is_over(), "{weather:?} after {:?}: {:?}", walk.log, walk.world);
        }
    }
}

#[test]
fn a_process_killed_before_or_after_any_write_changes_nothing_of_the_end() {
    for plan in plans() {
        let reference = walked(alone(plan.clone()));
        for n in 0..reference.log.len() {
            for (delivered, answers) in [(0, "before"), (1, "after"), (2, "sent twice")] {
                let mut walk = Walk::of(alone(plan.clone()));
                while walk.log.len() < n {
                    walk.turn();
                }
                let write = loop {
                    if let Ok((write, _)) = walk.due() {
                        break write;
                    }
                    walk.turn();
                };
                (0..delivered).for_each(|_| walk.deliver(write.clone()));
                walk.finish(MOST);
                assert_eq!(
                    end(&walk.world),
                    end(&reference.world),
                    "killed {answers} write {n} of {:?}",
                    reference.log
                );
            }
        }
    }
}

#[test]
fn an_operator_away_for_half_an_hour_loses_only_a_start_that_was_not_granted() {
    for mut walk in stops() {
        while walk.by_itself() {}
        walk.world.now += 1_800_000;
        while walk.by_itself() {}
        let granted = walk.world.pods.iter().any(|pod| pod.grant.is_some());
        let committed = walk.world.tests[0].state.fire.is_some();
        walk.finish(MOST);
        assert!(walk.world.is_over(), "{:?}", walk.log);
        if committed && granted {
            assert_ne!(walk.world.tests[0].state.end, Some(Reason::StartMissed), "{:?}", walk.log);
        }
    }
}
