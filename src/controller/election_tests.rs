use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::*;

/// What the lease answers, after some seconds.
type Answer = (u64, Result<bool, String>);

/// What the lease answers, one after the other; then nothing more.
#[derive(Clone)]
struct Script(Arc<Mutex<VecDeque<Answer>>>);

impl Script {
    fn new(answers: &[(u64, Result<bool, &str>)]) -> Self {
        let answers = answers.iter().map(|(after, answer)| (*after, answer.map_err(str::to_owned)));
        Self(Arc::new(Mutex::new(answers.collect())))
    }
}

impl Seat for Script {
    async fn changed(&self) -> Result<bool, String> {
        let next = self.0.lock().unwrap().pop_front();
        let Some((after, answer)) = next else { std::future::pending().await };
        sleep(Duration::from_secs(after)).await;
        answer
    }
}

/// Whether the process leads, and since which second, for as long as the script goes.
async fn terms(answers: &[(u64, Result<bool, &str>)]) -> Vec<(u64, bool)> {
    let (script, leads) = (Script::new(answers), watch::Sender::new(false));
    let (began, mut seen, mut receiver) = (Instant::now(), Vec::new(), leads.subscribe());
    let mut last = false;
    let observe = async {
        while receiver.changed().await.is_ok() {
            let now = *receiver.borrow_and_update();
            if now != last {
                seen.push((began.elapsed().as_secs(), now));
                last = now;
            }
        }
    };
    tokio::select! {
        () = keep(&leads, async || Ok(script.clone())) => {}
        () = observe => {}
        () = sleep(Duration::from_secs(1000)) => {}
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_went_to_another_ends_the_term_and_may_come_back() {
    let answers = [(3, Ok(true)), (20, Ok(false)), (10, Ok(true))];
    assert_eq!(terms(&answers).await, [(3, true), (23, false), (33, true)]);
}

#[tokio::test(start_paused = true)]
async fn one_renewal_that_fails_ends_no_term() {
    let answers = [(0, Ok(true)), (5, Err("429")), (0, Ok(true)), (60, Ok(false))];
    assert_eq!(terms(&answers).await, [(0, true), (65, false)]);
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_renew_stops_though_nobody_tells_it_that_it_lost() {
    let unanswered = [(0, Ok(true)), (5, Err("timeout")), (100, Ok(true))];
    assert_eq!(terms(&unanswered).await, [(0, true), (7, false)], "a call that hangs");
    let refused = [(0, Ok(true)), (5, Err("503")), (1, Err("503")), (1, Err("503")), (1, Err("503")), (9, Ok(true))];
    assert_eq!(terms(&refused).await[..2], [(0, true), (7, false)], "one error after the other");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_cannot_be_read_makes_no_leader() {
    assert_eq!(terms(&[(1, Err("403")), (1, Err("403")), (1, Ok(false))]).await, []);
}

/// Counts while it is alive.
struct Alive(Arc<AtomicUsize>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn the_work_is_dropped_with_the_lease_and_begun_anew_with_the_next() {
    let (leads, alive, begun) = (watch::Sender::new(false), Arc::new(AtomicUsize::new(0)), AtomicUsize::new(0));
    let working = || {
        begun.fetch_add(1, Ordering::SeqCst);
        alive.fetch_add(1, Ordering::SeqCst);
        let alive = Alive(alive.clone());
        async move {
            let _alive = alive;
            std::future::pending().await
        }
    };
    let steps = async {
        for (leading, count, terms) in [(false, 0, 0), (true, 1, 1), (true, 1, 1), (false, 0, 1), (true, 1, 2)] {
            leads.send_replace(leading);
            sleep(Duration::from_millis(1)).await;
            assert_eq!((alive.load(Ordering::SeqCst), begun.load(Ordering::SeqCst)), (count, terms));
        }
    };
    tokio::select! {
        () = lead(leads.subscribe(), working) => panic!("the work does not end"),
        () = steps => {}
    }
}
