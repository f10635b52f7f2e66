//! Killed at every write of the run: before it is applied, after it was answered, and applied without an answer.
//!
//! The next operator begins with an empty memory half a second later, and the end is that of the undisturbed run: no point is
//! excused. Only an operator that stays away longer than the lead of the start misses it; which points those are is said in
//! [`window`], and there the row must be StartMissed.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::end::End;
use crate::fake::fault::Trouble;
use crate::lab::{Lab, TEST, on_virtual_time, reference_spec};
use crate::reference::{LIMIT, reference};
use loadtest_operator::api::RowVerdict;

/// The three ways to die at a write.
pub const DEATHS: [Trouble; 3] = [Trouble::KillBefore, Trouble::KillAfter, Trouble::KillUnanswered];

/// The run with one trouble at one write, and what that write was.
pub fn with_trouble(write: usize, trouble: Trouble, downtime: Duration) -> (End, String, String) {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        lab.downtime = downtime;
        lab.apply(TEST, reference_spec());
        lab.fake.trouble(move |call| (call.write == Some(write)).then_some(trouble));
        lab.start();
        let end = lab.finish(LIMIT).await;
        let done = lab.fake.world().faults.done.clone();
        let what = done.first().map(|(_, what)| what.clone()).unwrap_or_default();
        assert_eq!(done.len(), 1, "write {write} never came, so {trouble:?} was not tried: {}", lab.story());
        (end, what, lab.story())
    })
}

/// Does work on all cores; each job has a number from 0.
pub fn on_all_cores(jobs: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(job) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|job| *job < jobs) {
                    work(job);
                }
            });
        }
    });
}

/// Dies at each write, in so many of the three ways, and prints how many points that were.
fn crash_everywhere(ways: usize) {
    let (wanted, writes) = reference();
    let (found, covered) = (writes.len() * ways, AtomicUsize::new(0));
    on_all_cores(found, |job| {
        let write = job / ways + 1;
        let death = DEATHS[(write + job % ways) % DEATHS.len()];
        let (end, what, story) = with_trouble(write, death, Duration::from_millis(500));
        assert_eq!(end, wanted, "{death:?} at write {write}, {what}\n{story}");
        covered.fetch_add(1, Ordering::Relaxed);
    });
    let covered = covered.into_inner();
    assert_eq!(covered, found);
    println!("crash points: {found} found, {covered} covered");
}

#[test]
fn a_crash_at_any_write_ends_like_the_undisturbed_run() {
    crash_everywhere(1);
}

#[test]
#[ignore = "exhaustive: make test-safety runs it"]
fn a_crash_before_and_after_any_write_and_without_its_answer_ends_like_the_undisturbed_run() {
    crash_everywhere(DEATHS.len());
}

/// The writes from row 1's commit point to its last grant, as numbers from 1: an operator that dies after the first of them
/// is applied and before the last one is, and stays away until the start, has not granted all.
fn window(writes: &[String]) -> RangeInclusive<usize> {
    let commit = writes.iter().position(|what| what.contains("row 1 \"Starting\"")).expect("a commit point") + 1;
    let of_row = writes.iter().enumerate().skip(commit).take_while(|(_, what)| !what.contains("\"Loading\""));
    let grants = of_row.filter(|(_, what)| what.contains("start-at")).map(|(at, _)| at + 1);
    commit..=grants.max().expect("a grant")
}

#[test]
#[ignore = "exhaustive: make test-safety runs it"]
fn a_crash_that_lasts_longer_than_the_lead_misses_the_start_and_nothing_else() {
    let (wanted, writes) = reference();
    let window = window(&writes);
    let missed = AtomicUsize::new(0);
    on_all_cores(writes.len() * DEATHS.len(), |job| {
        let (write, death) = (job / DEATHS.len() + 1, DEATHS[job % DEATHS.len()]);
        let (end, what, story) = with_trouble(write, death, Duration::from_secs(20));
        let (from, to) = (*window.start(), *window.end());
        let misses = match death {
            Trouble::KillBefore => (from + 1..=to).contains(&write),
            _ => (from..to).contains(&write),
        };
        let of_row_2 = writes.iter().position(|what| what.contains("row 2 \"Sizing\"")).is_some_and(|at| write > at);
        if misses {
            missed.fetch_add(1, Ordering::Relaxed);
            assert_eq!((end.verdict.as_str(), end.reason.as_str()), ("Invalid", "StartMissed"), "{what}\n{story}");
            assert_eq!(end.rows, [(1, Some(RowVerdict::Invalid), "StartMissed".to_owned())], "{what}\n{story}");
            let once = |indexes: &Vec<u32>| indexes.windows(2).all(|pair| pair[0] < pair[1]);
            assert!(end.fires.keys().all(|row| *row == 1) && end.fires.values().all(once), "{what}\n{story}");
            let (states, targets) = (end.states.clone(), end.targets.clone());
            assert_eq!((states, targets), (wanted.states.clone(), wanted.targets.clone()), "{what}\n{story}");
            assert!(end.jobs_left.is_empty() && end.jobs_made.values().all(|n| *n == 1), "{what}\n{story}");
        } else if !of_row_2 {
            assert_eq!(end, wanted, "{death:?} at write {write}, {what}\n{story}");
        }
    });
    println!("of them the start was missed at {}", missed.into_inner());
}
