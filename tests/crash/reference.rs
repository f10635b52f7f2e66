//! The stories as they go when nothing goes wrong, which all others are compared with.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::end::{End, kept};
use crate::fake::store::key;
use crate::lab::{Lab, NAMESPACE, on_virtual_time, reference_spec};
use crate::stories::{LIMIT, Story};
use loadtest_operator::api::RowVerdict;

/// How a story goes.
#[derive(Debug)]
pub struct Reference {
    pub end: End,
    /// Its writes in words, in order.
    pub writes: Vec<String>,
    /// How many of them came before somebody stepped in.
    pub before: usize,
}

impl Reference {
    /// Numbers of the writes, from 1, that came after somebody stepped in.
    pub fn numbers(&self) -> impl Iterator<Item = usize> {
        self.before + 1..=self.writes.len()
    }
}

static PLAYED: Mutex<BTreeMap<Story, Arc<Reference>>> = Mutex::new(BTreeMap::new());

/// How a story goes; played once.
pub fn reference(story: Story) -> Arc<Reference> {
    let mut played = PLAYED.lock().unwrap_or_else(PoisonError::into_inner);
    let play = || {
        on_virtual_time(async || {
            let mut lab = Lab::new();
            let played = story.play(&mut lab).await;
            let writes = lab.fake.world().journal.writes().map(|entry| entry.call.what.clone()).collect();
            Arc::new(Reference { end: played.end, writes, before: played.before })
        })
    };
    Arc::clone(played.entry(story).or_insert_with(play))
}

#[test]
fn an_undisturbed_run_fires_each_row_once_passes_and_leaves_everything_as_it_was() {
    on_virtual_time(async || {
        let mut lab = Lab::with(reference_spec());
        let found = ["api", "proxy"].map(|name| kept(&lab.object(&key("deployments", NAMESPACE, name))));
        let end = lab.finish(LIMIT).await;
        let story = lab.story();
        assert_eq!((end.phase.as_str(), end.verdict.as_str()), ("Finished", "Passed"), "{story}");
        let passed = |row| (row, Some(RowVerdict::Passed), "ThresholdsMet".to_owned());
        assert_eq!(end.rows, [passed(1), passed(2)], "{story}");
        assert_eq!(end.targets, found, "{story}");
        assert_eq!(end.states, ["Restored"], "{story}");
        assert_eq!(end.fires, [(1, vec![0, 1]), (2, vec![0, 1])].into(), "{story}");
        assert!(end.jobs_left.is_empty() && end.finalizers == 0 && end.let_go.is_empty(), "{story}");
        assert_eq!(end.jobs_made.len(), 3, "two rows and the observer: {story}");
        assert!(end.jobs_made.values().all(|n| *n == 1), "{story}");
    });
}

#[test]
fn a_run_that_is_cancelled_or_deleted_in_mid_row_fires_no_other_row_and_leaves_everything_as_it_was() {
    let found = &reference(Story::Undisturbed).end.targets;
    for (story, verdict, reason) in [(Story::Cancelled, "Aborted", "Cancelled"), (Story::Deleted, "", "")] {
        let Reference { end, writes, .. } = &*reference(story);
        assert_eq!((end.verdict.as_str(), end.reason.as_str()), (verdict, reason), "{story:?}: {writes:#?}");
        assert_eq!(end.fires, [(1, vec![0, 1])].into(), "{story:?}: {writes:#?}");
        assert_eq!(end.targets, *found, "{story:?}: {writes:#?}");
        assert!(end.jobs_left.is_empty() && end.finalizers == 0, "{story:?}: {writes:#?}");
        assert!(end.let_go.is_empty(), "{story:?}: {:?}: {writes:#?}", end.let_go);
    }
}

#[test]
fn an_edited_test_fires_each_row_once_more_in_a_run_of_its_own() {
    let Reference { end, writes, .. } = &*reference(Story::Edited);
    assert_eq!((end.run, end.verdict.as_str()), (2, "Passed"), "{writes:#?}");
    assert_eq!(end.fires, [(1, vec![0, 0, 1, 1]), (2, vec![0, 0, 1, 1])].into(), "{writes:#?}");
    assert_eq!(end.jobs_made.len(), 6, "{writes:#?}");
    assert!(end.jobs_made.values().all(|n| *n == 1) && end.jobs_left.is_empty(), "{writes:#?}");
}
