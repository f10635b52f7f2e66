//! Operators that are paused or away, generators that are lost.

use std::time::Duration;

use serde_json::Value;

use crate::cluster::Cluster;
use crate::cluster::agents::lose;
use crate::fake::fault::Trouble;
use crate::fake::store::{key, text};
use crate::lab::{Lab, NAMESPACE, TEST, on_virtual_time, reference_spec};
use crate::stories::{LIMIT, in_step};
use loadtest_operator::api::{RowStep, RowVerdict};
use loadtest_operator::build::ROW_LABEL;

/// Number 3.
#[test]
fn a_leader_that_was_paused_in_mid_start_neither_fires_nor_sizes_when_it_goes_on() {
    // Its write of a size, its first grant, a Job, or a record of the status is held until everything is over; another operator
    // goes on meanwhile.
    let records = ["row 1 \"Sizing\"", "row 1 \"Starting\"", "row 1 \"Done\""];
    let acts = ["add /spec", "add /metadata/annotations/loadtest.dev~1start-at", "create jobs"];
    for held in acts.into_iter().chain(records) {
        on_virtual_time(async || {
            let mut lab = Lab::new();
            lab.apply(TEST, reference_spec());
            let mut holding = false;
            lab.fake.trouble(move |call| {
                let it = call.what.contains(held) && !call.what.contains("observe") && call.write.is_some();
                holding = holding || call.client == 1 && it;
                // From there on nothing of the first operator arrives in time: the whole process stands still.
                (call.client == 1 && holding).then_some(Trouble::Hold(600_000))
            });
            lab.start();
            while lab.fake.world().faults.done.is_empty() {
                lab.live(Duration::from_millis(250)).await;
            }
            lab.start();
            let end = lab.finish(LIMIT).await;
            let before = lab.fake.world().journal.entries.len();
            lab.live(Duration::from_secs(900)).await;
            let story = lab.story();
            let after = crate::end::End::of(&lab);
            assert_eq!(
                (&after.targets, &after.fires, &after.rows),
                (&end.targets, &end.fires, &end.rows),
                "{held}\n{story}"
            );
            assert!(end.fires.len() == 2 && end.fires.values().all(|all| *all == [0, 1]), "{held}\n{story}");
            assert!(after.jobs_left.is_empty(), "{held}\n{story}");
            let world = lab.fake.world();
            let late = world.journal.entries[before..].iter().filter(|entry| entry.call.what.contains(held));
            let codes: Vec<u16> = late.filter(|entry| entry.call.client == 1).map(|entry| entry.code).collect();
            assert!(!codes.is_empty(), "{held}: the late write never came\n{story}");
            // A Job's name is free again when its run is over: it is made, fires nothing, and the standing rule deletes it.
            let refused = codes.iter().all(|code| matches!(code, 404 | 409));
            assert!(refused || held == "create jobs", "{held}: {codes:?}\n{story}");
        });
    }
}

/// Number 15.
#[test]
fn a_row_is_valid_although_the_operator_was_away_for_half_an_hour() {
    on_virtual_time(async || {
        let mut spec = reference_spec();
        spec["deadlines"]["totalSeconds"] = 7200.into();
        let mut lab = Lab::with(spec);
        lab.until(LIMIT, "row 1 loads", |status| in_step(status, 1, RowStep::Loading)).await;
        lab.kill();
        lab.live(Duration::from_secs(1_800)).await;
        lab.start();
        let end = lab.finish(LIMIT).await;
        assert_eq!(end.rows[0], (1, Some(RowVerdict::Passed), "ThresholdsMet".into()), "{}", lab.story());
        assert_eq!((end.verdict.as_str(), end.fires.len()), ("Passed", 2), "{}", lab.story());
    });
}

/// Number 14.
#[test]
fn targets_are_not_put_back_before_a_lost_generator_can_be_sending_no_more() {
    on_virtual_time(async || {
        let mut spec = reference_spec();
        spec["loads"][0]["durationSeconds"] = 60.into();
        let mut lab = Lab::with(spec);
        lab.until(LIMIT, "row 1 loads", |status| in_step(status, 1, RowStep::Loading)).await;
        lab.live(Duration::from_secs(5)).await;
        lose(&mut lab.fake.world(), 1);
        lab.edit(TEST, |spec| spec["cancel"] = true.into());
        let end = lab.finish(LIMIT).await;
        let story = lab.story();
        assert_eq!((end.verdict.as_str(), end.reason.as_str()), ("Aborted", "Cancelled"), "{story}");
        let world = lab.fake.world();
        let last = world.cluster.fired.iter().map(|fired| fired.until.expect("it ended")).max().expect("a fire");
        let releases = world.journal.applied().filter(|entry| entry.call.what.contains("remove /metadata/labels"));
        let first = releases.map(|entry| entry.call.at).min().expect("a release");
        assert!(first >= last, "released at {first}, while a generator sent until {last}\n{story}");
    });
}

#[test]
fn a_job_that_is_deleted_and_made_again_while_it_arms_is_not_fired() {
    on_virtual_time(async || {
        let mut lab = Lab::with(reference_spec());
        lab.until(LIMIT, "row 1 arms", |status| in_step(status, 1, RowStep::Arming)).await;
        {
            let mut world = lab.fake.world();
            let of_row_1 = |job: &&Value| job["metadata"]["labels"][ROW_LABEL] == "1";
            let job = world.store.list("jobs", NAMESPACE).find(of_row_1).cloned().expect("row 1's Job");
            let at = key("jobs", NAMESPACE, text(&job, "/metadata/name"));
            world.store.remove(&at);
            Cluster::noticed(&mut world, &at, Some(&job));
            world.store.create(&at, job).expect("a free name");
            Cluster::noticed(&mut world, &at, None);
        }
        let end = lab.finish(LIMIT).await;
        let story = lab.story();
        assert_eq!(end.rows[0], (1, Some(RowVerdict::Invalid), "JobGone".into()), "{story}");
        assert_eq!(end.rows[1].1, Some(RowVerdict::Passed), "{story}");
        assert_eq!(end.fires, [(2, vec![0, 1])].into(), "{story}");
        assert!(end.jobs_left.is_empty(), "{story}");
    });
}

#[test]
fn an_act_that_was_held_up_for_more_than_five_seconds_is_decided_anew() {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        lab.apply(TEST, reference_spec());
        let mut held = false;
        lab.fake.trouble(move |call| {
            let first = !held && call.what.starts_with("create configmaps") && call.what.contains("-1-1-plan");
            held |= first;
            first.then_some(Trouble::Hold(6_000))
        });
        lab.start();
        let end = lab.finish(LIMIT).await;
        let (story, world) = (lab.story(), lab.fake.world());
        let of_row_1 =
            |what: &&str| what.contains("-1-1-plan") || what.ends_with("-1-1") && what.starts_with("create jobs");
        let writes: Vec<&str> = world.journal.writes().map(|entry| entry.call.what.as_str()).filter(of_row_1).collect();
        // Its ConfigMap is tried again, and the Job follows at once.
        assert_eq!(
            writes.iter().map(|what| what.starts_with("create jobs")).collect::<Vec<_>>(),
            [false, false, true],
            "{story}"
        );
        assert_eq!(end.verdict, "Passed", "{story}");
    });
}
