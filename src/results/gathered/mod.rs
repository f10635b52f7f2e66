//! What generators and the observer wrote down, read back and merged.

pub mod act_said;
pub mod collect;
pub mod durations;
pub mod histogram;
pub mod items;
pub mod line;
pub mod merge;
pub mod record;
pub mod recovery;
pub mod sample;
pub mod series;
pub mod statements;

#[cfg(test)]
mod merge_tests;
