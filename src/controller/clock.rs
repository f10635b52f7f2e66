//! What time it is. Tests bring a clock of their own, on which hours pass in seconds.

use std::sync::Arc;

use jiff::Timestamp;

use crate::lifecycle::Millis;

/// A wall clock, in milliseconds since the epoch.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Millis + Send + Sync>);

impl Clock {
    /// The machine's clock.
    pub fn wall() -> Self {
        Self(Arc::new(|| Timestamp::now().as_millisecond()))
    }

    /// A clock that says what `now` returns.
    pub fn from_fn(now: impl Fn() -> Millis + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Milliseconds since the epoch.
    pub fn now(&self) -> Millis {
        (self.0)()
    }
}
