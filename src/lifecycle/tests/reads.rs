//! What a controller sees of the world, in the values that `decide` takes.

use super::defences::Defence;
use super::objects::Stage;
use super::world::World;
use crate::api::Reason;
use crate::lifecycle::{
    ActJobSeen, ClaimSeen, HELD, Input, JobSeen, Live, Millis, Need, ObserverSeen, PodsSeen, Preflight, REMINDERS,
    RolloutSeen, Seen, SizeSeen, Step, TargetSeen, Uid, VictimsSeen, decide,
};

/// How the API server and the cluster answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Weather {
    /// Reads tell the truth.
    Calm,
    /// Reads tell the truth, and nothing ever gets ready, drained, read or written.
    Still,
    /// Nothing but the LoadTest itself can be read.
    Unreachable,
    /// Nothing but the LoadTest itself may be read.
    Denied,
    /// Jobs and pods as they were before the row's Job was made: what a cache may say, and a live read never does.
    Cached,
}

/// The next step of a test, as the controller finds it: reads until `decide` asks for no more.
pub fn step(world: &World, test: usize, weather: Weather) -> Step {
    let intent = world.intent(test);
    let mut seen = Seen { refused: weather == Weather::Still, ..Seen::default() };
    for _ in 0..20 {
        let state = &world.tests[test].state;
        let step = decide(&Input { now: world.now, intent: &intent, plan: world.plan(test), state, seen: &seen });
        match step {
            Step::Read(need) => look(world, test, need, weather, &mut seen),
            step => return step,
        }
    }
    panic!("decide asks for the same read again and again: {:?}", world.tests[test])
}

fn look(world: &World, test: usize, need: Need, weather: Weather, seen: &mut Seen) {
    let (still, no) = (weather == Weather::Still, weather);
    match need {
        Need::Preflight => seen.preflight = answer(no, Preflight::Ok),
        Need::Targets => seen.targets = targets(world, test, weather),
        Need::Rollout => {
            let rollout = if still { RolloutSeen::Rolling } else { RolloutSeen::Ready { held: HELD } };
            seen.rollout = answer(no, rollout);
        }
        Need::Job => seen.job = job(world, test, weather),
        Need::Pods => {
            seen.pods = answer(no, if no == Weather::Cached { PodsSeen::default() } else { pods(world, test) })
        }
        Need::Victims => seen.victims = answer(no, victims(world, test)),
        Need::ActJob => {
            let job = world.act_jobs.iter().find(|job| job.act == world.act_key(test));
            let seen_job = |job: &super::objects::ActJob| {
                answer(no, ActJobSeen { uid: job.uid(), ours: true, terminating: false, stage: job.stage })
            };
            seen.act_job = job.map_or(missing(no), seen_job);
        }
        Need::Observer => {
            let observer = world.tests[test].observer.filter(|(run, _)| *run == world.tests[test].state.run);
            seen.observer = match observer {
                None => missing(no),
                Some((_, ready)) => answer(no, if ready { ObserverSeen::Ready } else { ObserverSeen::Starting }),
            }
        }
        Need::Drained => seen.drained = answer(no, !still),
        Need::Collect if still => seen.collected = Live::Unreachable,
        Need::Collect => seen.collected = answer(no, ()),
        Need::Evidence => seen.evidence = answer(no, !still),
    }
}

fn answer<T>(weather: Weather, value: T) -> Live<T> {
    match weather {
        Weather::Calm | Weather::Still | Weather::Cached => Live::Fresh(value),
        Weather::Unreachable => Live::Unreachable,
        Weather::Denied => Live::Denied,
    }
}

fn missing<T>(weather: Weather) -> Live<T> {
    match weather {
        Weather::Calm | Weather::Still | Weather::Cached => Live::Missing,
        Weather::Unreachable => Live::Unreachable,
        Weather::Denied => Live::Denied,
    }
}

fn targets(world: &World, test: usize, weather: Weather) -> Vec<Live<TargetSeen>> {
    let ours = world.key(test);
    let act = Some(world.act_key(test)).filter(|(_, act)| *act > 0);
    let look = |(n, index): (usize, &usize)| {
        let Some(target) = &world.targets[*index] else { return missing(weather) };
        let claim = match &target.claim {
            None => ClaimSeen::None,
            Some(claim) if claim.of == ours => ClaimSeen::Ours,
            Some(_) => ClaimSeen::Other,
        };
        let set = target.claim.as_ref().and_then(|claim| claim.set);
        let original = target.claim.as_ref().is_none_or(|claim| claim.originals == target.size);
        let size = match set {
            None if !original => SizeSeen::Foreign,
            None => SizeSeen::Left,
            Some(set) if set != target.size => SizeSeen::Foreign,
            Some(set) if set == world.size_wanted(test, n) => SizeSeen::Wanted,
            Some(_) => SizeSeen::Left,
        };
        let mark = target.claim.as_ref().and_then(|claim| claim.act).filter(|_| claim == ClaimSeen::Ours);
        let marked = act.is_some() && mark == act && !world.without(Defence::ActMark);
        answer(weather, TargetSeen { uid: target.uid, claim, size, marked })
    };
    world.setup.targets[test].iter().enumerate().map(look).collect()
}

/// The pods of the target that the act at hand is done to.
fn victims(world: &World, test: usize) -> VictimsSeen {
    let state = &world.tests[test].state;
    let number = state.act + u16::from(!state.acting);
    let act = world.plan(test).act(state, number).and_then(|act| act.kind.target());
    let pod = act.and_then(|n| world.targets[world.setup.targets[test][n]].as_ref()).map(|target| target.pod);
    let there: Vec<Uid> = pod.into_iter().map(|pod| Uid(pod.into())).collect();
    let left = there.iter().copied().filter(|pod| state.doomed.contains(pod) || world.without(Defence::VictimUid));
    VictimsSeen { left: left.collect(), chosen: there }
}

fn job(world: &World, test: usize, weather: Weather) -> Live<JobSeen> {
    match world.jobs.iter().find(|job| job.row == world.row(test) && weather != Weather::Cached) {
        None => missing(weather),
        Some(job) => answer(weather, JobSeen { uid: job.uid(), ours: true, terminating: job.terminating }),
    }
}

/// As the controller folds the list of the row's pods.
fn pods(world: &World, test: usize) -> PodsSeen {
    let row = world.row(test);
    let mut seen = PodsSeen { stopped: true, ..PodsSeen::default() };
    let mut indexes = 0_u8;
    for pod in world.pods.iter().filter(|pod| pod.row == row) {
        let armed = matches!(pod.stage, Stage::Armed | Stage::Fired) && !pod.terminating;
        if armed && indexes & 1 << pod.index == 0 {
            indexes |= 1 << pod.index;
            seen.armed.push(pod.uid());
        }
        if let Some((start, _)) = pod.grant {
            let before = pod.reminded.checked_sub(1).map_or(Millis::MAX / 2, |last| REMINDERS[usize::from(last)]);
            seen.granted.push((pod.uid(), start - before));
        }
        if pod.stage == Stage::Ended {
            seen.trouble = Some(Reason::GeneratorLost);
        } else {
            seen.alive += 1;
            seen.stopped &= pod.stop;
        }
    }
    if world.without(Defence::WaitForStop) && world.tests[test].state.end.is_some() {
        seen.alive = 0;
    }
    seen
}
