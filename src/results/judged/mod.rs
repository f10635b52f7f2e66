//! Thresholds, and the verdicts of a row and of a test.

pub mod judge;
pub mod metric;
pub mod threshold;
pub mod verdict;
