//! The waits around a row: until the work is done, and the quiet time.

use std::time::{Duration, Instant};

use super::samples::Samples;
use super::{Event, stopped};
use crate::api::{LoadTestSpec, Reason};
use crate::engine::Stop;
use crate::results::figures::drain::is_down;
use crate::results::judged::verdict::EarlyEnd;

/// How often a wait looks.
const LOOK: Duration = Duration::from_millis(200);

/// Waits until settle.until holds by a value that was measured since `from_ms`, if it is asked for.
///
/// # Errors
/// It did not hold in time, the run's total time was over, or the test was stopped.
pub async fn drain(
    spec: &LoadTestSpec,
    samples: &Samples,
    from_ms: i64,
    end: Instant,
    stop: &Stop,
    tell: &mut impl FnMut(Event<'_>),
) -> Result<(), EarlyEnd> {
    let settle = spec.settle.clone().unwrap_or_default();
    let Some(until) = &settle.until else { return still_going(stop) };
    let name = &until.measurement.0;
    let patience = Duration::from_secs(u64::try_from(settle.timeout_seconds).unwrap_or(0));
    let patience = (Instant::now() + patience).min(end);
    loop {
        still_going(stop)?;
        let values = samples.since(from_ms);
        let newest = values.iter().rev().find_map(|sample| sample.m.get(name).copied());
        if newest.is_some_and(|value| is_down(until, value)) {
            return Ok(());
        }
        let lost = values.iter().rev().find_map(|sample| sample.lost.get(name));
        let said = match (newest, lost) {
            (Some(value), _) => format!("{name} is {value}; waiting until it is at most {}", until.at_most),
            (None, Some(why)) => format!("{name} does not answer: {why}"),
            (None, None) => format!("waiting for {name}"),
        };
        if Instant::now() >= patience {
            let reason = if patience == end { Reason::DeadlineExceeded } else { Reason::DrainTimeout };
            return Err(EarlyEnd { reason, message: said });
        }
        tell(Event::Waiting(&said));
        tokio::time::sleep(LOOK).await;
    }
}

/// The quiet time after a load. Behind the last row it is only waited when something is sampled in it.
///
/// # Errors
/// The test was stopped.
pub async fn quiet(
    spec: &LoadTestSpec,
    last: bool,
    samples: &Samples,
    stop: &Stop,
    tell: &mut impl FnMut(Event<'_>),
) -> Result<(), EarlyEnd> {
    let seconds = spec.settle.clone().unwrap_or_default().seconds;
    let over = Instant::now() + Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    while Instant::now() < over && !(last && samples.is_empty()) {
        still_going(stop)?;
        let left = over.saturating_duration_since(Instant::now()).as_secs_f64().ceil();
        tell(Event::Waiting(&format!("quiet for {left} s")));
        tokio::time::sleep(LOOK).await;
    }
    still_going(stop)
}

fn still_going(stop: &Stop) -> Result<(), EarlyEnd> {
    if stop.is_requested() { Err(stopped()) } else { Ok(()) }
}
