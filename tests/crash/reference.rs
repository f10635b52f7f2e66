//! The undisturbed run, which all others are compared with.

use std::time::Duration;

use crate::end::{End, kept};
use crate::fake::store::key;
use crate::lab::{Lab, NAMESPACE, on_virtual_time, reference_spec};
use loadtest_operator::api::RowVerdict;

/// Longest that the reference run may take.
pub const LIMIT: Duration = Duration::from_secs(1_200);

/// The end of the undisturbed run, and its writes in words.
pub fn reference() -> (End, Vec<String>) {
    on_virtual_time(async || {
        let mut lab = Lab::with(reference_spec());
        let end = lab.finish(LIMIT).await;
        let writes = lab.fake.world().journal.writes().map(|entry| entry.call.what.clone()).collect();
        (end, writes)
    })
}

#[test]
fn an_undisturbed_run_fires_each_row_once_passes_and_leaves_everything_as_it_was() {
    on_virtual_time(async || {
        let mut lab = Lab::with(reference_spec());
        let found = ["api", "proxy"].map(|name| kept(&lab.object(&key("deployments", NAMESPACE, name))));
        let end = lab.finish(LIMIT).await;
        let story = lab.story();
        assert_eq!((end.phase.as_str(), end.verdict.as_str()), ("Finished", "Passed"), "{story}");
        let passed = |row| (row, Some(RowVerdict::Passed), "ThresholdsMet".to_owned());
        assert_eq!(end.rows, [passed(1), passed(2)], "{story}");
        assert_eq!(end.targets, found, "{story}");
        assert_eq!(end.states, ["Restored"], "{story}");
        assert_eq!(end.fires, [(1, vec![0, 1]), (2, vec![0, 1])].into(), "{story}");
        assert!(end.jobs_left.is_empty() && end.finalizers == 0, "{story}");
        assert_eq!(end.jobs_made.len(), 3, "two rows and the observer: {story}");
        assert!(end.jobs_made.values().all(|n| *n == 1), "{story}");
    });
}
