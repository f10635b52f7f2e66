//! What keeps a row from going on.

use serde_json::json;

use super::blocker::Blocker;
use super::means::{fail, ways};
use crate::cluster::ways::{Logs, Pods, Rollouts};
use crate::fake::store::key;
use crate::lab::{Lab, NAMESPACE, TEST, at};
use loadtest_operator::api::RowStep;
use loadtest_operator::build::RunName;

/// In the way of a step.
pub fn blockers(step: RowStep) -> Vec<Blocker> {
    match step {
        RowStep::Pending => vec![
            Blocker::new(
                "the observer never arms",
                |lab| ways(lab, |ways| ways.observer = Pods::NeverArm),
                "ObserverLost",
                260,
            ),
            Blocker::new(
                "the observer's image can't be pulled",
                |lab| ways(lab, |ways| ways.observer = Pods::NoImage),
                "GeneratorImage",
                30,
            ),
            Blocker::new(
                "the observer's Secret is missing",
                |lab| ways(lab, |ways| ways.observer = Pods::NoSecret),
                "SecretMissing",
                30,
            ),
        ],
        RowStep::Sizing => vec![
            Blocker::new(
                "the rollout is stuck",
                |lab| ways(lab, |ways| ways.rollouts = Rollouts::Stick),
                "RolloutFailed",
                90,
            ),
            Blocker::new(
                "the progress deadline passes",
                |lab| ways(lab, |ways| ways.rollouts = Rollouts::Fail),
                "RolloutFailed",
                60,
            ),
            Blocker::new(
                "a size is refused",
                |lab| fail(lab, 403, |call| call.class == "patch deployments" && call.what.contains("add /spec")),
                "RolloutFailed",
                90,
            ),
        ],
        RowStep::Creating => vec![
            Blocker::new("the Job's name is taken", foreign_job, "JobNameTaken", 90),
            Blocker::new(
                "the Job can't be created",
                |lab| fail(lab, 403, |call| call.class == "create jobs" && !call.what.contains("observe")),
                "DeadlineExceeded",
                90,
            ),
        ],
        RowStep::Arming => vec![
            Blocker::new(
                "generators never arm",
                |lab| ways(lab, |ways| ways.generators = Pods::NeverArm),
                "ArmTimeout",
                160,
            ),
            Blocker::new(
                "the image can't be pulled",
                |lab| ways(lab, |ways| ways.generators = Pods::NoImage),
                "GeneratorImage",
                40,
            ),
            Blocker::new(
                "no node has room",
                |lab| ways(lab, |ways| ways.generators = Pods::NoRoom),
                "GeneratorUnschedulable",
                60,
            ),
            Blocker::new(
                "a quota keeps pods from being made",
                |lab| ways(lab, |ways| ways.generators = Pods::NotMade),
                "GeneratorQuota",
                60,
            ),
            Blocker::new(
                "a Secret is missing",
                |lab| ways(lab, |ways| ways.generators = Pods::NoSecret),
                "SecretMissing",
                40,
            ),
        ],
        RowStep::Starting => vec![Blocker::new(
            "pods can't be granted",
            |lab| fail(lab, 403, |call| call.what.contains("start-at")),
            "StartMissed",
            60,
        )],
        RowStep::Loading => vec![
            // The load is over and its log complete; that no kubelet says so costs time, not the row.
            Blocker::new(
                "generators are never seen ended",
                |lab| ways(lab, |ways| ways.deaf = true),
                "ThresholdsMet",
                250,
            )
            .verdict("Passed"),
        ],
        RowStep::Collecting => vec![Blocker::new(
            "logs and last words are gone",
            |lab| ways(lab, |ways| (ways.logs, ways.last_words) = (Logs::Unreadable, false)),
            "ResultsIncomplete",
            250,
        )],
        RowStep::Draining => vec![
            Blocker::new(
                "the backlog never goes, before the first row",
                |lab| ways(lab, |ways| ways.backlog = 5.0),
                "DrainTimeout",
                100,
            ),
            Blocker::new(
                "the observer says nothing",
                |lab| ways(lab, |ways| ways.observer_speaks = false),
                "DrainTimeout",
                100,
            ),
        ],
        // A time that passes by itself; and nothing is waited for in Done.
        RowStep::Settling | RowStep::Done => Vec::new(),
    }
}

/// A Job of somebody else with the name of row 1's.
fn foreign_job(lab: &mut Lab) {
    let uid = lab.object(&at(TEST))["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    let name = RunName { namespace: NAMESPACE.into(), test: TEST.into(), uid, run: 1 }.row(1);
    let job = json!({"metadata": {"labels": {}}, "spec": {"completions": 0}});
    lab.fake.world().store.create(&key("jobs", NAMESPACE, &name), job);
}
