//! The percentiles that are reported, beside what servers whose delays are scripted really did.
//!
//! A server notes for each request when it came and when its answer's last byte went out, by the same clock. So a busy
//! machine delays both sides, and what is compared is the measuring alone.

mod script;
mod server;

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use loadtest_operator::engine::Start;
use loadtest_operator::plan::Arrivals;
use loadtest_operator::results::gathered::histogram::{Micros, decode, empty, record};
use loadtest_operator::results::gathered::record::LoadRecord;
use tokio::task::JoinSet;

use self::script::SCRIPTS;
use self::server::{Done, serve};
use crate::load;
use crate::table::{Goal, Row};

const RATE: u32 = 100;
const QUANTILES: [f64; 6] = [0.1, 0.5, 0.9, 0.95, 0.99, 1.0];

/// One percentile, ours and the server's, microseconds.
#[derive(Clone, Debug)]
struct Compared {
    what: String,
    ours: u64,
    truth: u64,
}

impl Compared {
    /// Per cent of the truth.
    fn off(&self) -> f64 {
        (self.ours as f64 - self.truth as f64) * 100.0 / self.truth.max(1) as f64
    }
}

/// The percentile that is farthest from the truth.
///
/// # Errors
/// A load could not be sent, or its counts are not the server's.
pub async fn row(seconds: u32) -> Result<Row, Box<dyn Error>> {
    let (all, noise) = watched(compared(seconds)).await;
    let all = all?;
    let worst = all.iter().max_by(|a, b| a.off().abs().total_cmp(&b.off().abs())).ok_or("nothing was compared")?;
    let noisy = noise > Duration::from_millis(2);
    let mut goal = Goal::at_most(2.0, Some(worst.off().abs()));
    if noisy && goal.met == Some(false) {
        goal.met = None;
    }
    let noise =
        if noisy { format!("; noisy: a bare thread woke {} ms late", noise.as_millis()) } else { String::new() };
    Ok(Row {
        what: format!("truth: worst of {} percentiles, % off", all.len()),
        digits: 2,
        ours: Some(worst.off()),
        goal: Some(goal),
        note: format!("{}: {} us, truly {}{noise}", worst.what, worst.ours, worst.truth),
        ..Row::default()
    })
}

/// All scripts side by side.
async fn compared(seconds: u32) -> Result<Vec<Compared>, Box<dyn Error>> {
    let mut runs = JoinSet::new();
    for (name, script) in SCRIPTS {
        let (url, log) = serve(script).await?;
        runs.spawn(async move {
            let ran = measured(&url, seconds).await.map_err(|error| format!("{name}: {error}"))?;
            Ok::<_, String>((name, ran, log.all()))
        });
    }
    let mut all = Vec::new();
    while let Some(ran) = runs.join_next().await {
        let (name, (record, start), log) = ran??;
        counts_agree(name, seconds, &record, &log)?;
        let (response, service) = truth(&log, start);
        for (what, ours, truth) in [("response", &record.latency, response), ("service", &record.service, service)] {
            let ours = decode(ours)?;
            let of = |quantile: f64| Compared {
                what: format!("{name}, {what}, p{}", quantile * 100.0),
                ours: ours.value_at_quantile(quantile),
                truth: truth.value_at_quantile(quantile),
            };
            all.extend(QUANTILES.map(of));
        }
    }
    Ok(all)
}

/// A rate of 100/s with a warm-up of one second.
async fn measured(url: &str, seconds: u32) -> Result<(LoadRecord, Instant), String> {
    let arrivals = Arrivals::Rate { count: RATE, per_seconds: 1, seconds, max_in_flight: 1000 };
    let mut input = load::input(url, arrivals);
    input.warmup_seconds = 1;
    let start = Start { at: Instant::now() + Duration::from_millis(20), wall_ms: 0 };
    let record = load::send(&input, start).await.map_err(|error| error.to_string())?;
    Ok((record, start.at))
}

/// Warm-up is what was due in its time, nothing is lost, and errors are no good answers.
fn counts_agree(name: &str, seconds: u32, record: &LoadRecord, log: &BTreeMap<u64, Done>) -> Result<(), String> {
    let planned = u64::from(RATE * seconds);
    let errors = log.iter().filter(|(number, done)| **number >= u64::from(RATE) && done.status != 200).count() as u64;
    let ours =
        (record.counts.due, record.counts.sent, record.counts.warmup_sent, record.counts.failed, record.counts.ok);
    let truly = (planned, planned, u64::from(RATE), errors, planned - errors);
    if ours == truly {
        Ok(())
    } else {
        Err(format!("{name}: due, sent, warm-up, failed, ok are {ours:?}, not {truly:?}"))
    }
}

/// The counted good answers as the server saw them: response and service time in microseconds.
fn truth(log: &BTreeMap<u64, Done>, start: Instant) -> (Micros, Micros) {
    let (mut response, mut service) = (empty(), empty());
    let counted = log.iter().filter(|(number, done)| **number >= u64::from(RATE) && done.status == 200);
    for (number, done) in counted {
        let due = start + Duration::from_millis(number * 1000 / u64::from(RATE));
        record(&mut response, done.answered.saturating_duration_since(due).as_micros() as u64);
        record(&mut service, (done.answered - done.came).as_micros() as u64);
    }
    (response, service)
}

/// Runs it, and says how late a thread with nothing to do was woken beside it, at the worst.
async fn watched<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let over = Arc::new(AtomicBool::new(false));
    let told = over.clone();
    let thread = std::thread::spawn(move || {
        let mut worst = Duration::ZERO;
        while !told.load(Ordering::Relaxed) {
            let wake = Instant::now() + Duration::from_millis(2);
            std::thread::sleep(Duration::from_millis(2));
            worst = worst.max(wake.elapsed());
        }
        worst
    });
    let done = work.await;
    over.store(true, Ordering::Relaxed);
    (done, thread.join().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On a busy machine an answer may lie in the socket before anyone reads it, which no server can note. So what is
    /// allowed above the truth is what a thread with nothing to do was late in the same seconds.
    #[tokio::test]
    async fn every_percentile_is_what_the_server_did_never_less() {
        let (all, noise) = watched(compared(3)).await;
        let allowed = 10_000 + 3 * u64::try_from(noise.as_micros()).unwrap();
        let all = all.unwrap();
        assert_eq!(all.len(), SCRIPTS.len() * 2 * QUANTILES.len());
        for Compared { what, ours, truth } in all {
            // Three digits of the histogram.
            assert!(ours + ours / 500 + 1 >= truth, "{what} is {ours} us, truly {truth}");
            assert!(ours <= truth + truth / 50 + allowed, "{what} is {ours} us, truly {truth}, allowed {allowed} more");
        }
    }
}
