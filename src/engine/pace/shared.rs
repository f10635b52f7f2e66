//! What all threads of a load share: its steps, how far it may still go, and which iterations failed.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

use super::excuse::Excuses;
use super::iteration::Iteration;
use crate::api::ConnectionUse;
use crate::engine::http::connector::Connector;
use crate::engine::http::failure::Failure;
use crate::engine::http::jar::Place;
use crate::engine::http::request::Step;
use crate::engine::measure::elapsed::Elapsed;
use crate::engine::measure::outages::Outages;
use crate::plan::{Flow, LoadInput, StepInput};

/// How far a load may still go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Running,
    /// No new requests.
    Stopping,
    /// No open requests either.
    Cut,
}

/// What all threads of a load share.
pub struct Shared {
    pub connector: Connector,
    pub steps: Vec<Step>,
    /// The way through them; `None`: one request, and that is all.
    pub flow: Option<Flow>,
    /// Requests of an iteration.
    pub requests: u64,
    /// Values that an iteration captures.
    pub slots: usize,
    /// Each iteration begins with a new connection.
    pub fresh: bool,
    /// Set once, when the load begins.
    start: OnceLock<Instant>,
    /// Set once, before the load begins.
    pub excuses: OnceLock<Excuses>,
    /// Of a rate: iterations that failed.
    outages: Mutex<Outages>,
    /// The same as in `phase`; asked before every request.
    stopping: AtomicBool,
    phase: watch::Sender<Phase>,
}

impl Shared {
    /// For a load that is not running yet. `steps` were made from `load`; `slots`: values that an iteration captures.
    pub fn new(connector: Connector, steps: Vec<Step>, load: &LoadInput, slots: usize) -> Self {
        let inputs = &load.steps;
        let flow = Flow::new(inputs);
        let requests = flow.requests();
        let several =
            |step: &StepInput| step.until.is_some() || step.pause_milliseconds > 0 || !step.capture.is_empty();
        let flow = (requests > 1 || inputs.iter().any(several)).then_some(flow);
        let phase = watch::Sender::new(Phase::Running);
        Self {
            connector,
            steps,
            flow,
            requests,
            slots,
            fresh: load.connection == ConnectionUse::PerIteration,
            start: OnceLock::new(),
            excuses: OnceLock::new(),
            outages: Mutex::new(Outages::default()),
            stopping: AtomicBool::new(false),
            phase,
        }
    }

    /// Its times count from here. The first one that is named stands.
    pub fn begin(&self, start: Instant) {
        self.start.get_or_init(|| start);
    }

    /// What its times count from.
    #[inline]
    pub fn start(&self) -> Instant {
        *self.start.get_or_init(Instant::now)
    }

    /// An instant as a time of the load.
    #[inline]
    pub fn elapsed(&self, now: Instant) -> Elapsed {
        Elapsed::between(self.start(), now)
    }

    /// What was found out about iterations that failed.
    pub fn outages(&self) -> MutexGuard<'_, Outages> {
        self.outages.lock()
    }

    /// How a request of an iteration ended, where `failure` keeps it from being good by itself.
    #[cold]
    pub fn failed(
        &self,
        iteration: &Iteration,
        position: usize,
        times: (Elapsed, Elapsed),
        failure: Failure,
    ) -> (Result<u64, Failure>, bool) {
        // What we cut off ourselves is no outage of theirs.
        if let Some(number) = iteration.number.filter(|_| failure != Failure::Cut) {
            self.outages().failed(number);
        }
        match self.excuses.get() {
            Some(excuses) => excuses.outcome(times, failure, self.steps[position].during.as_ref()),
            None => (Err(failure), false),
        }
    }

    /// Goes on to a later phase; never back.
    pub fn enter(&self, phase: Phase) {
        self.stopping.store(true, Ordering::Relaxed);
        self.phase.send_if_modified(|known| {
            let later = *known < phase;
            *known = (*known).max(phase);
            later
        });
    }

    /// Whether no new requests are to be sent.
    #[inline]
    pub fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Several steps are one client's way through the application, with its cookies; a single request only where one of them is asked for.
    #[inline]
    pub fn is_journey(&self) -> bool {
        self.steps.len() > 1 || self.steps.iter().any(|step| step.judge.takes_cookies())
    }

    /// What cookies look at, of a request for `path`.
    pub fn place<'a>(&'a self, path: &'a str) -> Place<'a> {
        let target = self.connector.target();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Place { host: &target.host, tls: target.tls, path, now: i64::try_from(now).unwrap_or(i64::MAX) }
    }

    /// Waits for a phase or a later one.
    pub async fn reached(&self, phase: Phase) {
        // The sender lives as long as we do, so this ends only by the phase.
        let _ = self.phase.subscribe().wait_for(|now| *now >= phase).await;
    }
}
