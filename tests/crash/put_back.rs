//! Targets that can't be put back, or that somebody else set meanwhile.

use std::time::Duration;

use serde_json::json;

use crate::end::End;
use crate::fake::fault::Trouble;
use crate::fake::store::key;
use crate::lab::{Lab, NAMESPACE, TEST, on_virtual_time, reference_spec};
use crate::waits::means::fail;

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
