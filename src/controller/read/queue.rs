//! The tests of a namespace that run or wait for their turn: listed once for all that ask at the same moment, or a thousand tests that
//! wait would each hold a list of a thousand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kube::core::DeserializeGuard;
use kube::{Api, ResourceExt};
use tokio::sync::Mutex;

use crate::api::{Glance, Phase};
use crate::controller::io::{CallError, call};
use crate::controller::write::standing::not_finished;
use crate::lifecycle::Millis;

/// A test that is not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    uid: String,
    phase: Option<Phase>,
    /// When its run began, milliseconds since the epoch.
    began: Millis,
}

/// Who goes before a test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ahead {
    pub running: usize,
    pub waiting: usize,
}

/// The line of one namespace.
#[derive(Debug, Default)]
pub struct Queue {
    /// Counts up with each question and each list, so that it is known which came first.
    turn: AtomicU64,
    /// The last list, and its turn.
    answer: Mutex<(u64, Arc<[Place]>)>,
}

impl Queue {
    /// The tests that are not finished, as a list says that was begun after this was called.
    ///
    /// # Errors
    /// The list could not be read.
    pub async fn places(&self, tests: &Api<DeserializeGuard<Glance>>) -> Result<Arc<[Place]>, CallError> {
        self.places_of(async || {
            let list = call(tests.list(&not_finished())).await?;
            // One that can't be read is run by no operator of this version.
            Ok(list.items.iter().filter_map(|test| test.0.as_ref().ok()).map(Place::of).collect())
        })
        .await
    }

    async fn places_of<E>(&self, list: impl AsyncFnOnce() -> Result<Arc<[Place]>, E>) -> Result<Arc<[Place]>, E> {
        let asked = self.turn.fetch_add(1, Ordering::SeqCst) + 1;
        let mut answer = self.answer.lock().await;
        if answer.0 < asked {
            let begun = self.turn.fetch_add(1, Ordering::SeqCst) + 1;
            *answer = (begun, list().await?);
        }
        Ok(Arc::clone(&answer.1))
    }
}

impl Place {
    fn of(test: &Glance) -> Self {
        let began = test.status.run.as_ref().and_then(|run| run.started_at);
        let began = began.map_or(Millis::MAX, crate::api::Instant::as_millis);
        Self { uid: test.uid().unwrap_or_default(), phase: test.status.phase, began }
    }
}

/// Who goes before the test of this uid, whose run began then: those that run, and of those that wait as well the earlier ones.
pub fn ahead(places: &[Place], uid: &str, began: Millis) -> Ahead {
    let others = || places.iter().filter(|place| place.uid != uid);
    let runs = |place: &&Place| matches!(place.phase, Some(Phase::Running | Phase::Restoring));
    let waits =
        |place: &&Place| place.phase == Some(Phase::Claiming) && (place.began, place.uid.as_str()) < (began, uid);
    Ahead { running: others().filter(runs).count(), waiting: others().filter(waits).count() }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use super::*;

    fn place(uid: &str, phase: Phase, began: Millis) -> Place {
        Place { uid: uid.into(), phase: Some(phase), began }
    }

    #[test]
    fn those_that_run_and_those_that_waited_before_go_first() {
        let line = [
            place("a", Phase::Running, 90),
            place("b", Phase::Restoring, 10),
            place("c", Phase::Claiming, 20),
            place("d", Phase::Claiming, 30),
            place("e", Phase::Claiming, 30),
            place("f", Phase::Evidence, 5),
        ];
        assert_eq!(ahead(&line, "c", 20), Ahead { running: 2, waiting: 0 });
        assert_eq!(ahead(&line, "e", 30), Ahead { running: 2, waiting: 2 }, "of two of one instant the uid decides");
        assert_eq!(ahead(&line, "z", Millis::MAX), Ahead { running: 2, waiting: 3 });
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_that_ask_at_once_cost_two_lists_and_each_gets_one_that_was_begun_after_it_asked() {
        let (queue, lists) = (Queue::default(), AtomicUsize::new(0));
        let ask = async || {
            let before = lists.load(Ordering::SeqCst);
            let list = async || {
                let number = lists.fetch_add(1, Ordering::SeqCst) + 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok::<_, ()>(Arc::from([place(&number.to_string(), Phase::Running, 0)]))
            };
            let got: usize = queue.places_of(list).await.expect("a list")[0].uid.parse().expect("its number");
            assert!(got > before, "list {got} was begun before it was asked for");
        };
        futures::future::join_all((0..100).map(|_| ask())).await;
        assert!(lists.load(Ordering::SeqCst) <= 2, "{lists:?}");
        ask().await;
    }

    #[tokio::test]
    async fn a_list_that_failed_is_asked_for_again() {
        let queue = Queue::default();
        assert_eq!(queue.places_of(async || Err("no answer")).await, Err("no answer"));
        assert!(queue.places_of(async || Ok::<_, ()>(Arc::from([]))).await.is_ok());
    }
}
