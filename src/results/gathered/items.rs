//! What a generator says about items: what is asked for until its answer says that it is done.

use serde::{Deserialize, Serialize};

/// Items of a load: what was asked for until its answer said it is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ItemsRecord {
    pub done: u64,
    /// Never done: given up, or the asking failed.
    pub missing: u64,
    /// How often was asked, for all of them.
    pub polls: u64,
    /// One by one, as far as there is room; the first that were due.
    pub rows: Vec<ItemRecord>,
    /// Items that are not in `rows`.
    pub left_out: u64,
}

impl ItemsRecord {
    /// Items that are kept one by one, over all generators of a load.
    const MOST_ROWS: usize = 1000;

    /// With another generator's.
    pub fn plus(mut self, other: &Self) -> Self {
        self.done += other.done;
        self.missing += other.missing;
        self.polls += other.polls;
        self.left_out += other.left_out;
        self.rows.extend(&other.rows);
        self.rows.sort_by_key(|row| (row.due_ms, row.seq, row.step));
        self.left_out += self.rows.len().saturating_sub(Self::MOST_ROWS) as u64;
        self.rows.truncate(Self::MOST_ROWS);
        self
    }

    /// Leaves the later half of the single items out; false: there were none.
    pub fn halve(&mut self) -> bool {
        let left = self.rows.len() / 2;
        self.left_out += (self.rows.len() - left) as u64;
        let any = !self.rows.is_empty();
        self.rows.truncate(left);
        any
    }
}

/// One item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ItemRecord {
    /// `$(seq)` of its iteration.
    pub seq: u64,
    /// Position of its step.
    pub step: u32,
    /// When its iteration was due, milliseconds since the epoch.
    pub due_ms: i64,
    /// Microseconds from then until it was done; absent: it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micros: Option<u64>,
}
