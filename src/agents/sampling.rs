//! The sources of a test, asked once a second: by the observer pod, and by a test without a cluster.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{MissedTickBehavior, interval};

use super::refusal::Refusal;
use crate::evidence::live::Sources;
use crate::plan::ObservedRow;
use crate::results::gathered::sample::ObserverLine;

/// Before the first row.
pub const BEFORE_ROWS: ObservedRow = ObservedRow { row: 0, start_ms: None, end_ms: None };

/// Asks the sources once a second until `told` refuses. `row` says which row it is, `None`: still the last one known.
/// `told` gets what was answered since the last second, and how many sources were asked now.
pub async fn sample(
    sources: &mut Sources,
    mut row: impl FnMut() -> Option<ObservedRow>,
    mut told: impl FnMut(&[ObserverLine], usize) -> Result<(), Refusal>,
) -> Refusal {
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut known = BEFORE_ROWS;
    loop {
        ticks.tick().await;
        let lines = sources.answered();
        known = row().unwrap_or(known);
        let asked = sources.ask(Timestamp::now().as_millisecond(), &known);
        if let Err(refusal) = told(&lines, asked) {
            return refusal;
        }
    }
}
