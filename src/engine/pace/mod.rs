//! When a request is due, and what goes out then: schedules, the lanes that keep them, clients that go round.

mod closed;
pub(super) mod excuse;
mod iteration;
mod journey;
pub(super) mod lane;
mod lead;
pub(super) mod open;
pub mod schedule;
pub(super) mod shared;
pub(super) mod stop;
mod timer;
pub(super) mod worker;
