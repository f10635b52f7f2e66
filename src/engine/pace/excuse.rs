//! PURE: failures that an action explains, by when their request was open.

use std::time::Duration;

use crate::engine::http::failure::Failure;
use crate::engine::measure::elapsed::Elapsed;
use crate::plan::{DuringInput, ExcusedInput};

/// The times of actions, from a load's start.
#[derive(Clone, Debug, Default)]
pub struct Excuses {
    /// As they were given, from the row's start.
    pub windows: Vec<ExcusedInput>,
    /// From the row's start to the load's.
    pub after: Duration,
}

impl Excuses {
    /// What a failure counts as, of a request that was due and had failed so long after the load's start: what is on its way when
    /// a pod is killed fails by the kill. `during`: answers of its step that are good while an action lasts; of those no tasks are
    /// counted. With it comes whether it is excused.
    pub fn outcome(
        &self,
        (due, end): (Elapsed, Elapsed),
        failure: Failure,
        during: Option<&DuringInput>,
    ) -> (Result<u64, Failure>, bool) {
        let of_row = |time: Elapsed| i64::try_from((self.after + Duration::from(time)).as_millis()).unwrap_or(i64::MAX);
        let open = |one: &&ExcusedInput| of_row(due) <= one.to_ms && one.from_ms <= of_row(end);
        let mut lasting = self.windows.iter().filter(open).peekable();
        let excused = lasting.peek().is_some();
        let good = |during: &DuringInput| {
            matches!(failure, Failure::Status(status) if during.status.contains(&status))
                && lasting.any(|one| one.action == during.action)
        };
        if during.is_some_and(good) { (Ok(0), false) } else { (Err(failure), excused) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn span(from: u32, to: u32) -> (Elapsed, Elapsed) {
        ((S * from).into(), (S * to).into())
    }

    #[test]
    fn a_failure_in_an_action_s_time_is_excused_and_its_own_statuses_are_good() {
        let window = ExcusedInput { action: "down".into(), from_ms: 20_000, to_ms: 50_000, end_ms: None };
        let excuses = Excuses { windows: vec![window], after: S * 5 };
        let during = DuringInput { action: "down".into(), status: vec![503] };
        let other = DuringInput { action: "other".into(), status: vec![503] };
        let (busy, reset) = (Failure::Status(503), Failure::Reset);
        let at = |seconds: u32, failure, during| excuses.outcome(span(seconds, seconds), failure, during);
        assert_eq!(at(15, busy, Some(&during)), (Ok(0), false));
        assert_eq!(at(45, busy, Some(&during)), (Ok(0), false));
        assert_eq!(at(46, busy, Some(&during)), (Err(busy), false));
        assert_eq!(at(14, busy, Some(&during)), (Err(busy), false));
        assert_eq!(at(20, busy, Some(&other)), (Err(busy), true));
        assert_eq!(at(20, reset, Some(&during)), (Err(reset), true));
        assert_eq!(excuses.outcome(span(12, 16), reset, None), (Err(reset), true), "on its way when it began");
        assert_eq!(excuses.outcome(span(12, 14), reset, None), (Err(reset), false));
        assert_eq!(excuses.outcome(span(46, 60), reset, None), (Err(reset), false));
    }
}
