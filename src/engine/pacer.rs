//! Releases the iterations of a rate when they are due, never before.
//!
//! An operating-system thread that sleeps: tokio's timer rounds up to whole milliseconds, a thread wakes some tens of
//! microseconds after its time.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::schedule::Open;

/// The longest sleep at once, so that a stop is seen.
const NAP: Duration = Duration::from_millis(50);
/// What is left to a thread's sleep of a wait that tokio began.
const FINE: Duration = Duration::from_millis(3);

#[derive(Debug, Default)]
struct Shared {
    released: AtomicU64,
    ended: AtomicBool,
    changed: Notify,
}

/// The releases of one share. The thread ends when it is dropped.
#[derive(Debug)]
pub struct Pacer(Arc<Shared>);

impl Pacer {
    /// Starts releasing `schedule`, whose first iteration is due at `start` or later.
    ///
    /// Errors: no thread can be made.
    pub fn start(schedule: Open, start: Instant) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = shared.clone();
        std::thread::Builder::new().name("pacer".into()).spawn(move || pace(&theirs, &schedule, start))?;
        Ok(Self(shared))
    }

    /// Waits until more than `seen` iterations are due and says how many.
    pub async fn released(&self, seen: u64) -> u64 {
        loop {
            let released = self.0.released.load(Ordering::Acquire);
            if released > seen {
                return released;
            }
            self.0.changed.notified().await;
        }
    }
}

impl Drop for Pacer {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::Release);
    }
}

fn pace(shared: &Shared, schedule: &Open, start: Instant) {
    let (mut released, total) = (0, schedule.total());
    while released < total && !shared.ended.load(Ordering::Acquire) {
        let now = Instant::now();
        let due = start + schedule.due(released);
        if due > now {
            std::thread::sleep((due - now).min(NAP));
            continue;
        }
        released = schedule.released(now - start);
        shared.released.store(released, Ordering::Release);
        shared.changed.notify_one();
    }
}

/// Waits until an instant, some tens of microseconds longer at most on a quiet machine, never shorter.
pub async fn wait_until(at: Instant) {
    if let Some(coarse) = at.checked_sub(FINE) {
        tokio::time::sleep_until(coarse.into()).await;
    }
    let fine = tokio::task::spawn_blocking(move || {
        while let Some(left) = at.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            std::thread::sleep(left);
        }
    });
    if fine.await.is_err() {
        tokio::time::sleep_until(at.into()).await;
    }
}
