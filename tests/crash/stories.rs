//! What happens to a LoadTest: nothing, or somebody cancels, deletes or edits it. Each story ends in one way only.

use std::time::Duration;

use serde_json::Value;

use crate::end::End;
use crate::lab::{Lab, TEST, acting_spec, at, moments_spec, reference_spec};
use loadtest_operator::api::{LoadTestStatus, Phase, RowStep};

/// Longest that a story may take.
pub const LIMIT: Duration = Duration::from_secs(1_200);

/// A story. It is played to its end by [`Story::play`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Story {
    /// The run of [`reference_spec`], to its end.
    Undisturbed,
    /// The same, cancelled while row 1 loads.
    Cancelled,
    /// The same, deleted while row 1 loads.
    Deleted,
    /// A second run, by an edit of the finished test.
    Edited,
    /// The run of [`reference_spec`], which goes a minute after its end.
    Expired,
    /// A run with actions before the row and in mid-load.
    Acting,
    /// A run with an action at every moment, most of them by Jobs.
    Moments,
}

/// One playing.
pub struct Played {
    pub end: End,
    /// Writes that were made before somebody stepped in; 0 where nobody does.
    pub before: usize,
}

/// Row `row` is in `step`.
pub fn in_step(status: &LoadTestStatus, row: i32, step: RowStep) -> bool {
    status.run.as_ref().is_some_and(|run| run.row == Some(row) && run.step == Some(step))
}

impl Story {
    /// All of them.
    pub const ALL: [Story; 7] = [
        Story::Undisturbed,
        Story::Cancelled,
        Story::Deleted,
        Story::Edited,
        Story::Expired,
        Story::Acting,
        Story::Moments,
    ];

    /// Applies the test, starts an operator, and lives until all is over.
    pub async fn play(self, lab: &mut Lab) -> Played {
        let spec = match self {
            Story::Acting => acting_spec(),
            Story::Moments => moments_spec(),
            Story::Expired => with_ttl(60),
            _ => reference_spec(),
        };
        lab.apply(TEST, spec);
        lab.start();
        match self {
            Story::Undisturbed | Story::Acting | Story::Moments => Played { end: lab.finish(LIMIT).await, before: 0 },
            Story::Cancelled => {
                let before = loading(lab).await;
                lab.edit(TEST, |spec| spec["cancel"] = true.into());
                Played { end: lab.finish(LIMIT).await, before }
            }
            Story::Deleted => {
                let before = loading(lab).await;
                lab.fake.world().store.delete(&at(TEST));
                lab.fake.wake();
                Played { end: lab.gone(LIMIT).await, before }
            }
            Story::Expired => {
                lab.until(LIMIT, "the run is over", |status| status.phase == Some(Phase::Finished)).await;
                let before = writes(lab);
                Played { end: lab.gone(LIMIT).await, before }
            }
            Story::Edited => {
                lab.until(LIMIT, "run 1 is over", |status| status.phase == Some(Phase::Finished)).await;
                let before = writes(lab);
                lab.edit(TEST, |spec| spec["loads"][0]["rate"] = 30.into());
                lab.until(LIMIT, "run 2 begins", |status| status.run.as_ref().is_some_and(|run| run.id == 2)).await;
                Played { end: lab.finish(LIMIT).await, before }
            }
        }
    }
}

/// The spec of [`reference_spec`], whose finished test stays so many seconds.
pub fn with_ttl(seconds: u32) -> Value {
    let mut spec = reference_spec();
    spec["ttlSecondsAfterFinished"] = seconds.into();
    spec
}

async fn loading(lab: &mut Lab) -> usize {
    lab.until(LIMIT, "row 1 loads", |status| in_step(status, 1, RowStep::Loading)).await;
    writes(lab)
}

fn writes(lab: &Lab) -> usize {
    lab.fake.world().journal.writes().count()
}
