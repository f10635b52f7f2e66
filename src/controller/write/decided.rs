//! When an act was decided.

use std::time::Duration;

use tokio::time::Instant;

/// An act decided longer ago is not sent: a paused process must not go on where it stood.
const FRESH: Duration = Duration::from_secs(5);

/// The instant of a decision.
#[derive(Clone, Copy, Debug)]
pub struct Decided(Instant);

impl Decided {
    /// Just decided.
    pub fn now() -> Self {
        Self(Instant::now())
    }

    /// So long ago that it is to be decided again.
    pub fn is_stale(self) -> bool {
        self.0.elapsed() > FRESH
    }
}
