//! Wrong, late and lost answers, at each write and at each class of read: 409, 429 with Retry-After, 500, 504, and none at all,
//! applied or not. The story ends like the undisturbed one.
//!
//! One rule excuses a point: a call that is silent for 10 s between a row's commit point and its last grant eats up the lead of
//! 5 s, so the start is missed; there the end must be StartMissed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::end::End;
use crate::fake::fault::Trouble;
use crate::lab::{Lab, on_virtual_time};
use crate::reference::{Reference, reference};
use crate::stories::Story;
use crate::work::on_all_cores;

/// What may be answered to a write.
const TO_WRITES: [Trouble; 8] = [
    Trouble::Answer { code: 409, applied: false },
    Trouble::Busy { seconds: 2 },
    Trouble::Answer { code: 500, applied: false },
    Trouble::Answer { code: 500, applied: true },
    Trouble::Answer { code: 504, applied: false },
    Trouble::Answer { code: 504, applied: true },
    Trouble::Silence { applied: false },
    Trouble::Silence { applied: true },
];

/// What may be answered to a read.
const TO_READS: [Trouble; 5] = [
    Trouble::Busy { seconds: 2 },
    Trouble::Answer { code: 500, applied: false },
    Trouble::Answer { code: 504, applied: false },
    Trouble::Silence { applied: false },
    Trouble::Past(3_000),
];

/// Of each row of the reference run.
const GENERATORS: usize = 2;

/// A story in which the n-th call of a class (from 1) goes wrong; `write` counts all writes instead.
fn disturbed(story: Story, class: &str, n: usize, trouble: Trouble) -> (End, bool, String) {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        let (class, mut count) = (class.to_owned(), 0);
        lab.fake.trouble(move |call| {
            let meant = if class == "write" { call.write.is_some() } else { call.class == class };
            count += usize::from(meant);
            (meant && count == n).then_some(trouble)
        });
        let end = story.play(&mut lab).await.end;
        let done = lab.fake.world().faults.done.clone();
        assert_eq!(done.len(), 1, "{trouble:?} was not tried: {}", lab.story());
        let excused = matches!(trouble, Trouble::Silence { .. }) && in_the_lead(&lab);
        (end, excused, format!("{trouble:?} at {}\n{}", done[0].1, lab.story()))
    })
}

/// The silent call came between a row's commit point and its Loading, and not all of the row's pods were granted.
fn in_the_lead(lab: &Lab) -> bool {
    let world = lab.fake.world();
    let silent_at = world.faults.first_at.expect("a trouble");
    let (mut open, mut grants) = (None, 0);
    for entry in world.journal.entries.iter().filter(|entry| (200..300).contains(&entry.code)) {
        let what = &entry.call.what;
        if what.contains("\"Loading\"") || what.contains("\"Restoring\"") {
            if open.is_some_and(|from| from <= silent_at && silent_at <= entry.call.at) {
                return grants < GENERATORS;
            }
            open = None;
        } else if what.contains("\"Starting\"") {
            (open, grants) = (Some(entry.call.at), 0);
        }
        grants += usize::from(what.contains("start-at"));
    }
    false
}

fn compare(story: Story, class: &str, n: usize, trouble: Trouble) -> bool {
    let wanted = &reference(story).end;
    let (end, excused, log) = disturbed(story, class, n, trouble);
    if !excused {
        assert_eq!(end, *wanted, "{story:?}: {class} {n}: {log}");
    } else {
        assert_eq!((end.verdict.as_str(), end.reason.as_str()), ("Invalid", "StartMissed"), "{class} {n}: {log}");
        assert_eq!((&end.targets, &end.states), (&wanted.targets, &wanted.states), "{class} {n}: {log}");
        assert!(end.jobs_left.is_empty() && end.fires.values().all(|all| all.len() <= 2), "{class} {n}: {log}");
    }
    excused
}

/// Stories whose writes are answered wrongly. A second run's are those of the first.
const ANSWERED: [Story; 3] = [Story::Undisturbed, Story::Cancelled, Story::Deleted];

#[test]
fn one_wrong_answer_to_every_fourth_write_changes_nothing() {
    let one = |story| reference(story).numbers().step_by(4).map(|write| (story, write)).collect::<Vec<_>>();
    let points: Vec<_> = ANSWERED.into_iter().flat_map(one).collect();
    on_all_cores(points.len(), |job| {
        let (story, write) = points[job];
        compare(story, "write", write, TO_WRITES[job % TO_WRITES.len()]);
    });
}

#[test]
#[ignore = "exhaustive: make test-safety runs it"]
fn every_wrong_answer_to_every_write_changes_nothing() {
    let excused = AtomicUsize::new(0);
    let all = |story| {
        let numbers: Vec<usize> = reference(story).numbers().collect();
        numbers.into_iter().flat_map(move |write| TO_WRITES.map(|trouble| (story, write, trouble)))
    };
    let points: Vec<_> = ANSWERED.into_iter().flat_map(all).collect();
    on_all_cores(points.len(), |job| {
        let (story, write, trouble) = points[job];
        let missed = compare(story, "write", write, trouble);
        excused.fetch_add(usize::from(missed), Ordering::Relaxed);
    });
    println!("wrong answers: {} tried, {} of them missed the start", points.len(), excused.into_inner());
}

/// How often each class of read is called in the undisturbed run.
fn reads() -> BTreeMap<String, usize> {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        Story::Undisturbed.play(&mut lab).await;
        let mut classes: BTreeMap<String, usize> = BTreeMap::new();
        for entry in lab.fake.world().journal.entries.iter().filter(|entry| entry.call.write.is_none()) {
            *classes.entry(entry.call.class.clone()).or_default() += 1;
        }
        assert!(classes.len() > 10, "{classes:?}");
        classes
    })
}

/// A watch is told of the past by its resource version only.
fn fits(class: &str, trouble: Trouble) -> bool {
    !(class.starts_with("watch") && matches!(trouble, Trouble::Past(_)))
}

#[test]
fn one_wrong_answer_to_each_class_of_read_changes_nothing() {
    let points: Vec<_> = reads().into_iter().enumerate().collect();
    on_all_cores(points.len(), |job| {
        let (at, (class, calls)) = &points[job];
        // The first call of one class, the middle one of the next, and another trouble for each.
        let n = if at % 2 == 0 { 1 } else { calls / 2 + 1 };
        let trouble = TO_READS[(at + n) % TO_READS.len()];
        if fits(class, trouble) {
            compare(Story::Undisturbed, class, n, trouble);
        }
    });
}

#[test]
#[ignore = "exhaustive: make test-safety runs it"]
fn every_wrong_answer_to_the_first_a_middle_and_the_last_read_of_each_class_changes_nothing() {
    let three = |(class, calls): (String, usize)| {
        [1, calls / 2 + 1, calls]
            .into_iter()
            .flat_map(move |n| TO_READS.map(|trouble| (class.clone(), n, trouble)))
            .collect::<Vec<_>>()
    };
    let points: Vec<_> =
        reads().into_iter().flat_map(three).filter(|(class, _, trouble)| fits(class, *trouble)).collect();
    on_all_cores(points.len(), |job| {
        let (class, n, trouble) = &points[job];
        compare(Story::Undisturbed, class, *n, *trouble);
    });
}

/// Number 8.
#[test]
fn a_job_whose_creation_was_answered_504_is_made_once() {
    let Reference { end: wanted, writes, .. } = &*reference(Story::Undisturbed);
    for (at, what) in writes.iter().enumerate().filter(|(_, what)| what.starts_with("create jobs")) {
        let lost = Trouble::Answer { code: 504, applied: true };
        let (end, _, story) = disturbed(Story::Undisturbed, "write", at + 1, lost);
        assert_eq!(end, *wanted, "{what}: {story}");
    }
}
