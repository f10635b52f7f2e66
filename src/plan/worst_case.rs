//! How long a load takes, at least and at most.

use super::generator_input::{Arrivals, LoadInput};
use crate::api::Load;

/// Seconds that a load takes even if every answer came at once.
pub fn least_seconds(load: &Load) -> i64 {
    i64::from(load.duration_seconds.unwrap_or(0)) + i64::from(load.warmup_seconds.unwrap_or(0))
}

/// For a last timeout to end and be counted.
const SLACK: u64 = 5;

/// Seconds after its start when no request of the load can be open any more, every timeout used up.
pub fn worst_case_seconds(load: &LoadInput) -> u64 {
    let iteration: u64 = load.steps.iter().map(|step| u64::from(step.timeout_seconds)).sum();
    let warmup = u64::from(load.warmup_seconds);
    SLACK
        + match load.arrivals {
            Arrivals::Iterations { iterations_per_client, .. } => {
                warmup + iterations_per_client.saturating_mul(iteration)
            }
            Arrivals::Seconds { seconds, .. } | Arrivals::Rate { seconds, .. } => {
                warmup + u64::from(seconds) + iteration
            }
        }
}
