//! PURE: answers by status code.

use std::collections::BTreeMap;

/// Counts of answers. Most have the same status as the one before, and are counted without a search.
#[derive(Clone, Debug, Default)]
pub struct Statuses {
    last: u16,
    /// Of the last status, not in `rest` yet.
    same: u64,
    rest: BTreeMap<u16, u64>,
}

impl Statuses {
    /// An answer came.
    pub fn count(&mut self, status: u16) {
        if self.last != status {
            self.settle();
            self.last = status;
        }
        self.same += 1;
    }

    /// All counts.
    pub fn all(&self) -> BTreeMap<u16, u64> {
        let mut whole = self.clone();
        whole.settle();
        whole.rest
    }

    /// Adds another one's counts.
    pub fn merge(&mut self, other: &Self) {
        for (status, count) in other.all() {
            *self.rest.entry(status).or_default() += count;
        }
    }

    fn settle(&mut self) {
        let same = std::mem::take(&mut self.same);
        if same > 0 {
            *self.rest.entry(self.last).or_default() += same;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_counted_in_whatever_order_the_statuses_come() {
        let mut some = Statuses::default();
        [200, 200, 503, 200, 404, 404].into_iter().for_each(|status| some.count(status));
        assert_eq!(some.all(), [(200, 3), (404, 2), (503, 1)].into());
        let mut more = Statuses::default();
        more.count(404);
        more.merge(&some);
        assert_eq!(more.all(), [(200, 3), (404, 3), (503, 1)].into());
        assert_eq!(Statuses::default().all(), BTreeMap::new());
    }
}
