//! Number 2: killed at every write of a run, of its cancellation and its deletion, and of the run that an edit
//! begins; before the write is applied, after it was answered, and applied without an answer.
//!
//! The next operator begins with an empty memory half a second later, and the end is that of the undisturbed story: no point is
//! excused. Only an operator that stays away longer than the lead of the start misses it; which points those are is said in
//! [`window`], and there the row must be StartMissed.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::end::End;
use crate::fake::fault::Trouble;
use crate::lab::{Lab, on_virtual_time};
use crate::reference::reference;
use crate::stories::Story;
use crate::work::on_all_cores;
use loadtest_operator::api::RowVerdict;

/// The three ways to die at a write.
const DEATHS: [Trouble; 3] = [Trouble::KillBefore, Trouble::KillAfter, Trouble::KillUnanswered];

/// A crash point: what was written, as which write of the story, and how the operator died there.
type Point = (Story, usize, String, &'static str);

fn word(death: Trouble) -> &'static str {
    match death {
        Trouble::KillBefore => "before",
        Trouble::KillAfter => "after",
        Trouble::KillUnanswered => "unanswered",
        other => panic!("nobody dies of {other:?}"),
    }
}

/// A story that was told with one death in it.
struct Told {
    end: End,
    /// What its log says of the death; absent: nobody died, or nobody came after.
    point: Option<Point>,
    story: String,
}

/// The story with a death at one write.
fn with_death(story: Story, write: usize, death: Trouble, downtime: Duration) -> Told {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        lab.downtime = downtime;
        lab.fake.trouble(move |call| (call.write == Some(write)).then_some(death));
        let end = story.play(&mut lab).await.end;
        Told { end, point: point(&lab, story), story: lab.story() }
    })
}

/// The crash point that the log of all calls shows: the first operator's last write, and that another one wrote or read after it.
fn point(lab: &Lab, story: Story) -> Option<Point> {
    let world = lab.fake.world();
    let calls = &world.journal.entries;
    let died = *world.dead.first().filter(|_| world.dead.len() == 1)?;
    let at = calls.iter().rposition(|entry| entry.call.client == died && entry.call.write.is_some())?;
    calls[at..].iter().find(|entry| entry.call.client > died)?;
    let (last, how) = (&calls[at], world.faults.done.first()?.0);
    // A code of 0 was never applied; an answer that came lets the process live until its next call.
    let applied = last.code != 0;
    (applied == (how != Trouble::KillBefore))
        .then(|| (story, last.call.write.unwrap_or(0), last.call.what.clone(), word(how)))
}

/// Dies at writes of stories; each of them must end like its reference. Returns the points that the references' logs name, and
/// those that the logs of the told stories show.
fn crash(chosen: &[(Story, usize, Trouble)]) -> [BTreeSet<Point>; 2] {
    let found = chosen
        .iter()
        .map(|(story, write, death)| (*story, *write, reference(*story).writes[write - 1].clone(), word(*death)));
    let (found, covered) = (found.collect(), Mutex::new(BTreeSet::new()));
    on_all_cores(chosen.len(), |job| {
        let (story, write, death) = chosen[job];
        let told = with_death(story, write, death, Duration::from_millis(500));
        let wanted = reference(story);
        let what = &wanted.writes[write - 1];
        assert_eq!(told.end, wanted.end, "{story:?}: {death:?} at write {write}, {what}\n{}", told.story);
        covered.lock().expect("no panic holds it").extend(told.point);
    });
    [found, covered.into_inner().expect("no panic holds it")]
}

#[test]
fn a_crash_at_any_write_ends_like_the_undisturbed_story() {
    let one_death = |story: Story| {
        let numbers: Vec<usize> = reference(story).numbers().collect();
        // A second run's writes are those of the first, but for its beginning.
        let some = if story == Story::Edited { 4 } else { usize::MAX };
        numbers.into_iter().take(some).map(move |write| (story, write, DEATHS[write % DEATHS.len()]))
    };
    let chosen: Vec<_> = Story::ALL.into_iter().flat_map(one_death).collect();
    let [found, covered] = crash(&chosen);
    assert_eq!(found, covered);
}

#[test]
#[ignore = "exhaustive: make test-safety runs it"]
fn a_crash_before_and_after_any_write_and_without_its_answer_ends_like_the_undisturbed_story() {
    let deaths = |story: Story| {
        let numbers: Vec<usize> = reference(story).numbers().collect();
        numbers.into_iter().flat_map(move |write| DEATHS.map(|death| (story, write, death)))
    };
    let chosen: Vec<_> = Story::ALL.into_iter().flat_map(deaths).collect();
    let [found, covered] = crash(&chosen);
    println!("crash points: {} found, {} covered", found.len(), covered.intersection(&found).count());
    assert_eq!(found, covered);
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
    let wanted = reference(Story::Undisturbed);
    let (from, to) = window(&wanted.writes).into_inner();
    let missed = AtomicUsize::new(0);
    on_all_cores(wanted.writes.len() * DEATHS.len(), |job| {
        let (write, death) = (job / DEATHS.len() + 1, DEATHS[job % DEATHS.len()]);
        let Told { end, story, .. } = with_death(Story::Undisturbed, write, death, Duration::from_secs(20));
        let what = &wanted.writes[write - 1];
        let misses = match death {
            Trouble::KillBefore => (from + 1..=to).contains(&write),
            _ => (from..to).contains(&write),
        };
        let of_row_2 =
            wanted.writes.iter().position(|what| what.contains("row 2 \"Sizing\"")).is_some_and(|at| write > at);
        if misses {
            missed.fetch_add(1, Ordering::Relaxed);
            assert_eq!((end.verdict.as_str(), end.reason.as_str()), ("Invalid", "StartMissed"), "{what}\n{story}");
            assert_eq!(end.rows, [(1, Some(RowVerdict::Invalid), "StartMissed".to_owned())], "{what}\n{story}");
            let once = |indexes: &Vec<u32>| indexes.windows(2).all(|pair| pair[0] < pair[1]);
            assert!(end.fires.keys().all(|row| *row == 1) && end.fires.values().all(once), "{what}\n{story}");
            assert_eq!((&end.states, &end.targets), (&wanted.end.states, &wanted.end.targets), "{what}\n{story}");
            assert!(end.jobs_left.is_empty() && end.jobs_made.values().all(|n| *n == 1), "{what}\n{story}");
        } else if !of_row_2 {
            assert_eq!(end, wanted.end, "{death:?} at write {write}, {what}\n{story}");
        }
    });
    println!("of the crashes that last longer than the lead, {} missed the start", missed.into_inner());
}
