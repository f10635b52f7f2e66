//! One load's share, armed and then run from a start to an end, whatever the target does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::address::AddressRules;
use super::connection::{Connection, Connector};
use super::jar::Jar;
use super::pacer::{Pacer, wait_until};
use super::recorder::{Recorder, Snapshot};
use super::request::{Step, StepError};
use super::resolve::{Address, ResolveError};
use super::schedule::{Closed, Open, Schedule, Share};
use super::stop::Stop;
use super::template::{Constants, Numbers};
use super::tls::{TlsError, client_config};
use super::worker::{Client, Iteration, Shared};
use crate::plan::{LoadInput, worst_case_seconds};
use crate::results::record::LoadRecord;

/// Open requests may go on so long after a stop.
const AFTER_STOP: Duration = Duration::from_secs(5);
/// The last timeout ends a little after the worst case, because its request was sent a little after it was due.
const LAST_TIMEOUT: Duration = Duration::from_secs(1);
/// A load ends at the latest so long after its worst case.
const GRACE: Duration = Duration::from_secs(30);

/// The word of a load that ran into its end.
const HARD_END: &str = "hard-end";

/// Why a load can't be sent. Shows no path, query or value.
#[derive(Debug, thiserror::Error)]
pub enum ArmError {
    #[error("loads[{load}].url: {error}")]
    Resolve { load: String, error: ResolveError },
    #[error("loads[{load}].{error}")]
    Tls { load: String, error: TlsError },
    #[error("loads[{load}].url: the host can't be a name in a certificate")]
    ServerName { load: String },
    #[error(transparent)]
    Step(#[from] StepError),
}

/// The common start.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// The first request is due.
    pub at: Instant,
    /// The same instant by the wall clock, milliseconds since the epoch.
    pub wall_ms: i64,
}

/// A load's share, ready to be sent. Run it once.
pub struct Armed {
    shared: Arc<Shared>,
    schedule: Schedule,
    longest: Duration,
}

impl Armed {
    /// Checks every text, looks the host up and pins its addresses. Connects to nothing.
    ///
    /// Errors: what of the load can't be sent.
    pub async fn arm(
        load: &LoadInput,
        share: Share,
        constants: &Constants,
        rules: &AddressRules,
    ) -> Result<Self, ArmError> {
        let name = || load.name.clone();
        let resolve = |error| ArmError::Resolve { load: name(), error };
        let address = Address::parse(&load.url).map_err(resolve)?;
        let target = address.resolve(rules).await.map_err(resolve)?;
        let step = |position| Step::new(load, position, &address.path, &target, constants);
        let steps = (0..load.steps.len()).map(step).collect::<Result<Vec<_>, _>>()?;
        let tls = client_config(&load.tls).map_err(|error| ArmError::Tls { load: name(), error })?;
        let connector = Connector::new(target, tls).map_err(|_| ArmError::ServerName { load: name() })?;
        let schedule = Schedule::new(load, share);
        let names: Vec<String> = steps.iter().map(|step| step.name.clone()).collect();
        let tasks = steps.iter().any(Step::counts_tasks);
        let recorder = Recorder::new(&load.name, &names, schedule.warmup(), tasks);
        let shared = Arc::new(Shared::new(connector, steps, recorder));
        Ok(Self { shared, schedule, longest: Duration::from_secs(worst_case_seconds(load)) })
    }

    /// The counts so far, and how many requests are open.
    pub fn progress(&self) -> (Snapshot, u32) {
        (self.shared.recorder().snapshot(), self.shared.open())
    }

    /// Sends the share, from `start` to its end.
    ///
    /// Ends early when `stop` says so (no new requests; open ones have 5 s), and at `hard_end`, at the latest 30 s
    /// after the worst case (no new requests; open ones have 1 s). The record is complete in every ending: what was planned and not
    /// sent is counted as unsent.
    pub async fn run(&self, start: Start, mut stop: Stop, hard_end: Option<Instant>) -> LoadRecord {
        let shared = &self.shared;
        let latest = start.at.checked_add(self.longest.saturating_add(GRACE));
        let end = hard_end.into_iter().chain(latest).min();
        let work = self.work(start.at);
        tokio::pin!(work);
        let mut done = false;
        let stopped = tokio::select! {
            () = &mut work => { done = true; None }
            why = stop.requested() => Some((why, AFTER_STOP)),
            () = until(end) => Some((HARD_END, LAST_TIMEOUT)),
        };
        if let (false, Some((_, patience))) = (done, stopped) {
            shared.stop();
            let patience = Instant::now() + patience;
            let patience = end.map_or(patience, |end| patience.min(end + LAST_TIMEOUT));
            done = tokio::time::timeout_at(patience.into(), &mut work).await.is_ok();
        }
        let cut = !done;
        if cut {
            shared.cut();
            work.await;
        }
        self.count_the_rest();
        let mut record = shared.recorder().finish(start.wall_ms, stopped.map(|(why, _)| why));
        if stopped.is_some_and(|(why, _)| why == HARD_END) && !cut && record.unsent == 0 {
            // Nothing was missed: the last answers or timeouts just came at the end.
            record.stopped = None;
        }
        record
    }

    async fn work(&self, start: Instant) {
        match self.schedule {
            Schedule::Closed(closed) => run_closed(&self.shared, closed, start).await,
            Schedule::Open(open) => run_open(&self.shared, open, start).await,
        }
    }

    /// What a definite plan still had to send; a closed load for a time has counted its own while it ran.
    fn count_the_rest(&self) {
        let planned = match self.schedule {
            Schedule::Closed(closed) => closed.iterations.map(|each| each.saturating_mul(u64::from(closed.clients))),
            Schedule::Open(open) => Some(open.total() - open.warmup_total()),
        };
        if let Some(iterations) = planned {
            let mut recorder = self.shared.recorder();
            let counted = recorder.due();
            recorder.unsent(iterations.saturating_mul(self.shared.steps.len() as u64).saturating_sub(counted));
        }
    }
}

/// Each client goes round by itself; its next iteration is due when the last one ended.
async fn run_closed(shared: &Arc<Shared>, schedule: Closed, start: Instant) {
    tokio::select! {
        () = wait_until(start) => {}
        () = shared.stopped() => return,
    }
    let mut clients = JoinSet::new();
    for client in 0..schedule.clients {
        clients.spawn(run_client(shared.clone(), schedule, client, start));
    }
    while clients.join_next().await.is_some() {}
}

async fn run_client(shared: Arc<Shared>, schedule: Closed, client: u32, start: Instant) {
    let mut own = Client::default();
    let (mut number, mut due) = (0, Duration::ZERO);
    while schedule.begins(number, due) && !shared.stopping() {
        let numbers = Numbers { seq: schedule.seq(client, number), client: schedule.client(client) };
        let warmup = due < schedule.warmup;
        let unsent = shared.run(start, Iteration { numbers, due, warmup }, &mut own).await;
        if schedule.iterations.is_none() && !warmup {
            shared.recorder().unsent(unsent);
        }
        number += 1;
        due = start.elapsed();
    }
}

/// Connections and places that no iteration uses; what came back last goes out first.
struct Idle {
    connections: Mutex<Vec<Connection>>,
    /// With the cookies of the client at that place.
    slots: Mutex<Vec<(u32, Jar)>>,
}

/// Iterations begin when they are due, whether others wait for answers or not.
async fn run_open(shared: &Arc<Shared>, schedule: Open, start: Instant) {
    let Ok(pacer) = Pacer::start(schedule, start) else {
        return;
    };
    let slots = (0..schedule.slots).rev().map(|slot| (slot, Jar::default()));
    let idle = Arc::new(Idle { connections: Mutex::new(Vec::new()), slots: Mutex::new(slots.collect()) });
    let mut iterations = JoinSet::new();
    let mut next = 0;
    while next < schedule.total() && !shared.stopping() {
        let released = tokio::select! {
            released = pacer.released(next) => released,
            () = shared.stopped() => break,
        };
        while next < released && !shared.stopping() {
            let slot = lock(&idle.slots).pop();
            let due = schedule.due(next);
            match slot {
                None => shared.recorder().capped(shared.steps.len() as u64, due),
                Some((slot, jar)) => {
                    let numbers = Numbers { seq: schedule.seq(next), client: schedule.client(slot) };
                    let iteration = Iteration { numbers, due, warmup: due < schedule.warmup };
                    iterations.spawn(run_iteration(shared.clone(), idle.clone(), (slot, jar), start, iteration));
                }
            }
            next += 1;
        }
        while iterations.try_join_next().is_some() {}
    }
    while iterations.join_next().await.is_some() {}
}

async fn run_iteration(shared: Arc<Shared>, idle: Arc<Idle>, slot: (u32, Jar), start: Instant, iteration: Iteration) {
    let mut client = Client { connection: lock(&idle.connections).pop(), jar: slot.1 };
    shared.run(start, iteration, &mut client).await;
    if let Some(connection) = client.connection {
        lock(&idle.connections).push(connection);
    }
    lock(&idle.slots).push((slot.0, client.jar));
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
