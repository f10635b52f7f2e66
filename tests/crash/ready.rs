//! What /readyz says while something keeps the operator from its work that a person has to remove.

use std::time::Duration;

use crate::fake::fault::{Call, Trouble};
use crate::lab::{Lab, TEST, on_virtual_time, reference_spec};
use crate::stories::LIMIT;

fn refuse(lab: &Lab, code: u16, is: fn(&Call) -> bool) {
    lab.fake.trouble(move |call| is(call).then_some(Trouble::Answer { code, applied: false }));
}

/// What it says after `seconds`.
async fn said(lab: &mut Lab, seconds: u64) -> String {
    lab.live(Duration::from_secs(seconds)).await;
    lab.health.look().err().unwrap_or_else(|| "ok".into())
}

#[test]
fn an_operator_without_its_resource_definition_or_a_right_says_which_and_goes_on_when_it_is_there() {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        for (code, wanted) in [(404, "crds.enabled=true"), (403, "a right is missing"), (500, "can't be listed yet")] {
            refuse(&lab, code, |call| call.class == "list loadtests");
            if lab.operators.is_empty() {
                lab.start();
            }
            let why = said(&mut lab, 15).await;
            assert!(why.contains(wanted) && !why.contains("Status {"), "{code}: {why}");
        }
        refuse(&lab, 403, |_| false);
        assert_eq!(said(&mut lab, 5).await, "ok");
        lab.apply(TEST, reference_spec());
        assert_eq!(lab.finish(LIMIT).await.verdict, "Passed", "{}", lab.story());
    });
}

#[test]
fn an_operator_whose_right_is_taken_says_so_until_it_has_it_again() {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        lab.start();
        assert_eq!(said(&mut lab, 5).await, "ok");
        refuse(&lab, 403, |call| call.class == "list deployments");
        let why = said(&mut lab, 40).await;
        assert!(why.contains("a right is missing, which the chart gives"), "{why}");
        refuse(&lab, 500, |call| call.class.starts_with("list"));
        assert_eq!(said(&mut lab, 60).await, why, "what isn't answered says nothing of the right");
        refuse(&lab, 403, |call| call.class == "list deployments");
        assert_eq!(said(&mut lab, 40).await, why);
        refuse(&lab, 403, |_| false);
        assert_eq!(said(&mut lab, 10).await, "ok", "it looks again soon");
    });
}

#[test]
fn an_operator_whose_resource_definition_is_deleted_says_so_and_one_that_is_only_not_answered_does_not() {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        lab.start();
        assert_eq!(said(&mut lab, 5).await, "ok");
        for (code, wanted) in [(500, "ok"), (404, "loadtests.loadtest.dev is not there")] {
            refuse(&lab, code, |call| call.class.ends_with(" loadtests"));
            lab.fake.world().watching = crate::fake::watch::Watching::Expiring;
            lab.apply(if code == 500 { "one" } else { "two" }, reference_spec());
            let why = said(&mut lab, 90).await;
            assert!(why.contains(wanted), "{code}: {why}");
        }
        lab.fake.world().watching = crate::fake::watch::Watching::Well;
        refuse(&lab, 403, |_| false);
        assert_eq!(said(&mut lab, 60).await, "ok");
    });
}
