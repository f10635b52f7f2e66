//! Operators that are paused or away, generators that are lost.

use std::time::Duration;

use crate::cluster::agents::lose;
use crate::fake::fault::Trouble;
use crate::lab::{Lab, TEST, on_virtual_time, reference_spec};
use crate::stories::{LIMIT, in_step};
use loadtest_operator::api::{RowStep, RowVerdict};

/// Number 3.
#[test]
fn a_leader_that_was_paused_in_mid_start_neither_fires_nor_sizes_when_it_goes_on() {
    // Its write of a size, and its first grant, are held until everything is over; another operator goes on meanwhile.
    for held in ["add /spec", "add /metadata/annotations/loadtest.dev~1start-at", "create jobs"] {
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
