//! PURE: which iterations of a rate failed, and the outages that they make.
//!
//! Invariants:
//! - Good answers cost nothing: what is not among the failed was good once its turn had begun.
//! - Memory is bounded: at most [`MOST_RANGES`] stretches of failed iterations are told apart.

use std::collections::BTreeMap;
use std::time::Duration;

use super::elapsed::Elapsed;
use crate::plan::ExcusedInput;
use crate::results::gathered::recovery::{MOST_OUTAGES, OutageRecord, RecoveryRecord};

/// Stretches of failed iterations that are told apart; what fails beyond them, alone, is not.
const MOST_RANGES: usize = 4096;

/// The failed iterations of one generator's load, by their number in it.
#[derive(Clone, Debug, Default)]
pub struct Outages {
    /// First and last of each stretch.
    failed: BTreeMap<u64, u64>,
    /// Iterations that began, or were capped.
    begun: u64,
}

impl Outages {
    /// This iteration failed, at least in part.
    pub fn failed(&mut self, number: u64) {
        let before = self.failed.range(..=number).next_back().map(|(first, last)| (*first, *last));
        if before.is_some_and(|(_, last)| number <= last) {
            return;
        }
        let joined = before.filter(|(_, last)| last + 1 == number).map(|(first, _)| first);
        let behind = self.failed.remove(&(number + 1));
        if joined.is_none() && behind.is_none() && self.failed.len() >= MOST_RANGES {
            return;
        }
        self.failed.insert(joined.unwrap_or(number), behind.unwrap_or(number));
    }

    /// So many iterations have begun.
    pub fn begun(&mut self, iterations: u64) {
        self.begun = self.begun.max(iterations);
    }

    /// The outages, as far as it is known: one that lasts until the end is at least so long. `due` says when an iteration was due, from the load's start; `first` is the first that counts; `start`
    /// is the load's start, since the row's and in milliseconds since the epoch.
    pub fn finish(
        &self,
        due: impl Fn(u64) -> Elapsed,
        first: u64,
        start: (Duration, i64),
        windows: &[ExcusedInput],
    ) -> RecoveryRecord {
        let at = |instant: Elapsed| start.1.saturating_add(instant.millis());
        let outage = |(from, last): (&u64, &u64)| {
            let open = last + 1 >= self.begun;
            let to = if open { due(self.begun.max(last + 1)) } else { due(last + 1) };
            (*last >= first).then(|| OutageRecord { from_ms: at(due((*from).max(first))), to_ms: at(to), open })
        };
        let mut outages: Vec<OutageRecord> = self.failed.iter().filter_map(outage).collect();
        let row_ms = start.1 - i64::try_from(start.0.as_millis()).unwrap_or(0);
        let recovered = |window: &ExcusedInput| {
            let (from, to) = (row_ms + window.from_ms, row_ms + window.to_ms);
            let over = row_ms + window.end_ms.unwrap_or(window.to_ms);
            let hit = outages.iter().filter(|one| one.from_ms <= to && one.to_ms > from);
            hit.map(|one| u64::try_from(one.to_ms - over).unwrap_or(0)).max().unwrap_or(0)
        };
        let recovery_ms = windows.iter().map(recovered).max();
        let count = outages.len() as u64;
        let longest_ms = outages.iter().map(OutageRecord::milliseconds).max().unwrap_or(0);
        outages.truncate(MOST_OUTAGES);
        RecoveryRecord { count, longest_ms, recovery_ms, outages }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn due(number: u64) -> Elapsed {
        Elapsed::from_nanos(100_000_000 * number)
    }

    fn found(failed: impl IntoIterator<Item = u64>, begun: u64, windows: &[ExcusedInput]) -> RecoveryRecord {
        let mut outages = Outages::default();
        failed.into_iter().for_each(|number| outages.failed(number));
        outages.begun(begun);
        outages.finish(due, 0, (Duration::ZERO, 0), windows)
    }

    fn spans(record: &RecoveryRecord) -> Vec<(i64, i64)> {
        record.outages.iter().map(|one| (one.from_ms, one.to_ms)).collect()
    }

    #[test]
    fn an_outage_is_from_the_first_failed_to_the_first_good_due_request() {
        let record = found([7, 5, 6, 12, 14, 13], 1000, &[]);
        assert_eq!(spans(&record), [(500, 800), (1_200, 1_500)]);
        assert_eq!((record.count, record.longest_ms, record.recovery_ms), (2, 300, None));
        assert_eq!(found([], 1000, &[]), RecoveryRecord::default());
    }

    #[test]
    fn one_that_lasts_until_the_end_is_open() {
        let record = found([998, 999], 1000, &[]);
        assert_eq!(record.outages, [OutageRecord { from_ms: 99_800, to_ms: 100_000, open: true }]);
    }

    #[test]
    fn recovering_is_counted_from_the_end_of_the_action() {
        let window = ExcusedInput { action: "down".into(), from_ms: 400, to_ms: 2_000, end_ms: Some(700) };
        assert_eq!(found([5, 6, 7, 8, 9], 1000, std::slice::from_ref(&window)).recovery_ms, Some(300));
        assert_eq!(found([5, 6], 1000, std::slice::from_ref(&window)).recovery_ms, Some(0));
        assert_eq!(found([50], 1000, &[window]).recovery_ms, Some(0), "that was not the action's doing");
    }

    proptest! {
        #[test]
        fn whatever_the_order_the_stretches_are_those_of_the_set(mut numbers in proptest::collection::vec(0u64..60, 0..60)) {
            let record = found(numbers.clone(), 1000, &[]);
            numbers.sort_unstable();
            numbers.dedup();
            let starts = numbers.iter().filter(|n| **n == 0 || !numbers.contains(&(*n - 1))).count();
            prop_assert_eq!(record.count as usize, starts);
            let failed: i64 = record.outages.iter().map(|one| (one.to_ms - one.from_ms) / 100).sum();
            prop_assert_eq!(failed as usize, numbers.len());
        }

        #[test]
        fn however_many_fail_alone_there_is_an_end_of_memory(step in 2u64..5) {
            let mut outages = Outages::default();
            (0..20_000).for_each(|n| outages.failed(n * step));
            prop_assert!(outages.failed.len() <= MOST_RANGES);
        }
    }
}
