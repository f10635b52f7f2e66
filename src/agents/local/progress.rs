//! Where a row stands, for people who watch.

use std::time::{Duration, Instant};

use crate::engine::Armed;
use crate::plan::{Arrivals, Flow, LoadInput};
use crate::results::gathered::histogram::{self, Micros};

/// A row under load, all loads together.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Number of the row, and of how many.
    pub row: i32,
    pub rows: usize,
    /// Since the first request was due.
    pub elapsed: Duration,
    /// What the longest load takes, warm-up included, where it ends by time.
    pub whole: Option<Duration>,
    /// It is still warming up: nothing counts yet.
    pub warming_up: bool,
    pub sent: u64,
    pub failed: u64,
    /// Requests that wait for an answer.
    pub open: u64,
    /// Requests that will be sent in all, where that is known.
    pub planned: Option<u64>,
    /// Requests a second since the last look; `None` at the first.
    pub rate: Option<f64>,
    /// Microseconds from due to answered, good answers only.
    pub latency: Micros,
}

/// Looks at the loads of a row again and again.
pub struct Watch<'a> {
    loads: &'a [LoadInput],
    armed: &'a [Armed],
    row: i32,
    rows: usize,
    start: Instant,
    last: Option<(Instant, u64)>,
}

impl<'a> Watch<'a> {
    /// The loads of a row whose first request is due at `start`.
    pub fn new(loads: &'a [LoadInput], armed: &'a [Armed], row: (i32, usize), start: Instant) -> Self {
        Self { loads, armed, row: row.0, rows: row.1, start, last: None }
    }

    /// How it stands now.
    pub fn look(&mut self) -> Progress {
        let now = Instant::now();
        let (mut sent, mut warm, mut failed, mut open, mut latency) = (0, 0, 0, 0, histogram::empty());
        for armed in self.armed {
            let (snapshot, waiting) = armed.progress();
            sent += snapshot.counts.sent;
            warm += snapshot.counts.warmup_sent;
            failed += snapshot.counts.failed;
            open += u64::from(waiting);
            // The same bounds everywhere, so adding can't fail.
            let _ = latency.add(&snapshot.latency);
        }
        let all = sent + warm;
        let rate = self.last.map(|(at, before)| {
            #[allow(clippy::cast_precision_loss)] // for people
            let more = all.saturating_sub(before) as f64;
            more / now.duration_since(at).as_secs_f64().max(0.001)
        });
        self.last = Some((now, all));
        Progress {
            row: self.row,
            rows: self.rows,
            elapsed: now.saturating_duration_since(self.start),
            whole: self.loads.iter().map(whole).max().flatten(),
            warming_up: warm > 0 && sent == 0,
            sent,
            failed,
            open,
            planned: self.loads.iter().map(planned).sum(),
            rate,
            latency,
        }
    }
}

fn whole(load: &LoadInput) -> Option<Duration> {
    let seconds = match load.arrivals {
        Arrivals::Iterations { .. } => return None,
        Arrivals::Seconds { seconds, .. } | Arrivals::Rate { seconds, .. } => seconds,
    };
    let before = u64::from(load.start_after_seconds) + u64::from(load.warmup_seconds);
    Some(Duration::from_secs(before + u64::from(seconds)))
}

fn planned(load: &LoadInput) -> Option<u64> {
    match load.arrivals {
        Arrivals::Iterations { clients, iterations_per_client } => {
            let each = iterations_per_client.saturating_mul(Flow::new(&load.steps).requests());
            Some(u64::from(clients).saturating_mul(each))
        }
        _ => None,
    }
}
