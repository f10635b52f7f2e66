//! PURE: items that are done later than they are asked for, one by one as far as there is room.

use super::elapsed::Elapsed;
use super::steps::StepTally;
use crate::plan::StepInput;
use crate::results::gathered::items::{ItemRecord, ItemsRecord};

/// Items that are told one by one, the first that were due; the others are in the counts and the latency.
pub const MOST_ITEMS: usize = 1000;

/// One item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// `$(seq)` of its iteration.
    pub seq: u64,
    /// Position of its step.
    pub step: usize,
    /// When its iteration was due, from the load's start.
    pub due: Elapsed,
    /// From then to the answer that said it is done; `None`: it is missing.
    pub took: Option<Elapsed>,
    /// How often was asked.
    pub polls: u64,
}

/// The items of a load.
#[derive(Clone, Debug, Default)]
pub struct Items {
    polls: u64,
    all: u64,
    rows: Vec<Item>,
}

impl Items {
    /// For a load with these steps; `None`: none of them has items.
    pub fn of(steps: &[StepInput]) -> Option<Self> {
        steps.iter().any(|step| step.until.is_some()).then(Self::default)
    }

    /// One more.
    pub fn push(&mut self, item: Item) {
        self.polls += item.polls;
        self.all += 1;
        self.rows.push(item);
        // Twice the room, so that sorting costs little.
        if self.rows.len() >= 2 * MOST_ITEMS {
            self.cut();
        }
    }

    /// Adds another one's.
    pub fn merge(&mut self, other: &Self) {
        self.polls += other.polls;
        self.all += other.all;
        self.rows.extend(&other.rows);
        self.cut();
    }

    /// As they are written down; `start_ms` is the load's start, milliseconds since the epoch.
    pub fn finish(&self, steps: &[StepTally], start_ms: i64) -> ItemsRecord {
        let mut sorted = self.clone();
        sorted.cut();
        let of_items = || steps.iter().filter(|step| step.is_item);
        let row = |item: &Item| ItemRecord {
            seq: item.seq,
            step: u32::try_from(item.step).unwrap_or(u32::MAX),
            due_ms: start_ms + item.due.millis(),
            micros: item.took.map(Elapsed::micros),
        };
        ItemsRecord {
            done: of_items().map(|step| step.ok).sum(),
            missing: of_items().map(StepTally::failures).sum(),
            polls: self.polls,
            rows: sorted.rows.iter().map(row).collect(),
            left_out: self.all.saturating_sub(sorted.rows.len() as u64),
        }
    }

    fn cut(&mut self) {
        self.rows.sort_by_key(|item| (item.due, item.seq, item.step));
        self.rows.truncate(MOST_ITEMS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(seq: u64) -> Item {
        Item {
            seq,
            step: 0,
            due: Elapsed::from_nanos(seq * 1_000_000),
            took: Some(Elapsed::from_nanos(seq * 1_000)),
            polls: 2,
        }
    }

    #[test]
    fn the_first_thousand_are_told_one_by_one_and_all_are_counted() {
        let (mut one, mut other) = (Items::default(), Items::default());
        (0..5_000).rev().for_each(|seq| if seq % 2 == 0 { one.push(item(seq)) } else { other.push(item(seq)) });
        assert!(one.rows.len() < 2 * MOST_ITEMS);
        one.merge(&other);
        let record = one.finish(&[], 100);
        assert_eq!((record.rows.len(), record.left_out, record.polls), (1000, 4_000, 10_000));
        assert_eq!((record.rows[999].seq, record.rows[999].due_ms), (999, 1_099));
    }
}
