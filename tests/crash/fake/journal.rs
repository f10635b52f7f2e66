//! The log of all calls: who asked for what, with the bytes, and what was answered.

use bytes::Bytes;

use super::fault::Call;
use super::path::Path;

/// One call.
#[derive(Clone, Debug)]
pub struct Entry {
    pub call: Call,
    pub path: Path,
    /// What was sent.
    pub body: Bytes,
    /// The HTTP status; 0: none was sent.
    pub code: u16,
}

/// All calls in order.
#[derive(Debug, Default)]
pub struct Journal {
    pub entries: Vec<Entry>,
    /// Requests that the fake has no answer for.
    pub unknown: Vec<String>,
    /// Workloads that bore a LoadTest's claim when its finalizer went.
    pub let_go: Vec<String>,
    writes: usize,
}

impl Journal {
    /// The number of the next write.
    pub fn next_write(&mut self) -> usize {
        self.writes += 1;
        self.writes
    }

    /// The writes, dry runs left out, in order.
    pub fn writes(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.call.write.is_some())
    }

    /// The writes that were applied.
    pub fn applied(&self) -> impl Iterator<Item = &Entry> {
        self.writes().filter(|entry| (200..300).contains(&entry.code))
    }

    /// All writes, one a line, for a test that fails.
    pub fn story(&self) -> String {
        let line = |entry: &Entry| {
            format!(
                "{:>8} {} #{:?} {} -> {}\n",
                entry.call.at - super::EPOCH,
                entry.call.client,
                entry.call.write.unwrap_or(0),
                entry.call.what,
                entry.code
            )
        };
        self.writes().filter(|entry| !entry.call.class.contains("events")).map(line).collect()
    }
}
