//! A closed load: each client goes round by itself; its next iteration is due when the last one ended.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::iteration::Iteration;
use super::schedule::Closed;
use super::shared::Phase;
use super::timer::wait_until;
use super::worker::{Client, Worker};
use crate::engine::http::template::Numbers;
use crate::engine::measure::elapsed::Elapsed;

/// Runs every `lanes`-th client from `first` on, until all of them are through.
pub async fn run(worker: Arc<Worker>, schedule: Closed, (first, lanes): (u32, u32)) {
    tokio::select! {
        () = wait_until(worker.shared.start()) => {}
        () = worker.shared.reached(Phase::Stopping) => return,
    }
    let round = Round { worker, schedule };
    let clients = (first..schedule.clients).step_by(lanes as usize);
    // Not tasks of their own: ten thousand of those are a megabyte more.
    let mut clients: FuturesUnordered<_> = clients.map(|client| go_round(&round, client)).collect();
    tokio::task::unconstrained(async { while clients.next().await.is_some() {} }).await;
}

/// What all clients of a lane share, so that none of them carries it.
struct Round {
    worker: Arc<Worker>,
    schedule: Closed,
}

impl Round {
    /// A client's next iteration; `None`: it is through.
    fn next(&self, client: u32, number: u64, due: Elapsed) -> Option<Iteration> {
        let schedule = &self.schedule;
        if !schedule.begins(number, due) || self.worker.shared.stopping() {
            return None;
        }
        let numbers = Numbers { seq: schedule.seq(client, number), client: schedule.client(client) };
        Some(Iteration { numbers, due, warmup: due < schedule.warmup, number: None })
    }
}

async fn go_round(round: &Round, client: u32) {
    let mut own = Client::default();
    let (mut number, mut due) = (0, Elapsed::ZERO);
    while let Some(iteration) = round.next(client, number, due) {
        let ran = round.worker.run(&iteration, &mut own).await;
        if round.schedule.iterations.is_none() && !iteration.warmup {
            round.worker.recorder().unsent(ran.unsent);
        }
        number += 1;
        due = ran.end;
    }
}
