//! One row: its loads armed, fired at one instant from this process, and collected.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::future::join_all;
use jiff::Timestamp;

use super::Event;
use super::mapping::way_to_service;
use super::progress::Watch;
use super::samples::Samples;
use crate::agents::fire;
use crate::agents::refusal::Refusal;
use crate::api::Reason;
use crate::engine::http::address::AddressRules;
use crate::engine::pace::schedule::Share;
use crate::engine::{Armed, Start, Stop};
use crate::plan::{GeneratorInput, ObservedRow};
use crate::results::gathered::collect::{GeneratorOutcome, GeneratorReport};

/// From arming to the first request.
const AHEAD: Duration = Duration::from_millis(100);
/// How often people are told where the row stands.
const LOOK: Duration = Duration::from_millis(500);

/// What the loads of a row left.
pub struct Fired {
    /// First request due, milliseconds since the epoch.
    pub start_ms: i64,
    /// By the position of the load.
    pub outcomes: Vec<(u32, GeneratorOutcome)>,
}

/// Sends a row. `rows`: of how many; `end`: no request goes on after it.
///
/// # Errors
/// A load that can't be sent; then nothing was.
pub async fn fire_row(
    input: &GeneratorInput,
    env: &BTreeMap<String, String>,
    (rows, end): (usize, Instant),
    samples: &Samples,
    stop: &Stop,
    tell: &mut impl FnMut(Event<'_>),
) -> Result<Fired, Refusal> {
    let constants = fire::constants(input, env)?;
    let mut armed: Vec<Armed> = Vec::new();
    for (position, load) in input.loads.iter().enumerate() {
        let share = Share::whole(&input.loads, position);
        let one = fire::arm(load, share, &constants, &AddressRules::Any, 1).await;
        let one = one.map_err(|refusal| from_here(refusal, &load.url))?;
        armed.push(one.excusing(&input.excused));
    }
    let ahead_ms = i64::try_from(AHEAD.as_millis()).unwrap_or(0);
    let start = Start { at: Instant::now() + AHEAD, wall_ms: Timestamp::now().as_millisecond() + ahead_ms };
    samples.row(ObservedRow { row: input.row, start_ms: Some(start.wall_ms), end_ms: None });
    let mut watch = Watch::new(&input.loads, &armed, (input.row, rows), start.at);
    let told = async {
        loop {
            tokio::time::sleep(LOOK).await;
            tell(Event::Loading(&watch.look()));
        }
    };
    let runs = join_all(
        armed.iter().zip(&input.loads).map(|(one, load)| fire::run(one, &load.stops, start, stop.clone(), Some(end))),
    );
    let records = tokio::select! {
        records = runs => records,
        () = told => unreachable!("it is told for ever"),
    };
    tell(Event::Loaded);
    let ended = Timestamp::now().as_millisecond();
    samples.row(ObservedRow { row: input.row, start_ms: Some(start.wall_ms), end_ms: Some(ended) });
    let outcome = |(index, record)| {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let header = fire::header(input, index, start, 0);
        (index, GeneratorOutcome::Complete(GeneratorReport { header, loads: vec![record] }))
    };
    Ok(Fired { start_ms: start.wall_ms, outcomes: records.into_iter().enumerate().map(outcome).collect() })
}

/// A host without an address is mostly a Service, whose name is known in its cluster only.
fn from_here(refusal: Refusal, url: &str) -> Refusal {
    match way_to_service(url) {
        Some(way) if refusal.reason == Reason::ServiceNotFound => {
            Refusal { message: format!("{}. {way}", refusal.message), ..refusal }
        }
        _ => refusal,
    }
}
