//! What keeps targets from being put back.

use serde_json::Value;

use super::blocker::Blocker;
use super::means::{fail, fail_once_recorded};

/// In the way of Restoring.
pub fn restoring() -> Vec<Blocker> {
    let long: fn(&mut Value) = |spec| spec["settle"]["seconds"] = 1.into();
    vec![
        Blocker::new(
            "a release is refused",
            |lab| fail(lab, 403, |call| call.what.contains("remove /metadata/labels")),
            "ThresholdsMet",
            800,
        )
        .spec(long)
        .verdict("Passed"),
        Blocker::new(
            "targets can't be read",
            |lab| fail_once_recorded(lab, "\"Restoring\"", "get deployments"),
            "ThresholdsMet",
            800,
        )
        .spec(long)
        .verdict("Passed"),
    ]
}
