//! Finished tests that do not stay (spec.ttlSecondsAfterFinished).

use std::time::Duration;

use serde_json::json;

use crate::fake::fault::Trouble;
use crate::fake::store::key;
use crate::lab::{Lab, NAMESPACE, TEST, at, on_virtual_time, reference_spec};
use crate::reference::reference;
use crate::stories::{LIMIT, Story, with_ttl};
use loadtest_operator::api::Phase;

const DELETE: &str = "delete loadtests";

async fn over(lab: &mut Lab, run: i64) {
    let is_over = move |status: &loadtest_operator::api::LoadTestStatus| {
        status.phase == Some(Phase::Finished) && status.run.as_ref().is_some_and(|now| now.id == run)
    };
    lab.until(LIMIT, "the run is over", is_over).await;
}

async fn lives(lab: &mut Lab, seconds: u64) -> bool {
    lab.live(Duration::from_secs(seconds)).await;
    !lab.object(&at(TEST)).is_null()
}

/// Calls about this LoadTest alone, and those that delete it.
fn calls(lab: &Lab) -> (usize, usize) {
    let world = lab.fake.world();
    let about =
        world.journal.entries.iter().filter(|entry| entry.path.resource == "loadtests" && !entry.path.name.is_empty());
    let deletions = world.journal.entries.iter().filter(|entry| entry.call.class == DELETE);
    (about.count(), deletions.count())
}

#[test]
fn a_finished_test_goes_once_its_time_is_over_with_its_results_and_says_so_in_an_event() {
    let found = &reference(Story::Undisturbed).end.targets;
    let expired = reference(Story::Expired);
    let writes = &expired.writes[expired.before..];
    assert_eq!(writes.iter().filter(|what| what.starts_with(DELETE)).count(), 1, "{writes:#?}");
    assert!(writes.last().is_some_and(|what| what.contains("events") && what.ends_with("Expired")), "{writes:#?}");
    assert_eq!(&expired.end.targets, found);
    assert!(expired.end.jobs_left.is_empty() && expired.end.let_go.is_empty());
    on_virtual_time(async || {
        let mut lab = Lab::new();
        Story::Expired.play(&mut lab).await;
        let left: Vec<_> =
            lab.fake.world().store.list("configmaps", NAMESPACE).map(|map| map["metadata"].clone()).collect();
        assert!(left.is_empty(), "{left:?}");
    });
}

#[test]
fn nobody_is_asked_about_a_finished_test_until_its_time_is_over_also_after_a_restart() {
    on_virtual_time(async || {
        let mut lab = Lab::with(with_ttl(86_400));
        over(&mut lab, 1).await;
        assert!(lives(&mut lab, 60).await);
        let before = calls(&lab);
        assert!(lives(&mut lab, 40_000).await);
        lab.kill();
        lab.start();
        assert!(lives(&mut lab, 40_000).await, "{}", lab.story());
        assert_eq!(calls(&lab), before, "{}", lab.story());
        assert!(!lives(&mut lab, 6_400).await, "{}", lab.story());
        assert_eq!(calls(&lab).1, 1);
    });
}

#[test]
fn an_operator_that_was_away_when_the_time_was_over_deletes_it_when_it_is_back() {
    on_virtual_time(async || {
        let mut lab = Lab::with(with_ttl(60));
        over(&mut lab, 1).await;
        lab.kill();
        assert!(lives(&mut lab, 600).await);
        lab.start();
        assert!(!lives(&mut lab, 10).await, "{}", lab.story());
    });
}

#[test]
fn an_edit_that_comes_before_a_deletion_that_is_under_way_wins_and_runs() {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        lab.fake.trouble(|call| (call.class == DELETE && call.client == 1).then_some(Trouble::Hold(4_000)));
        lab.apply(TEST, with_ttl(60));
        lab.start();
        over(&mut lab, 1).await;
        assert!(lives(&mut lab, 62).await, "its deletion is under way");
        lab.edit(TEST, |spec| {
            spec["loads"][0]["rate"] = 30.into();
            spec.as_object_mut().expect("a spec").remove("ttlSecondsAfterFinished");
        });
        over(&mut lab, 2).await;
        assert!(lives(&mut lab, 300).await, "{}", lab.story());
        let world = lab.fake.world();
        let deletions = world.journal.entries.iter().filter(|entry| entry.call.class == DELETE);
        assert_eq!(deletions.map(|entry| entry.code).collect::<Vec<_>>(), [409]);
    });
}

#[test]
fn a_time_that_is_written_into_a_finished_test_counts_from_its_end_and_starts_no_run() {
    on_virtual_time(async || {
        let mut lab = Lab::with(reference_spec());
        over(&mut lab, 1).await;
        assert!(lives(&mut lab, 500).await);
        lab.edit(TEST, |spec| spec["ttlSecondsAfterFinished"] = 600.into());
        assert!(lives(&mut lab, 50).await);
        lab.edit(TEST, |spec| drop(spec.as_object_mut().expect("a spec").remove("ttlSecondsAfterFinished")));
        assert!(lives(&mut lab, 200).await, "it was taken away in time");
        assert_eq!(lab.status(TEST).run.map(|run| run.id), Some(1));
        lab.edit(TEST, |spec| spec["ttlSecondsAfterFinished"] = 600.into());
        assert!(!lives(&mut lab, 5).await, "{}", lab.story());
        assert_eq!(lab.fake.world().cluster.fired.len(), 4, "two generators, two rows, one run");
    });
}

#[test]
fn a_deletion_that_is_refused_is_told_and_tried_again_only_an_hour_later() {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        lab.fake.trouble(|call| (call.class == DELETE).then_some(Trouble::Answer { code: 403, applied: false }));
        lab.apply(TEST, with_ttl(60));
        lab.start();
        over(&mut lab, 1).await;
        assert!(lives(&mut lab, 3_000).await);
        let (about, deletions) = calls(&lab);
        assert_eq!(deletions, 1, "{}", lab.story());
        let told = lab.fake.world().journal.applied().any(|entry| entry.call.what.ends_with("Forbidden"));
        assert!(told, "no event says that it can't be deleted");
        assert!(lives(&mut lab, 3_600).await);
        assert_eq!(calls(&lab).1, 2, "{}", lab.story());
        assert!(calls(&lab).0 - about <= 4, "{}", lab.story());
        lab.fake.trouble(|_| None);
        assert!(!lives(&mut lab, 3_700).await, "{}", lab.story());
    });
}

#[test]
fn a_refused_test_has_its_time_from_its_refusal_on_and_not_from_the_run_before() {
    on_virtual_time(async || {
        let mut lab = Lab::with(with_ttl(600));
        over(&mut lab, 1).await;
        assert!(lives(&mut lab, 500).await);
        lab.edit(TEST, |spec| spec["deadlines"]["totalSeconds"] = 1.into());
        assert!(lives(&mut lab, 500).await, "{}", lab.story());
        assert_eq!((lab.status(TEST).phase, lab.reason(TEST).as_str()), (Some(Phase::Finished), "InvalidSpec"));
        assert!(!lives(&mut lab, 200).await, "{}", lab.story());
    });
}

#[test]
fn a_test_whose_owner_deletes_it_first_is_not_deleted_again() {
    on_virtual_time(async || {
        let mut lab = Lab::with(with_ttl(60));
        over(&mut lab, 1).await;
        assert!(lives(&mut lab, 30).await);
        lab.fake.world().store.edit(&at(TEST), |test| test["metadata"]["finalizers"] = json!(["example.com/stay"]));
        lab.fake.world().store.delete(&key("loadtests", NAMESPACE, TEST));
        lab.fake.wake();
        assert!(lives(&mut lab, 300).await);
        assert_eq!(calls(&lab).1, 0, "{}", lab.story());
    });
}
