//! Actions: each is done once at its time, whatever crashes; what it changed is put back in every ending.

use std::time::Duration;

use serde_json::json;

use crate::cluster::ways::Rollouts;
use crate::fake::fault::Trouble;
use crate::fake::store::key;
use crate::lab::{Lab, NAMESPACE, TEST, acting_spec, on_virtual_time};
use crate::reference::reference;
use crate::stories::{LIMIT, Story, in_step};
use loadtest_operator::api::{Reason, RowStep, RowVerdict};

#[test]
fn actions_are_done_once_in_their_order_and_the_row_passes() {
    let found = &reference(Story::Undisturbed).end.targets;
    let reference = reference(Story::Acting);
    let end = &reference.end;
    assert_eq!((end.verdict.as_str(), end.reason.as_str()), ("Passed", "ThresholdsMet"), "{:#?}", reference.writes);
    assert_eq!(end.acts.replicas["proxy"], [1, 0, 1]);
    assert_eq!(end.acts.restarts, [("proxy".to_owned(), 2)].into());
    assert_eq!(end.acts.deleted, 1);
    assert_eq!(end.targets, *found, "everything is as it was, but for the instant of the restart");
}

#[test]
fn a_row_says_of_each_action_how_often_and_when_it_was_done() {
    on_virtual_time(async || {
        let mut lab = Lab::with(acting_spec());
        lab.finish(LIMIT).await;
        let row = lab.status(TEST).results.remove(0);
        let done: Vec<_> =
            row.actions.iter().map(|action| (action.name.0.as_str(), action.times, action.failed)).collect();
        assert_eq!(done, [("fresh", 1, None), ("away", 1, None), ("kill", 1, None), ("again", 1, None)]);
        let start = row.started_at.expect("a start").as_millis();
        let after = |at: Option<loadtest_operator::api::Instant>| at.map(|at| (at.as_millis() - start + 500) / 1000);
        assert_eq!((after(row.actions[1].first_at), after(row.actions[1].last_at)), (Some(3), Some(9)));
        let events = lab
            .fake
            .world()
            .store
            .list("events.k8s.io/events", "")
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n");
        for said in ["proxy was scaled to 0 replicas", "proxy got its replicas back", "1 pods of api were deleted"] {
            assert!(events.contains(said), "{said}: {events}");
        }
    });
}

#[test]
fn a_test_that_is_cancelled_while_a_target_is_scaled_puts_it_back() {
    on_virtual_time(async || {
        let mut lab = Lab::with(acting_spec());
        lab.until(LIMIT, "the row loads", |status| in_step(status, 1, RowStep::Loading)).await;
        while lab.object(&key("deployments", NAMESPACE, "proxy"))["spec"]["replicas"] != 0 {
            lab.live(Duration::from_millis(250)).await;
        }
        lab.edit(TEST, |spec| spec["cancel"] = true.into());
        let end = lab.finish(LIMIT).await;
        assert_eq!((end.verdict.as_str(), &end.acts.replicas["proxy"]), ("Aborted", &vec![1, 0, 1]), "{}", lab.story());
        assert_eq!((end.states, end.acts.deleted), (vec!["Restored".to_owned(), "Restored".to_owned()], 0));
    });
}

#[test]
fn an_operator_that_was_away_at_the_planned_time_does_not_catch_up_and_says_so() {
    on_virtual_time(async || {
        let mut lab = Lab::with(acting_spec());
        lab.until(LIMIT, "the row loads", |status| in_step(status, 1, RowStep::Loading)).await;
        lab.kill();
        lab.live(Duration::from_secs(14)).await;
        lab.start();
        let end = lab.finish(LIMIT).await;
        assert_eq!(end.rows, [(1, Some(RowVerdict::Invalid), "ActionFailed".to_owned())], "{}", lab.story());
        assert_eq!((end.acts.replicas["proxy"].as_slice(), end.acts.deleted), ([1].as_slice(), 0), "{}", lab.story());
        let row = lab.status(TEST).results.remove(0);
        assert!(
            row.observations[0].contains("action away, planned for 3.0 s after the start"),
            "{:?}",
            row.observations
        );
    });
}

#[test]
fn a_scale_that_the_api_server_refuses_makes_the_row_invalid_and_the_target_is_left_as_it_is() {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        let mut sizes = 0;
        lab.fake.trouble(move |call| {
            let of_proxy = call.what.starts_with("patch deployments proxy") && call.what.contains("add /spec/replicas");
            // The first is the row's size, the last the release.
            sizes += usize::from(of_proxy && call.write.is_some());
            let refused = of_proxy && sizes > 1 && !call.what.contains("remove");
            refused.then_some(Trouble::Answer { code: 403, applied: false })
        });
        lab.apply(TEST, acting_spec());
        lab.start();
        let end = lab.finish(LIMIT).await;
        assert_eq!(
            (end.rows.first().map(|row| row.1), end.reason.as_str()),
            (Some(Some(RowVerdict::Invalid)), "ActionFailed")
        );
        assert_eq!(end.acts.replicas["proxy"], [1], "{}", lab.story());
    });
}

#[test]
fn a_restart_before_the_row_that_does_not_come_is_waited_for_and_ends_the_run_with_its_reason() {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        let mut spec = acting_spec();
        spec["actions"][0]["timeoutSeconds"] = 20.into();
        lab.apply(TEST, spec);
        lab.fake.world().cluster.ways.rollouts = Rollouts::Stick;
        lab.start();
        lab.until(LIMIT, "the restart is waited for", |status| {
            status.conditions.iter().any(|condition| condition.reason == Reason::Acting.as_str())
        })
        .await;
        let end = lab.finish(LIMIT).await;
        assert_eq!((end.verdict.as_str(), end.reason.as_str()), ("Invalid", "ActionFailed"), "{}", lab.story());
        assert!(end.fires.is_empty() && end.acts.deleted == 0, "{}", lab.story());
    });
}

#[test]
fn a_foreign_change_beside_an_action_is_still_a_disturbance() {
    on_virtual_time(async || {
        let mut lab = Lab::with(acting_spec());
        lab.until(LIMIT, "the row loads", |status| in_step(status, 1, RowStep::Loading)).await;
        lab.live(Duration::from_secs(12)).await;
        lab.fake.world().store.edit(&key("deployments", NAMESPACE, "proxy"), |deployment| {
            deployment["spec"]["minReadySeconds"] = json!(1);
            deployment["metadata"]["generation"] =
                json!(deployment["metadata"]["generation"].as_i64().unwrap_or(0) + 1);
        });
        let end = lab.finish(LIMIT).await;
        assert_eq!(end.rows, [(1, Some(RowVerdict::Invalid), "TargetDisturbed".to_owned())], "{}", lab.story());
    });
}
