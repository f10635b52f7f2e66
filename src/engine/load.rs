//! One load's share, armed and then run from a start to an end, whatever the target does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;

use super::descriptors;
use super::http::address::AddressRules;
use super::http::connector::Connector;
use super::http::request::{Step, StepError};
use super::http::resolve::{Address, ResolveError};
use super::http::template::Constants;
use super::http::tls::{TlsError, client_config};
use super::measure::recorder::Recorder;
use super::measure::snapshot::Snapshot;
use super::pace::excuse::Excuses;
use super::pace::lane::{self, Lane};
use super::pace::open::Slots;
use super::pace::schedule::{Schedule, Share};
use super::pace::shared::{Phase, Shared};
use super::pace::stop::Stop;
use super::pace::worker::Worker;
use crate::plan::{ExcusedInput, LoadInput, StepInput, worst_case_seconds};
use crate::results::gathered::record::LoadRecord;
use crate::results::gathered::recovery::RecoveryRecord;

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
    #[error(
        "loads[{load}]: {wanted} connections at once are too many for this process, which may have {room}; raise its \
         limit of open files (ulimit -n), or use more generators"
    )]
    Descriptors { load: String, wanted: u32, room: u64 },
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
    workers: Vec<Arc<Worker>>,
    schedule: Schedule,
    /// From the row's start to this load's.
    after: Duration,
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
        let constants = constants.capturing(captured_names(&load.steps));
        let step = |position| Step::new(load, position, &address.path, &target, &constants);
        let steps = (0..load.steps.len()).map(step).collect::<Result<Vec<_>, _>>()?;
        let tls = client_config(&load.tls).map_err(|error| ArmError::Tls { load: name(), error })?;
        let connector = Connector::new(target, tls).map_err(|_| ArmError::ServerName { load: name() })?;
        let schedule = Schedule::new(load, share);
        let wanted = schedule.connections();
        descriptors::make_room(wanted).map_err(|room| ArmError::Descriptors { load: name(), wanted, room })?;
        let tasks = steps.iter().any(|step| step.judge.counts_tasks());
        let recorder = Recorder::new(&load.name, &load.steps, schedule.warmup(), tasks);
        let shared = Arc::new(Shared::new(connector, steps, load, constants.slots()));
        let worker = |_| Arc::new(Worker::new(shared.clone(), recorder.clone()));
        let workers = (0..schedule.lanes(cores())).map(worker).collect();
        let after = Duration::from_secs(u64::from(load.start_after_seconds));
        Ok(Self { shared, workers, schedule, after, longest: Duration::from_secs(worst_case_seconds(load)) })
    }

    /// With the times of actions, which explain failures.
    pub fn excusing(self, windows: &[ExcusedInput]) -> Self {
        if !windows.is_empty() {
            let excuses = Excuses { windows: windows.to_vec(), after: self.after };
            self.shared.excuses.get_or_init(|| excuses);
        }
        self
    }

    /// The counts so far, and how many requests are open.
    pub fn progress(&self) -> (Snapshot, u32) {
        let mut all = self.workers[0].recorder().snapshot();
        self.workers[1..].iter().for_each(|worker| all.add(&worker.recorder().snapshot()));
        (all, self.workers.iter().map(|worker| worker.open()).sum())
    }

    /// Sends the share, from `start`, the row's, to its end.
    ///
    /// Ends early when `stop` says so (no new requests; open ones have 5 s), and at `hard_end`, at the latest 30 s
    /// after the worst case (no new requests; open ones have 1 s). The record is complete in every ending: what was
    /// planned and not sent is counted as unsent. Dropped, it sends nothing more.
    pub async fn run(&self, start: Start, mut stop: Stop, hard_end: Option<Instant>) -> LoadRecord {
        let shared = &self.shared;
        let _cut = CutWhenDropped(shared);
        let latest = start.at.checked_add(self.longest.saturating_add(GRACE));
        let end = hard_end.into_iter().chain(latest).min();
        let after_ms = i64::try_from(self.after.as_millis()).unwrap_or(i64::MAX / 4);
        let own = Start { at: start.at + self.after, wall_ms: start.wall_ms + after_ms };
        shared.begin(own.at);
        let work = join_all(self.spawn());
        tokio::pin!(work);
        let mut done = false;
        let stopped = tokio::select! {
            _ = &mut work => { done = true; None }
            why = stop.requested() => Some((why, AFTER_STOP)),
            () = until(end) => Some((HARD_END, LAST_TIMEOUT)),
        };
        if let (false, Some((_, patience))) = (done, stopped) {
            shared.enter(Phase::Stopping);
            let patience = Instant::now() + patience;
            let patience = end.map_or(patience, |end| patience.min(end + LAST_TIMEOUT));
            done = tokio::time::timeout_at(patience.into(), &mut work).await.is_ok();
        }
        let cut = !done;
        if cut {
            shared.enter(Phase::Cut);
            work.await;
        }
        let mut record = written_down(self.counts(), own.wall_ms, stopped.map(|(why, _)| why)).await;
        record.recovery = self.recovery(own);
        if self.shared.excuses.get().is_some() {
            record.counts.excused.get_or_insert(0);
        }
        if stopped.is_some_and(|(why, _)| why == HARD_END) && !cut && record.counts.unsent == 0 {
            // Nothing was missed: the last answers or timeouts just came at the end.
            record.stopped = None;
        }
        record
    }

    /// The outages of a load with a rate; over by now.
    fn recovery(&self, start: Start) -> Option<RecoveryRecord> {
        let Schedule::Open(open) = self.schedule else { return None };
        let windows = self.shared.excuses.get().map_or(&[][..], |excuses| &excuses.windows);
        let due = |number| open.due(number);
        let start = (self.after, start.wall_ms);
        Some(self.shared.outages().finish(due, open.warmup_total(), start, windows))
    }

    /// A thread for each worker.
    fn spawn(&self) -> Vec<tokio::sync::oneshot::Receiver<()>> {
        let lanes = self.workers.len() as u32;
        let slots = match self.schedule {
            Schedule::Closed(_) => 0,
            Schedule::Open(open) => open.slots,
        };
        let slots = Arc::new(Slots::new(slots, self.workers.len()));
        let lane = |lane: u32| match self.schedule {
            Schedule::Closed(schedule) => Lane::Closed { schedule, first: lane, lanes },
            Schedule::Open(open) => {
                Lane::Open { schedule: open.lane(lane, lanes), slots: slots.clone(), lane: lane as usize }
            }
        };
        self.workers.iter().zip(0..).map(|(worker, n)| lane::spawn(worker.clone(), lane(n))).collect()
    }

    /// The counts of all threads. With them goes what a definite plan still had to send; a closed load for a time has
    /// counted its own while it ran.
    fn counts(&self) -> Recorder {
        let mut all = self.workers[0].recorder().clone();
        self.workers[1..].iter().for_each(|worker| all.merge(&worker.recorder()));
        let planned = match self.schedule {
            Schedule::Closed(closed) => closed.iterations.map(|each| each.saturating_mul(u64::from(closed.clients))),
            Schedule::Open(open) => Some(open.total() - open.warmup_total()),
        };
        if let Some(iterations) = planned {
            all.unsent(iterations.saturating_mul(self.shared.requests).saturating_sub(all.reached()));
        }
        all
    }
}

/// The record, made by another thread: it takes milliseconds of processor time, which the other loads here must not lose.
/// And a new thread is given the memory that the lanes' have left, while this one would ask for more.
async fn written_down(counts: Recorder, wall_ms: i64, stopped: Option<&'static str>) -> LoadRecord {
    let record = tokio::task::spawn_blocking(move || counts.finish(wall_ms, stopped)).await;
    record.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// What the steps capture, each name once.
fn captured_names(steps: &[StepInput]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for capture in steps.iter().flat_map(|step| &step.capture) {
        if !names.contains(&capture.name) {
            names.push(capture.name.clone());
        }
    }
    names
}

/// A load that nobody waits for any more must not go on.
struct CutWhenDropped<'a>(&'a Shared);

impl Drop for CutWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.enter(Phase::Cut);
    }
}

/// Cores that this process may use: those of its cgroup's quota, too.
fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX))
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
