//! PURE: what to do next with one LoadTest, so that load is fired once and everything is put back.
//!
//! `decide` looks at small values (what the status says, what was seen, what is wanted, the time) and answers with one
//! step: read something, record something, act, or wait. It records or acts, never both, and acts only from what was
//! recorded and read back. What a record makes of the state is `State::after`, also pure, so that the two can be
//! explored together. `docs/protocol.md` says why each write stands where it stands.

mod act_job;
mod acts;
mod after;
pub mod conditions;
mod decide;
mod ending;
mod expiry;
mod plan_view;
mod row;
mod seen;
mod standing;
mod start;
mod state;
mod step;
pub mod view;
mod wait;

#[cfg(test)]
mod tests;

pub use acts::scaled;
pub use decide::decide;
pub use expiry::{KEPT, expires, ttl};
pub use seen::*;
pub use standing::{Active, Verdict as StandingVerdict, is_of, standing};
pub use start::REMINDERS;
pub use state::*;
pub use step::*;
