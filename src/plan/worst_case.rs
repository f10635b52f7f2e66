//! How long a load takes, at least and at most.

use super::flow::Flow;
use super::generator_input::{Arrivals, LoadInput};
use super::step_input::StepInput;
use crate::api::Load;

/// Seconds that a load takes even if every answer came at once.
pub fn least_seconds(load: &Load) -> i64 {
    [load.start_after_seconds, load.warmup_seconds, load.duration_seconds].into_iter().flatten().map(i64::from).sum()
}

/// For a last timeout to end and be counted.
const SLACK: u64 = 5;

/// Seconds after its start when no request of the load can be open any more, every timeout used up.
pub fn worst_case_seconds(load: &LoadInput) -> u64 {
    let flow = Flow::new(&load.steps);
    let all = |(position, step)| flow.each(position).saturating_mul(most_milliseconds(step));
    let iteration = load.steps.iter().enumerate().map(all).fold(0, u64::saturating_add).div_ceil(1000);
    let warmup = u64::from(load.warmup_seconds);
    let whole = match load.arrivals {
        Arrivals::Iterations { iterations_per_client, .. } => {
            warmup.saturating_add(iterations_per_client.saturating_mul(iteration))
        }
        Arrivals::Seconds { seconds, .. } | Arrivals::Rate { seconds, .. } => {
            (warmup + u64::from(seconds)).saturating_add(iteration)
        }
    };
    whole.saturating_add(u64::from(load.start_after_seconds)).saturating_add(SLACK)
}

/// Of a step that is polled: its last poll begins when the time for it is over at the latest.
fn most_milliseconds(step: &StepInput) -> u64 {
    let polling = step.until.as_ref().map_or(0, |until| u64::from(until.timeout_seconds));
    (polling + u64::from(step.timeout_seconds)) * 1000 + u64::from(step.pause_milliseconds)
}
