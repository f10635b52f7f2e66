//! What keeps a run from beginning.

use serde_json::{Value, json};

use super::blocker::Blocker;
use super::means::{fail, gone, pods_of_api, quota};
use crate::fake::store::key;
use crate::lab::{Lab, NAMESPACE};
use loadtest_operator::build::CLAIM;

/// In the way of Claiming.
pub fn blockers() -> Vec<Blocker> {
    let queue: fn(&mut Value) = |spec| spec["deadlines"]["queueSeconds"] = 30.into();
    vec![
        Blocker::new(
            "a target has no ready pod",
            |lab| pods_of_api(lab, |pod| pod["status"]["conditions"][0]["status"] = "False".into()),
            "TargetNotReady",
            75,
        ),
        Blocker::new("a target does not exist", |lab| gone(lab, "deployments", "proxy"), "TargetNotFound", 75),
        Blocker::new("a Service does not exist", |lab| gone(lab, "services", "api"), "ServiceNotFound", 75),
        Blocker::new("a quota leaves no room", quota, "QuotaExceeded", 20),
        Blocker::new("a target is another test's", held, "DeadlineExceeded", 110).spec(queue),
        Blocker::new(
            "a target is another test's, which is replacing its pods",
            |lab| {
                held(lab);
                pods_of_api(lab, |pod| pod["status"]["conditions"][0]["status"] = "False".into());
            },
            "DeadlineExceeded",
            110,
        )
        .spec(queue),
        Blocker::new(
            "the namespace is full",
            |lab| lab.config.limits.max_concurrent_tests = 0,
            "DeadlineExceeded",
            110,
        )
        .spec(queue),
        Blocker::new(
            "a claim is refused",
            |lab| fail(lab, 403, |call| call.class == "patch deployments"),
            "DeadlineExceeded",
            110,
        )
        .spec(queue),
        Blocker::new(
            "targets can't be read",
            |lab| fail(lab, 500, |call| call.class == "get deployments"),
            "DeadlineExceeded",
            450,
        )
        .spec(queue),
    ]
}

/// Another test has claimed a target.
fn held(lab: &mut Lab) {
    let label = json!({CLAIM: "somebody.1"});
    let api = key("deployments", NAMESPACE, "api");
    lab.fake.world().store.edit(&api, |object| object["metadata"]["labels"] = label);
}
