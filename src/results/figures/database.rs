//! PostgreSQL's figures over a row, from the observer's samples of each second.

use crate::api::{DatabaseFigure, DatabaseSource, Statistics};

use super::decimal::decimal;
use crate::results::gathered::sample::{PostgresSample, Sample};

/// The observer samples PostgreSQL so often, milliseconds.
pub const SAMPLE_MS: i64 = 1_000;
/// It tries a new connection so often, milliseconds.
pub const CONNECT_MS: i64 = 5_000;
/// A row has at most about so many samples; longer rows are sampled less often.
const MOST_SAMPLES: i64 = 3_600;

/// When what is measured happens; milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First counted request due.
    pub start_ms: i64,
    /// Last request answered or given up.
    pub end_ms: i64,
    /// Settle time over; absent: it isn't.
    pub settled_ms: Option<i64>,
}

impl Window {
    /// How many points there should be, one each `interval_ms` from start to end; at least one.
    pub fn expected(&self, interval_ms: i64) -> i32 {
        let points = (self.end_ms - self.start_ms) / interval_ms.max(1);
        i32::try_from(points.clamp(1, 10_000_000)).unwrap_or(1)
    }

    /// Milliseconds between two samples of PostgreSQL in a row of this length.
    pub fn sample_interval(&self) -> i64 {
        interval(self.end_ms - self.start_ms)
    }

    /// Milliseconds between two samples at the end of the settle time: what waits for hours is sampled less often, too.
    fn settling_interval(&self) -> i64 {
        self.settled_ms.map_or(SAMPLE_MS, |settled| interval(settled - self.start_ms))
    }
}

/// Milliseconds between two samples after so long a time.
fn interval(length_ms: i64) -> i64 {
    ((length_ms.max(0) + MOST_SAMPLES * SAMPLE_MS - 1) / (MOST_SAMPLES * SAMPLE_MS)).max(1) * SAMPLE_MS
}

/// Values at instants, in order of time.
pub type Values = Vec<(i64, f64)>;

/// Mean, smallest, largest, value at the end of the load and of the settle time; with the points it rests on.
///
/// Points closer together than half the interval count once: a burst is no coverage. `last` and `settled` need a value
/// within two intervals of that instant.
pub fn statistics(values: &[(i64, f64)], window: &Window, interval_ms: i64) -> Statistics {
    let inside: Vec<(i64, f64)> = values
        .iter()
        .copied()
        .filter(|(t, v)| (window.start_ms..=window.end_ms).contains(t) && v.is_finite())
        .collect();
    let expected = window.expected(interval_ms);
    let mut points = 0;
    let mut counted = i64::MIN / 2;
    for (t, _) in &inside {
        if t - counted >= interval_ms / 2 {
            counted = *t;
            points += 1;
        }
    }
    let near = |at: i64, from: i64, slack: i64| {
        values.iter().rev().find(|(t, v)| *t <= at && *t > from && at - t <= slack && v.is_finite()).map(|(_, v)| *v)
    };
    let slack = (2 * interval_ms).max(2_000);
    let settling = slack.max(2 * window.settling_interval());
    let all = || inside.iter().map(|(_, v)| *v);
    Statistics {
        average: decimal(all().sum::<f64>() / inside.len() as f64),
        minimum: all().reduce(f64::min).and_then(decimal),
        maximum: all().reduce(f64::max).and_then(decimal),
        last: near(window.end_ms, window.start_ms - 1, slack).and_then(decimal),
        settled: window.settled_ms.and_then(|at| near(at, window.end_ms, settling)).and_then(decimal),
        points: Some(points.min(expected)),
        expected: Some(expected),
    }
}

/// All figures that the samples hold, and sentences about what is missing.
///
/// `limit` is the most connections the server allows. A figure of which there is no value at all is left out.
pub fn database_figures(samples: &[Sample], window: &Window, limit: Option<i32>) -> (Vec<DatabaseFigure>, Vec<String>) {
    let mut seen: Vec<(i64, &PostgresSample)> = samples.iter().filter_map(|s| Some((s.t, s.pg.as_ref()?))).collect();
    seen.sort_by_key(|(t, _)| *t);
    let interval = window.sample_interval();
    let mut figures = Figures { window, interval, list: Vec::new(), notes: Vec::new() };
    figures.sessions(&seen, limit);
    figures.connecting(&seen);
    figures.counters(&seen);
    (figures.list, figures.notes)
}

struct Figures<'a> {
    window: &'a Window,
    interval: i64,
    list: Vec<DatabaseFigure>,
    notes: Vec<String>,
}

type Seen<'a> = [(i64, &'a PostgresSample)];
type Counter = fn(&PostgresSample) -> Option<i64>;
/// An instant and what was counted until then.
type Counted = (i64, i64);

impl Figures<'_> {
    fn add(&mut self, name: &str, values: Values, interval: i64) {
        let statistics = statistics(&values, self.window, interval);
        if statistics.points > Some(0) || statistics.settled.is_some() {
            self.list.push(figure(name, statistics));
        }
    }

    fn each(&mut self, name: &str, seen: &Seen, value: impl Fn(&PostgresSample) -> Option<f64>) {
        let values = seen.iter().filter_map(|(t, s)| Some((*t, value(s)?))).collect();
        self.add(name, values, self.interval);
    }

    fn sessions(&mut self, seen: &Seen, limit: Option<i32>) {
        if seen.iter().any(|(t, s)| *t >= self.window.start_ms && s.active.is_none()) {
            let text =
                "PostgreSQL hides what other users' sessions do: grant pg_monitor to the user of database.postgres";
            self.notes.push(text.into());
        }
        self.each("connections", seen, |s| Some(s.connections.into()));
        if let Some(limit) = limit.filter(|l| *l > 0) {
            self.each("connectionsPercent", seen, |s| Some(f64::from(s.connections) * 100.0 / f64::from(limit)));
        }
        self.each("activeSessions", seen, |s| s.active.map(f64::from));
        self.each("waitingSessions", seen, |s| s.waiting.map(f64::from));
        self.each("idleInTransaction", seen, |s| s.idle_in_transaction.map(f64::from));
        self.each("lockWaitPercent", seen, |s| share(s.lock?, s.active?));
        self.each("lwlockWaitPercent", seen, |s| share(s.lwlock?, s.active?));
        self.each("ioWaitPercent", seen, |s| share(s.io?, s.active?));
        self.each("clientWaitPercent", seen, |s| share(s.client?, s.active?));
        self.each("slowQueries", seen, |s| s.slow.map(f64::from));
    }

    fn connecting(&mut self, seen: &Seen) {
        let values = seen.iter().filter_map(|(t, s)| Some((*t, s.connect_ms?))).collect();
        self.add("connectMs", values, CONNECT_MS);
        let (from, mut sum) = (self.window.start_ms, 0u64);
        let refused = seen.iter().filter(|(t, _)| *t >= from).map(|(t, s)| {
            sum += u64::from(s.refused);
            (*t, sum as f64)
        });
        let refused = refused.collect();
        self.add("refusedConnections", refused, self.interval);
    }

    fn counters(&mut self, seen: &Seen) {
        let counters: [Counter; 5] =
            [|s| s.transactions, |s| s.blocks_read, |s| s.blocks_hit, |s| s.deadlocks, |s| s.temp_bytes];
        let [transactions, read, hit, deadlocks, temp] = counters.map(|of| self.counted(seen, of));
        if [&transactions, &read, &hit, &deadlocks, &temp].iter().any(|c| c.is_err()) {
            let text =
                "PostgreSQL's counters went back (restarted, or statistics reset), so what they count is missing";
            self.notes.push(text.into());
        }
        if let Ok(values) = transactions {
            let own = self.counted(seen, |s| s.own_transactions).unwrap_or_default();
            self.transactions(&without_own(&values, &own));
        }
        if let (Ok(read), Ok(hit)) = (read, hit) {
            self.cache_hits(&read, &hit);
        }
        if let Ok(values) = deadlocks {
            self.since_start("deadlocks", &values, 1.0);
        }
        if let Ok(values) = temp {
            self.since_start("tempMiB", &values, 1_048_576.0);
        }
    }

    /// A counter from the last sample before the load on. `Err`: it went back within the window.
    fn counted(&self, seen: &Seen, of: impl Fn(&PostgresSample) -> Option<i64>) -> Result<Vec<(i64, i64)>, ()> {
        let all: Vec<(i64, i64)> = seen.iter().filter_map(|(t, s)| Some((*t, of(s)?))).collect();
        let begin = all.iter().rposition(|(t, _)| *t <= self.window.start_ms).filter(|i| {
            // Older than two samples, it would count what others did before the load.
            self.window.start_ms - all[*i].0 <= 2 * self.interval
        });
        let first_inside = all.iter().position(|(t, _)| *t >= self.window.start_ms).unwrap_or(all.len());
        let end = self.window.settled_ms.unwrap_or(self.window.end_ms);
        let kept: Vec<(i64, i64)> =
            all[begin.unwrap_or(first_inside)..].iter().copied().take_while(|(t, _)| *t <= end).collect();
        if kept.windows(2).any(|w| w[1].1 < w[0].1) { Err(()) } else { Ok(kept) }
    }

    /// Per second between two samples; the average is all of them by the whole time. The server publishes a session's
    /// counts late, so ours may be taken away before they were counted: then it is 0, not less.
    fn transactions(&mut self, counted: &[(i64, i64)]) {
        let rates = counted
            .windows(2)
            .filter(|w| w[1].0 > w[0].0)
            .map(|w| (w[1].0, (w[1].1 - w[0].1).max(0) as f64 * 1000.0 / (w[1].0 - w[0].0) as f64));
        let mut statistics = statistics(&rates.collect::<Values>(), self.window, self.interval);
        statistics.average = under_load(counted, self.window)
            .and_then(|(first, last)| decimal((last.1 - first.1).max(0) as f64 * 1000.0 / (last.0 - first.0) as f64));
        if statistics.points > Some(0) {
            self.list.push(figure("transactionsPerSecond", statistics));
        }
    }

    /// Hits of all blocks asked for between two samples; the average is over all blocks. No blocks: no percentage.
    fn cache_hits(&mut self, read: &[(i64, i64)], hit: &[(i64, i64)]) {
        let ratio = |hits: i64, reads: i64| Some(hits as f64 * 100.0 / Some(hits + reads).filter(|n| *n > 0)? as f64);
        let pairs: Vec<(i64, i64, i64)> =
            read.iter().zip(hit).filter(|(r, h)| r.0 == h.0).map(|(r, h)| (r.0, r.1, h.1)).collect();
        let values: Values =
            pairs.windows(2).filter_map(|w| Some((w[1].0, ratio(w[1].2 - w[0].2, w[1].1 - w[0].1)?))).collect();
        let seen: Values = pairs.iter().skip(1).map(|p| (p.0, 0.0)).collect();
        let mut figures = statistics(&values, self.window, self.interval);
        // A second in which no block was asked for was seen all the same.
        figures.points = statistics(&seen, self.window, self.interval).points;
        figures.average = under_load(read, self.window)
            .zip(under_load(hit, self.window))
            .and_then(|(r, h)| ratio(h.1.1 - h.0.1, r.1.1 - r.0.1))
            .and_then(decimal);
        if figures.average.is_some() {
            self.list.push(figure("cacheHitPercent", figures));
        }
    }

    /// How much was counted since the load began, at each instant: `last` and `maximum` are all of it.
    fn since_start(&mut self, name: &str, counted: &[(i64, i64)], unit: f64) {
        let Some((_, base)) = counted.first().copied() else {
            return;
        };
        let values = counted.iter().map(|(t, n)| (*t, (n - base) as f64 / unit)).collect();
        self.add(name, values, self.interval);
    }
}

/// The server's transactions without the observer's, where it said how many those were.
fn without_own(all: &[Counted], own: &[Counted]) -> Vec<Counted> {
    let ours = |t: &i64| own.binary_search_by_key(t, |(at, _)| *at).map_or(0, |i| own[i].1);
    all.iter().map(|(t, n)| (*t, n - ours(t))).collect()
}

/// First and last count under load, where that is a time.
fn under_load(counted: &[Counted], window: &Window) -> Option<(Counted, Counted)> {
    let first = *counted.first()?;
    let last = *counted.iter().rev().find(|(t, _)| *t <= window.end_ms)?;
    (last.0 > first.0).then_some((first, last))
}

/// Nobody is active: then nobody waits.
fn share(part: u32, active: u32) -> Option<f64> {
    Some(if active == 0 { 0.0 } else { f64::from(part) * 100.0 / f64::from(active) })
}

fn figure(name: &str, statistics: Statistics) -> DatabaseFigure {
    DatabaseFigure { name: name.into(), source: DatabaseSource::PostgreSql, statistics }
}

#[cfg(test)]
#[path = "database_tests.rs"]
mod tests;
