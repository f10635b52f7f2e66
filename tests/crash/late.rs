//! Writes that arrive late, when somebody else wrote meanwhile: each is refused by what it names as its precondition.

use std::time::Duration;

use serde_json::{Value, json};

use crate::fake::fault::{Call, Trouble};
use crate::fake::store::{key, text};
use crate::lab::{Lab, NAMESPACE, TEST, at, on_virtual_time, reference_spec};
use crate::stories::{LIMIT, in_step};
use loadtest_operator::api::RowStep;
use loadtest_operator::build::CLAIM;

/// A run in which the first operator's writes of a kind arrive `late` milliseconds after they were sent, and a second operator is
/// started when the first of them was.
async fn held(is: fn(&Call) -> bool, late: i64) -> Lab {
    let mut lab = Lab::new();
    lab.apply(TEST, reference_spec());
    lab.fake.trouble(move |call| (call.client == 1 && is(call)).then_some(Trouble::Hold(late)));
    lab.start();
    while lab.fake.world().faults.done.is_empty() {
        lab.live(Duration::from_millis(250)).await;
    }
    lab.start();
    lab
}

/// What the first operator's writes of a kind were answered.
fn answers(lab: &Lab, is: fn(&Call) -> bool) -> Vec<u16> {
    let world = lab.fake.world();
    world.journal.writes().filter(|entry| entry.call.client == 1 && is(&entry.call)).map(|entry| entry.code).collect()
}

#[test]
fn a_grant_that_arrives_when_another_operator_granted_already_is_refused() {
    on_virtual_time(async || {
        let is_grant: fn(&Call) -> bool = |call| call.what.contains("start-at") && call.what.contains("-1-1-");
        let mut lab = held(is_grant, 3_000).await;
        let end = lab.finish(LIMIT).await;
        let story = lab.story();
        let codes = answers(&lab, is_grant);
        assert!(!codes.is_empty() && codes.iter().all(|code| *code == 409), "{codes:?}\n{story}");
        assert_eq!((end.verdict.as_str(), end.fires.len()), ("Passed", 2), "{story}");
    });
}

#[test]
fn a_start_that_kubelets_miss_is_told_again_until_the_second_before_it() {
    for (missed, verdict) in [(1, "Passed"), (2, "Passed"), (3, "Invalid")] {
        on_virtual_time(async || {
            let mut lab = Lab::new();
            lab.fake.world().cluster.ways.missed = missed;
            lab.apply(TEST, reference_spec());
            lab.start();
            let end = lab.finish(LIMIT).await;
            assert_eq!(end.verdict, verdict, "{missed} changes missed: {}", lab.story());
        });
    }
}

#[test]
fn a_deletion_of_a_job_that_arrives_late_leaves_a_namesake_alone() {
    on_virtual_time(async || {
        let is_deletion: fn(&Call) -> bool = |call| call.class == "delete jobs" && call.what.ends_with("-1-1");
        let mut lab = held(is_deletion, 8_000).await;
        lab.until(LIMIT, "row 1 settles", |status| in_step(status, 1, RowStep::Settling)).await;
        // The second operator deleted it; somebody makes one of that name.
        let name = {
            let world = lab.fake.world();
            let mut calls = world.journal.writes().map(|entry| entry.call.what.clone());
            calls.find_map(|what| {
                Some(what.strip_prefix("create jobs ")?.to_owned()).filter(|name| name.ends_with("-1-1"))
            })
        };
        let job = key("jobs", NAMESPACE, &name.expect("a Job was made"));
        lab.fake.world().store.create(&job, json!({"metadata": {}, "spec": {"completions": 0}})).expect("a free name");
        lab.live(Duration::from_secs(15)).await;
        assert!(lab.object(&job).is_object(), "{}", lab.story());
        assert_eq!(answers(&lab, is_deletion), [409], "{}", lab.story());
    });
}

#[test]
fn a_target_that_is_claimed_while_the_standing_rule_looks_at_it_keeps_its_claim() {
    on_virtual_time(async || {
        let mut lab = Lab::with(reference_spec());
        lab.until(LIMIT, "row 1 loads", |status| in_step(status, 1, RowStep::Loading)).await;
        lab.kill();
        // The test is gone without its finalizer: only the standing rule knows of the claim.
        lab.fake.world().store.remove(&at(TEST));
        lab.fake.trouble(|call| (call.class == "get deployments").then_some(Trouble::Hold(3_000)));
        lab.start();
        while lab.fake.world().faults.done.is_empty() {
            lab.live(Duration::from_millis(250)).await;
        }
        let api = key("deployments", NAMESPACE, "api");
        let claim = |deployment: &mut Value| deployment["metadata"]["labels"][CLAIM] = "another.1".into();
        lab.fake.world().store.edit(&api, claim);
        lab.live(Duration::from_secs(5)).await;
        let target = lab.object(&api);
        assert_eq!(text(&target, "/metadata/labels/loadtest.dev~1claim"), "another.1", "{}", lab.story());
    });
}
