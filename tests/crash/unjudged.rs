//! Runs that end before a row, or the test, could be judged: what was not looked at has not passed.

use serde_json::json;

use crate::lab::{Lab, TEST, at, on_virtual_time, reference_spec};
use crate::stories::{LIMIT, in_step};
use loadtest_operator::api::{ConditionStatus, RowStep};

#[test]
fn a_row_that_is_cancelled_before_its_thresholds_were_looked_at_has_not_passed() {
    for step in [RowStep::Draining, RowStep::Settling] {
        on_virtual_time(async || {
            let mut spec = reference_spec();
            spec["thresholds"] = json!([{"metric": "requests.sent", "max": 1}]);
            let mut lab = Lab::with(spec);
            lab.until(LIMIT, "row 1 waits after its load", |status| in_step(status, 1, step)).await;
            lab.edit(TEST, |spec| spec["cancel"] = true.into());
            let end = lab.finish(LIMIT).await;
            let row = lab.status(TEST).results.remove(0);
            assert_eq!((row.verdict, row.ended_at), (None, None), "{step:?}: {}", lab.story());
            assert_eq!((end.verdict.as_str(), end.reason.as_str()), ("Aborted", "Cancelled"), "{}", lab.story());
        });
    }
}

#[test]
fn a_run_whose_plan_this_version_cannot_read_ends_as_invalid_and_is_put_back() {
    on_virtual_time(async || {
        let mut lab = Lab::with(reference_spec());
        lab.until(LIMIT, "row 1 loads", |status| in_step(status, 1, RowStep::Loading)).await;
        lab.kill();
        // Another version took it: no edit, so the generation stays.
        lab.fake.world().store.edit(&at(TEST), |test| test["spec"]["deadlines"]["totalSeconds"] = 1.into());
        lab.start();
        let end = lab.finish(LIMIT).await;
        assert_eq!((end.verdict.as_str(), end.reason.as_str()), ("Invalid", "InvalidSpec"), "{}", lab.story());
        let status = lab.status(TEST);
        let finished =
            status.conditions.iter().find(|condition| condition.type_ == "Finished").expect("it is finished");
        assert_eq!(finished.status, ConditionStatus::True, "{}", lab.story());
        let message = status.run.and_then(|run| run.message).unwrap_or_default();
        assert!(message.contains("spec.deadlines.totalSeconds"), "{message}");
        assert_eq!(end.finalizers, 0, "{}", lab.story());
    });
}
