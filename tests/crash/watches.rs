//! Watches that lose, double, mix up events, or expire (410 Gone); lists from the past: the watch only
//! says when to look.

use std::time::Duration;

use crate::fake::fault::Trouble;
use crate::fake::watch::Watching;
use crate::lab::{Lab, TEST, on_virtual_time, reference_spec};
use crate::reference::{Reference, reference};
use crate::stories::{LIMIT, Story};
use crate::work::on_all_cores;

#[test]
fn whatever_a_watch_does_the_run_ends_the_same() {
    let wanted = &reference(Story::Undisturbed).end;
    let ways = [Watching::Dropping, Watching::Doubling, Watching::Reordering, Watching::Expiring];
    on_all_cores(ways.len(), |job| {
        on_virtual_time(async || {
            let mut lab = Lab::new();
            lab.fake.world().watching = ways[job];
            lab.apply(TEST, reference_spec());
            lab.start();
            let end = lab.finish(LIMIT).await;
            assert_eq!(end, *wanted, "{:?}\n{}", ways[job], lab.story());
        });
    });
}

/// Restarted at records of the status, of which `every` n-th is taken; then every list is 5 s old for 20 s.
fn restarted_in_the_past(every: usize) {
    let Reference { end: wanted, writes, .. } = &*reference(Story::Undisturbed);
    let is_record = |(_, what): &(usize, &String)| what.contains("loadtests/status");
    let records: Vec<usize> =
        writes.iter().enumerate().filter(is_record).map(|(at, _)| at + 1).step_by(every).collect();
    on_all_cores(records.len(), |job| {
        let (write, mut until) = (records[job], None);
        on_virtual_time(async || {
            let mut lab = Lab::new();
            lab.fake.trouble(move |call| {
                if call.write == Some(write) {
                    until = Some(call.at + 20_000);
                    return Some(Trouble::KillUnanswered);
                }
                let past = until.is_some_and(|until| call.at < until) && call.class.starts_with("list");
                past.then_some(Trouble::Past(5_000))
            });
            let end = Story::Undisturbed.play(&mut lab).await.end;
            let (what, story) = (&writes[write - 1], lab.story());
            let once = |indexes: &Vec<u32>| indexes.windows(2).all(|pair| pair[0] < pair[1]);
            assert!(end.fires.values().all(once), "{what}\n{story}");
            assert!(end.jobs_made.values().all(|n| *n == 1) && end.jobs_left.is_empty(), "{what}\n{story}");
            assert_eq!((&end.targets, &end.phase), (&wanted.targets, &wanted.phase), "{what}\n{story}");
        });
    });
}

/// Number 4.
#[test]
fn a_restarted_operator_that_is_shown_the_past_fires_nothing_again() {
    restarted_in_the_past(3);
}

#[test]
#[ignore = "exhaustive: make test-safety runs it"]
fn an_operator_that_was_restarted_at_any_record_and_is_shown_the_past_fires_nothing_again() {
    restarted_in_the_past(1);
}

#[test]
fn a_test_that_is_created_while_the_watch_is_away_is_found() {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        lab.start();
        lab.live(Duration::from_secs(5)).await;
        lab.fake.world().watching = Watching::Expiring;
        lab.apply(TEST, reference_spec());
        assert_eq!(lab.finish(LIMIT).await.verdict, "Passed", "{}", lab.story());
    });
}
