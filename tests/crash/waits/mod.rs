//! Number 18: nothing waits for ever. In every state something is in the way for good, and the run ends, with the
//! reason that docs/protocol.md names, within the deadline of that state.
//!
//! The states come from the product's enums by matches without wildcard: a new one does not compile without its test.

mod blocker;
mod claiming;
mod ending;
pub mod means;
mod row;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;

use crate::end::End;
use crate::lab::{Lab, TEST, on_virtual_time, reference_spec};
use crate::work::on_all_cores;
use blocker::Blocker;
use loadtest_operator::api::{Phase, Reason, ReasonKind, RowStep};
use means::{fail, fail_once_recorded};

fn after_phase(phase: Phase) -> Option<Phase> {
    match phase {
        Phase::Pending => Some(Phase::Claiming),
        Phase::Claiming => Some(Phase::Running),
        Phase::Running => Some(Phase::Restoring),
        Phase::Restoring => Some(Phase::Evidence),
        Phase::Evidence => Some(Phase::Finished),
        Phase::Finished => None,
    }
}

fn after_step(step: RowStep) -> Option<RowStep> {
    match step {
        RowStep::Pending => Some(RowStep::Sizing),
        RowStep::Sizing => Some(RowStep::Creating),
        RowStep::Creating => Some(RowStep::Arming),
        RowStep::Arming => Some(RowStep::Starting),
        RowStep::Starting => Some(RowStep::Loading),
        RowStep::Loading => Some(RowStep::Collecting),
        RowStep::Collecting => Some(RowStep::Draining),
        RowStep::Draining => Some(RowStep::Settling),
        RowStep::Settling => Some(RowStep::Done),
        RowStep::Done => None,
    }
}

fn of_phase(phase: Phase) -> Vec<Blocker> {
    match phase {
        // Held by spec.suspend: has no deadline and holds nothing; the test below is about it.
        Phase::Pending => Vec::new(),
        Phase::Claiming => claiming::blockers(),
        Phase::Running => {
            let steps = std::iter::successors(Some(RowStep::Pending), |step| after_step(*step));
            steps.flat_map(row::blockers).collect()
        }
        Phase::Restoring => ending::restoring(),
        Phase::Evidence => vec![
            Blocker::new(
                "the observer's Job can't be deleted",
                |lab| fail(lab, 500, |call| call.class == "delete jobs" && call.what.contains("observe")),
                "ThresholdsMet",
                150,
            )
            .verdict("Passed"),
        ],
        Phase::Finished => vec![
            Blocker::new(
                "targets can't be read when it is over",
                |lab| fail_once_recorded(lab, "\"Finished\"", "get deployments"),
                "ThresholdsMet",
                420,
            )
            .verdict("Passed"),
        ],
    }
}

#[test]
fn whatever_is_in_the_way_for_good_the_run_ends_in_time_with_its_reason() {
    let phases = std::iter::successors(Some(Phase::Pending), |phase| after_phase(*phase));
    let blockers: Vec<Blocker> = phases.flat_map(of_phase).collect();
    let said: Mutex<BTreeSet<String>> = Mutex::default();
    on_all_cores(blockers.len(), |job| {
        let blocker = &blockers[job];
        let what = blocker.what;
        on_virtual_time(async || {
            let mut lab = Lab::new();
            let mut spec = reference_spec();
            (blocker.spec)(&mut spec);
            lab.apply(TEST, spec);
            (blocker.plant)(&mut lab);
            lab.start();
            let limit = Duration::from_secs(blocker.within);
            lab.until(limit, what, |status| status.phase == Some(Phase::Finished)).await;
            let end = lab.finish(limit).await;
            let (story, reason) = (lab.story(), lab.reason(TEST));
            assert_eq!((end.verdict.as_str(), reason.as_str()), (blocker.verdict, blocker.reason), "{what}\n{story}");
            assert_eq!(end.finalizers, 0, "{what}: the finalizer stays\n{story}");
            assert!(end.fires.values().all(|all| all.windows(2).all(|pair| pair[0] < pair[1])), "{what}\n{story}");
            said.lock().expect("no panic holds it").extend(reasons(&lab));
        });
    });
    let said = said.into_inner().expect("no panic holds it");
    // Suspended is the test below; WaitingForEvidence needs an answer of AWS, and has its test in src/lifecycle/tests/walk.rs.
    let elsewhere = [Reason::Suspended, Reason::WaitingForEvidence, Reason::Acting];
    let waiting =
        Reason::ALL.iter().filter(|reason| reason.kind() == ReasonKind::Waiting && !elsewhere.contains(reason));
    let unsaid: Vec<&Reason> = waiting.filter(|reason| !said.contains(reason.as_str())).collect();
    assert!(unsaid.is_empty(), "nothing waited with {unsaid:?}; said were {said:?}");
}

/// The reasons of the condition Ready that were written.
fn reasons(lab: &Lab) -> Vec<String> {
    let world = lab.fake.world();
    let bodies = world.journal.applied().filter_map(|entry| serde_json::from_slice::<Value>(&entry.body).ok());
    let ready = |body: Value| {
        let status = body.as_array()?.iter().find(|op| op["path"] == "/status")?;
        Some(status["value"]["conditions"][0]["reason"].as_str()?.to_owned())
    };
    bodies.filter_map(ready).collect()
}

#[test]
fn a_suspended_test_holds_nothing_and_starts_when_it_is_let_go() {
    on_virtual_time(async || {
        let mut spec = reference_spec();
        spec["suspend"] = true.into();
        let mut lab = Lab::with(spec);
        lab.live(Duration::from_secs(4 * 3600)).await;
        assert_eq!(lab.reason(TEST), "Suspended", "{}", lab.story());
        let end = End::of(&lab);
        assert_eq!((end.finalizers, end.jobs_made.len()), (0, 0), "{}", lab.story());
        lab.edit(TEST, |spec| spec["suspend"] = false.into());
        assert_eq!(lab.finish(Duration::from_secs(1_200)).await.verdict, "Passed", "{}", lab.story());
    });
}
