//! What came back, counted and timed: one recorder a lane, merged into the record that a generator writes.

mod counts;
pub mod elapsed;
pub(super) mod event;
pub mod items;
pub(super) mod outages;
pub mod recorder;
pub(super) mod snapshot;
mod statuses;
mod steps;
mod timeline;
