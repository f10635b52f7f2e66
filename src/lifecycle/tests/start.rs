//! The start of a row told to its generators, and told again.

use super::turns::{alone, plan};
use crate::api::Reason;
use crate::lifecycle::start::starting;
use crate::lifecycle::{Change, Effect, Fire, Input, Live, Millis, PodsSeen, Seen, State, Step, Uid};

const START: Millis = 1_000_000;
const PODS: [Uid; 2] = [Uid(1), Uid(2)];

/// The step so long before the start, when its pods were told it so long before it; `None`: never.
fn step(left: Millis, told: [Option<Millis>; 2]) -> Step {
    let granted = PODS.into_iter().zip(told).filter_map(|(pod, before)| Some((pod, START - before?))).collect();
    let seen = Seen { pods: Live::Fresh(PodsSeen { granted, ..PodsSeen::default() }), ..Seen::default() };
    let fire = Some(Fire { start_at: START, hard_end_at: START + 60_000 });
    let state = State { fire, armed: PODS.to_vec(), ..State::default() };
    let (world, plan) = (alone(plan(1, 0)), plan(1, 0));
    starting(&Input { now: START - left, intent: &world.intent(0), plan: &plan, state: &state, seen: &seen })
}

fn waits_until(left: Millis) -> Step {
    Step::Wait { reason: Reason::WaitingForStart, until: START - left }
}

#[test]
fn a_pod_is_told_its_start_at_once_and_again_three_and_a_half_and_two_seconds_before_it() {
    let told = |pods: &[Uid]| Step::Act(Effect::Grant(pods.to_vec()));
    for (left, when, expected) in [
        (4_900, [None, None], told(&PODS)),
        (4_800, [Some(4_900), None], told(&PODS[1..])),
        (4_800, [Some(4_900), Some(4_850)], waits_until(3_500)),
        (3_500, [Some(4_900), Some(4_850)], told(&PODS)),
        (3_400, [Some(3_490), Some(4_850)], told(&PODS[1..])),
        (3_400, [Some(3_490), Some(3_480)], waits_until(2_000)),
        (2_000, [Some(3_490), Some(3_480)], told(&PODS)),
        (1_900, [Some(1_990), Some(1_980)], waits_until(0)),
        // Who was told late is not told once more for what was before that.
        (1_900, [Some(1_990), Some(2_000)], waits_until(0)),
        (1_500, [None, Some(1_980)], told(&PODS[..1])),
    ] {
        assert_eq!(step(left, when), expected, "{left} ms before the start, told {when:?}");
    }
}

#[test]
fn in_the_last_second_nobody_is_told_and_only_a_pod_that_never_was_misses_the_start() {
    let early = [Some(4_900), Some(4_800)];
    assert_eq!(step(1_000, early), waits_until(0));
    assert_eq!(step(0, early), Step::Record(Change::Loading));
    let missed = Step::Record(Change::Restoring(Reason::StartMissed));
    assert_eq!((step(1_000, [Some(4_900), None]), step(-1, [Some(4_900), None])), (missed.clone(), missed));
}
