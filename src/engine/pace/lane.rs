//! One thread of a load: a runtime of its own, with its own connections, counts and part of the schedule.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::open::{OpenLane, Slots};
use super::schedule::{Closed, Open};
use super::shared::Phase;
use super::worker::Worker;
use super::{closed, open};

/// Part of a schedule.
#[derive(Clone)]
pub enum Lane {
    /// Every n-th of the clients, from this one on.
    Closed { schedule: Closed, first: u32, lanes: u32 },
    /// Every n-th iteration; the places are those of all lanes.
    Open { schedule: Open, slots: Arc<Slots>, lane: usize },
}

/// Runs a lane on a thread of its own. What is handed back ends with the thread.
pub fn spawn(worker: Arc<Worker>, lane: Lane) -> oneshot::Receiver<()> {
    let (ended, end) = oneshot::channel();
    let thread = std::thread::Builder::new().name("load".into());
    let spawned = thread.spawn(move || {
        match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            // The runtime drops what is still open, which is counted as cut, before the end is told.
            Ok(runtime) => {
                runtime.block_on(run(worker, lane));
                drop(runtime);
            }
            Err(error) => tracing::error!("a thread of the load can't be made: {error}"),
        }
        drop(ended);
    });
    if let Err(error) = spawned {
        tracing::error!("a thread of the load can't be made: {error}");
    }
    end
}

async fn run(worker: Arc<Worker>, lane: Lane) {
    let shared = worker.shared.clone();
    let work = async {
        match lane {
            Lane::Closed { schedule, first, lanes } => closed::run(worker, schedule, (first, lanes)).await,
            Lane::Open { schedule, slots, lane } => {
                open::run(Arc::new(OpenLane::new(worker, schedule, slots, lane))).await;
            }
        }
    };
    tokio::select! {
        () = work => {}
        () = shared.reached(Phase::Cut) => {}
    }
}
