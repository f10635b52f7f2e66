//! Waiting: every wait has an end.

use super::step::{Change, Input, Step};
use crate::api::Reason;

/// How soon to look again at what has no event of its own.
pub(super) const SOON: i64 = 1_000;

/// Longest pause between two looks at a line, in times of [`SOON`].
const LONGEST_PAUSE: i64 = 60;

/// Waits in a line with so many `ahead`: who stands far behind looks less often, or what it costs would grow with the square of its length.
pub(super) fn wait_in_line(input: &Input<'_>, ahead: u32, deadline: i64) -> Step {
    match wait_until(input, Reason::LimitReached, deadline, Reason::DeadlineExceeded) {
        Step::Wait { reason, .. } => Step::Wait { reason, until: deadline.min(input.now + pause(ahead)) },
        other => other,
    }
}

fn pause(ahead: u32) -> i64 {
    SOON * (1 + i64::from(ahead)).min(LONGEST_PAUSE)
}

/// Waits for `reason`; when `deadline` is over, the run ends as `end`.
pub(super) fn wait_until(input: &Input<'_>, reason: Reason, deadline: i64, end: Reason) -> Step {
    if input.now >= deadline {
        return Step::Record(Change::Restoring(end));
    }
    Step::Wait { reason, until: deadline.min(input.now + SOON) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_in_a_line_looks_each_second_and_a_thousand_cost_twenty_looks_a_second() {
        assert_eq!((pause(0), pause(1), pause(1000)), (1_000, 2_000, 60_000));
        let looks: f64 = (0..1000).map(|ahead| 1000.0 / pause(ahead) as f64).sum();
        assert!(looks < 21.0, "{looks}");
    }
}
