//! Times between two instants of items, as one measurement of them says.

use serde::{Deserialize, Serialize};

/// All items that were there at one instant; seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DurationsRecord {
    /// Items that have both instants.
    pub timed: u32,
    /// Items that don't.
    pub missing: u32,
    #[serde(flatten)]
    pub times: Option<Times>,
}

/// What is said of the times of at least one item; seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Times {
    pub average: f64,
    pub minimum: f64,
    pub p50: f64,
    pub p95: f64,
    pub maximum: f64,
}

impl DurationsRecord {
    /// Of these times, in seconds, beside so many items without one. Percentiles by the nearest rank: the smallest time that
    /// so large a share of all of them does not exceed (R. J. Hyndman and Y. Fan, The American Statistician 50, 1996,
    /// definition 1).
    pub fn of(mut seconds: Vec<f64>, missing: usize) -> Self {
        seconds.sort_by(f64::total_cmp);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let n = seconds.len();
        let rank = |share: usize| seconds.get((n * share).div_ceil(100).max(1) - 1).copied();
        let times = || {
            Some(Times {
                average: seconds.iter().sum::<f64>() / n as f64,
                minimum: *seconds.first()?,
                p50: rank(50)?,
                p95: rank(95)?,
                maximum: *seconds.last()?,
            })
        };
        Self { timed: count(n), missing: count(missing), times: times() }
    }

    /// There are items, and all have both instants.
    pub fn is_complete(&self) -> bool {
        self.timed > 0 && self.missing == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_an_item_had() {
        let record = DurationsRecord::of((1..=100).rev().map(f64::from).collect(), 3);
        let times = record.times.expect("times");
        assert_eq!((times.minimum, times.p50, times.p95, times.maximum, times.average), (1.0, 50.0, 95.0, 100.0, 50.5));
        assert_eq!((record.timed, record.missing, record.is_complete()), (100, 3, false));
        let two = DurationsRecord::of(vec![4.0, 2.0], 0);
        assert_eq!(two.times.map(|times| (times.p50, times.p95)), Some((2.0, 4.0)));
    }

    #[test]
    fn no_item_is_no_time_and_not_zero() {
        let none = DurationsRecord::of(vec![], 2);
        assert_eq!(
            (none.times, none.is_complete(), DurationsRecord::of(vec![], 0).is_complete()),
            (None, false, false)
        );
        for record in [none, DurationsRecord::of(vec![1.5], 0)] {
            let text = serde_json::to_string(&record).expect("JSON");
            assert_eq!(serde_json::from_str::<DurationsRecord>(&text).expect("a record"), record);
        }
    }
}
