//! A finished test that is edited, cancelled, deleted.

use std::time::Duration;

use crate::lab::{Lab, TEST, on_virtual_time, reference_spec};
use crate::stories::LIMIT;
use loadtest_operator::api::Phase;

async fn runs(lab: &mut Lab, run: i64) {
    let limit = LIMIT;
    lab.until(limit, "another run begins", |status| status.run.as_ref().is_some_and(|now| now.id == run)).await;
    let end = lab.finish(limit).await;
    assert_eq!((end.run, end.verdict.as_str()), (run, "Passed"), "{}", lab.story());
}

/// Number 9.
#[test]
fn a_test_edited_there_and_back_runs_three_times_with_numbers_of_its_own() {
    on_virtual_time(async || {
        let mut lab = Lab::with(reference_spec());
        runs(&mut lab, 1).await;
        lab.edit(TEST, |spec| spec["loads"][0]["rate"] = 30.into());
        runs(&mut lab, 2).await;
        lab.edit(TEST, |spec| spec["loads"][0]["rate"] = 20.into());
        runs(&mut lab, 3).await;
        let status = lab.status(TEST);
        assert_eq!(status.history.iter().map(|past| past.id).collect::<Vec<_>>(), [2, 1]);
        let world = lab.fake.world();
        let mut labels: Vec<&str> = world.cluster.fired.iter().map(|fired| fired.run.as_str()).collect();
        labels.dedup();
        assert_eq!(labels.len(), 3, "{labels:?}");
        assert_eq!(world.cluster.fired.len(), 12, "two generators, two rows, three runs");
    });
}

/// Number 9.
#[test]
fn a_default_that_is_written_out_starts_nothing() {
    on_virtual_time(async || {
        let mut lab = Lab::with(reference_spec());
        runs(&mut lab, 1).await;
        lab.edit(TEST, |spec| {
            spec["repeats"] = 1.into();
            spec["suspend"] = false.into();
            spec["deadlines"]["queueSeconds"] = 3600.into();
            spec["settle"]["until"]["atMost"] = 0.into();
        });
        lab.live(Duration::from_secs(120)).await;
        let status = lab.status(TEST);
        assert_eq!((status.run.map(|run| run.id), status.phase), (Some(1), Some(Phase::Finished)), "{}", lab.story());
        assert_eq!(lab.fake.world().cluster.fired.len(), 4);
    });
}

#[test]
fn an_edit_of_a_finished_test_while_cancel_is_true_keeps_its_results() {
    on_virtual_time(async || {
        let mut lab = Lab::with(reference_spec());
        runs(&mut lab, 1).await;
        let before = lab.status(TEST);
        lab.edit(TEST, |spec| spec["cancel"] = true.into());
        lab.live(Duration::from_secs(30)).await;
        lab.edit(TEST, |spec| spec["loads"][0]["rate"] = 30.into());
        lab.live(Duration::from_secs(60)).await;
        let after = lab.status(TEST);
        assert_eq!(
            (after.results, after.verdict, after.run),
            (before.results, before.verdict, before.run),
            "{}",
            lab.story()
        );
        assert!(after.history.is_empty(), "{:?}", after.history);
        lab.edit(TEST, |spec| spec["cancel"] = false.into());
        runs(&mut lab, 2).await;
    });
}

#[test]
fn a_test_that_is_deleted_in_mid_row_puts_everything_back_and_goes() {
    on_virtual_time(async || {
        let mut lab = Lab::with(reference_spec());
        let found = crate::end::End::of(&lab).targets;
        lab.until(LIMIT, "row 1 loads", |status| {
            status.conditions.iter().any(|condition| condition.reason == "Loading")
        })
        .await;
        lab.fake.world().store.delete(&crate::lab::at(TEST));
        lab.fake.wake();
        lab.live(Duration::from_secs(120)).await;
        assert!(lab.object(&crate::lab::at(TEST)).is_null(), "{}", lab.story());
        let end = crate::end::End::of(&lab);
        assert_eq!(end.targets, found, "{}", lab.story());
        assert!(end.jobs_left.is_empty(), "{}", lab.story());
    });
}
