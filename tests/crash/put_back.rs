//! Targets that can't be put back, or that somebody else set meanwhile.

use std::time::Duration;

use serde_json::json;

use crate::end::End;
use crate::fake::fault::Trouble;
use crate::fake::store::key;
use crate::lab::{Lab, NAMESPACE, TEST, on_virtual_time, reference_spec};
use crate::stories::in_step;
use crate::waits::means::fail;
use loadtest_operator::api::{LoadTestStatus, RowStep};

#[test]
fn what_was_not_put_back_in_time_is_said_and_put_back_later() {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        let found = End::of(&lab).targets;
        lab.apply(TEST, reference_spec());
        fail(&mut lab, 403, |call| call.what.contains("remove /metadata/labels"));
        lab.start();
        let end = lab.finish(Duration::from_secs(1_200)).await;
        let story = lab.story();
        assert_eq!(end.states, ["Sized"], "{story}");
        let said = lab.fake.world().journal.applied().any(|entry| entry.call.what.contains("RestoreTimeout"));
        assert!(said, "no event says RestoreTimeout\n{story}");
        let ready = lab.status(TEST).conditions.into_iter().find(|condition| condition.type_ == "Ready");
        assert!(ready.is_some_and(|ready| ready.message.contains("api")), "{story}");
        assert_ne!(end.targets, found);
        lab.fake.trouble(|_| None);
        lab.live(Duration::from_secs(40)).await;
        assert_eq!(End::of(&lab).targets, found, "the standing rule goes on\n{}", lab.story());
    });
}

#[test]
fn a_field_that_somebody_else_set_is_skipped_also_when_the_operator_crashes_before_it_says_so() {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        lab.apply(TEST, reference_spec());
        lab.fake.trouble(|call| call.what.contains("remove /metadata/labels").then_some(Trouble::KillUnanswered));
        lab.start();
        lab.until(Duration::from_secs(300), "row 1 loads", |status| {
            status.conditions.iter().any(|condition| condition.reason == "Loading")
        })
        .await;
        lab.fake.world().store.edit(&key("deployments", NAMESPACE, "api"), |deployment| {
            deployment["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"] = "3".into();
        });
        let end = lab.finish(Duration::from_secs(1_200)).await;
        assert_eq!(end.states, ["Skipped"], "{}", lab.story());
        let cpu = &end.targets[0]["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"];
        assert_eq!(*cpu, json!("3"), "what somebody else set stays");
    });
}

/// The container of the target that is given sizes.
fn env(lab: &Lab) -> serde_json::Value {
    let deployment = lab.object(&key("deployments", NAMESPACE, "api"));
    deployment["spec"]["template"]["spec"]["containers"][0]["env"].clone()
}

#[test]
fn a_swept_environment_variable_has_its_value_in_each_row_and_is_put_back_as_it_was() {
    on_virtual_time(async || {
        for cancelled in [false, true] {
            let mut lab = Lab::new();
            let original = json!([{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]);
            lab.fake.world().store.edit(&key("deployments", NAMESPACE, "api"), |deployment| {
                deployment["spec"]["template"]["spec"]["containers"][0]["env"] = original.clone();
            });
            let mut spec = reference_spec();
            spec["sweep"] = json!([
                {"target": "api", "env": {"name": "WORKERS", "values": ["1", "2"]}, "group": "g"},
                {"target": "api", "env": {"name": "TOKEN", "values": ["a", "b"]}, "group": "g"}]);
            lab.apply(TEST, spec);
            lab.start();
            for (row, workers, token) in [(1, "1", "a"), (2, "2", "b")] {
                let loads = |status: &LoadTestStatus| in_step(status, row, RowStep::Loading);
                lab.until(Duration::from_secs(300), "the row loads", loads).await;
                let wanted = json!([{"name": "TOKEN", "value": token}, {"name": "WORKERS", "value": workers}]);
                assert_eq!(env(&lab), wanted, "row {row}\n{}", lab.story());
            }
            if cancelled {
                lab.edit(TEST, |spec| spec["cancel"] = true.into());
            }
            let end = lab.finish(Duration::from_secs(1_200)).await;
            assert_eq!(end.states, ["Restored"], "{}", lab.story());
            assert_eq!(env(&lab), original);
        }
    });
}
