//! Wrong, late and lost answers, at each write and at each class of read: the run ends like the undisturbed one.
//!
//! One rule excuses a point: a call that is silent for 10 s between a row's commit point and its last grant eats up the lead of
//! 5 s, so the start is missed; there the end must be StartMissed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::end::End;
use crate::fake::fault::Trouble;
use crate::lab::{Lab, TEST, on_virtual_time, reference_spec};
use crate::points::on_all_cores;
use crate::reference::{LIMIT, reference};

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

/// A run in which the n-th call of a class (from 1) goes wrong; `write` counts all writes instead.
fn disturbed(class: &str, n: usize, trouble: Trouble) -> (End, bool, String) {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        lab.apply(TEST, reference_spec());
        let (class, mut count) = (class.to_owned(), 0);
        lab.fake.trouble(move |call| {
            let meant = if class == "write" { call.write.is_some() } else { call.class == class };
            count += usize::from(meant);
            (meant && count == n).then_some(trouble)
        });
        lab.start();
        let end = lab.finish(LIMIT).await;
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
        if entry.call.what.contains("\"Starting\"") {
            (open, grants) = (Some(entry.call.at), 0);
        }
        if entry.call.what.contains("\"Loading\"") || entry.call.what.contains("\"Restoring\"") {
            if open.is_some_and(|from| from <= silent_at && silent_at <= entry.call.at) {
                return grants < GENERATORS;
            }
            open = None;
        }
        grants += usize::from(entry.call.what.contains("start-at"));
    }
    false
}

fn compare(class: &str, n: usize, trouble: Trouble, wanted: &End) -> bool {
    let (end, excused, story) = disturbed(class, n, trouble);
    if !excused {
        assert_eq!(end, *wanted, "{class} {n}: {story}");
    } else {
        assert_eq!((end.verdict.as_str(), end.reason.as_str()), ("Invalid", "StartMissed"), "{class} {n}: {story}");
        assert_eq!((&end.targets, &end.states), (&wanted.targets, &wanted.states), "{class} {n}: {story}");
        assert!(end.jobs_left.is_empty() && end.fires.values().all(|all| all.len() <= 2), "{class} {n}: {story}");
    }
    excused
}

#[test]
fn one_wrong_answer_to_any_write_changes_nothing() {
    let (wanted, writes) = reference();
    on_all_cores(writes.len(), |job| {
        compare("write", job + 1, TO_WRITES[job % TO_WRITES.len()], &wanted);
    });
}

#[test]
#[ignore = "exhaustive: make test-safety runs it"]
fn every_wrong_answer_to_every_write_changes_nothing() {
    let (wanted, writes) = reference();
    let excused = AtomicUsize::new(0);
    let points = writes.len() * TO_WRITES.len();
    on_all_cores(points, |job| {
        let missed = compare("write", job / TO_WRITES.len() + 1, TO_WRITES[job % TO_WRITES.len()], &wanted);
        excused.fetch_add(usize::from(missed), Ordering::Relaxed);
    });
    println!("wrong answers: {points} tried, {} of them missed the start", excused.into_inner());
}

#[test]
fn one_wrong_answer_to_each_class_of_read_changes_nothing() {
    let (wanted, _) = reference();
    let classes = on_virtual_time(async || {
        let mut lab = Lab::with(reference_spec());
        lab.finish(LIMIT).await;
        let mut classes: BTreeMap<String, usize> = BTreeMap::new();
        for entry in lab.fake.world().journal.entries.iter().filter(|entry| entry.call.write.is_none()) {
            *classes.entry(entry.call.class.clone()).or_default() += 1;
        }
        classes
    });
    assert!(classes.len() > 10, "{classes:?}");
    let point = |(at, (class, calls)): (usize, (&String, &usize))| {
        // Its first call, one in the middle, and another trouble for each.
        [1, calls / 2 + 1].map(|n| (class.clone(), n, TO_READS[(at + n) % TO_READS.len()]))
    };
    let points: Vec<_> = classes.iter().enumerate().flat_map(point).collect();
    on_all_cores(points.len(), |job| {
        let (class, n, trouble) = &points[job];
        // A watch is told of the past by its resource version only.
        if !(class.starts_with("watch") && matches!(trouble, Trouble::Past(_))) {
            compare(class, *n, *trouble, &wanted);
        }
    });
}

#[test]
fn a_job_whose_creation_was_answered_504_is_made_once() {
    let (wanted, writes) = reference();
    for (at, what) in writes.iter().enumerate().filter(|(_, what)| what.starts_with("create jobs")) {
        let (end, _, story) = disturbed("write", at + 1, Trouble::Answer { code: 504, applied: true });
        assert_eq!(end, wanted, "{what}: {story}");
    }
}
