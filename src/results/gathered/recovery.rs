//! What a generator says about outages: from the first failed to the first good due request.

use serde::{Deserialize, Serialize};

/// Outages of a load that are told one by one, the first; the others are in the number and the longest.
pub const MOST_OUTAGES: usize = 200;

/// Outages of a load.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RecoveryRecord {
    /// All of them.
    pub count: u64,
    /// Milliseconds.
    pub longest_ms: u64,
    /// Longest time from the end of an action to the next good due request, milliseconds; absent: there was no action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_ms: Option<u64>,
    /// The first of them, in order.
    pub outages: Vec<OutageRecord>,
}

/// One outage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OutageRecord {
    /// First failed request due, milliseconds since the epoch.
    pub from_ms: i64,
    /// First good request due after it; of one that lasted until the end of the load, that end.
    pub to_ms: i64,
    /// It lasted until the end of the load.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub open: bool,
}

impl RecoveryRecord {
    /// With another generator's of the same load: an outage begins with the first failed request of any generator, and
    /// ends with the first good one of any that had failed. The time to recover is the longest of all.
    pub fn plus(mut self, other: &Self) -> Self {
        self.recovery_ms = self.recovery_ms.max(other.recovery_ms);
        let told = |one: &Self| one.outages.len() as u64 == one.count;
        if !told(&self) || !told(other) {
            // Not all are known one by one: the larger of what each knows.
            self.count = self.count.max(other.count);
            self.longest_ms = self.longest_ms.max(other.longest_ms);
            return self;
        }
        let mut all: Vec<OutageRecord> = self.outages.iter().chain(&other.outages).copied().collect();
        all.sort_by_key(|one| (one.from_ms, one.to_ms));
        let mut together: Vec<OutageRecord> = Vec::new();
        for one in all {
            match together.last_mut().filter(|last| one.from_ms < last.to_ms) {
                Some(last) => {
                    last.to_ms = last.to_ms.min(one.to_ms);
                    last.open &= one.open;
                }
                None => together.push(one),
            }
        }
        self.count = together.len() as u64;
        self.longest_ms = together.iter().map(OutageRecord::milliseconds).max().unwrap_or(0);
        together.truncate(MOST_OUTAGES);
        self.outages = together;
        self
    }
}

impl OutageRecord {
    /// How long it lasted.
    pub fn milliseconds(&self) -> u64 {
        u64::try_from(self.to_ms - self.from_ms).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(outages: &[(i64, i64)]) -> RecoveryRecord {
        let outages: Vec<_> =
            outages.iter().map(|&(from_ms, to_ms)| OutageRecord { from_ms, to_ms, open: false }).collect();
        RecoveryRecord {
            count: outages.len() as u64,
            longest_ms: outages.iter().map(OutageRecord::milliseconds).max().unwrap_or(0),
            recovery_ms: None,
            outages,
        }
    }

    #[test]
    fn generators_that_saw_the_same_outage_saw_one() {
        let both = record(&[(1_000, 3_100)]).plus(&record(&[(1_100, 3_000), (9_000, 9_200)]));
        assert_eq!((both.count, both.longest_ms), (2, 2_000));
    }

    #[test]
    fn what_is_not_told_one_by_one_is_not_laid_together() {
        let many = RecoveryRecord { count: 900, longest_ms: 40, ..RecoveryRecord::default() };
        let both = record(&[(0, 100)]).plus(&many);
        assert_eq!((both.count, both.longest_ms), (900, 100));
    }
}
