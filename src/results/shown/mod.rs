//! Results as they are read: the table, the summary, the status that fits an object, the whole detail.

pub mod columns;
pub mod compact;
pub mod course;
pub mod detail;
mod key;
pub mod limited;
pub mod summary;
pub mod table;

#[cfg(test)]
mod table_tests;
