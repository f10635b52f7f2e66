//! PURE: time of a load, in one machine word.

use std::ops::Add;
use std::time::{Duration, Instant};

const NANOS: u64 = 1_000_000_000;

/// An instant of a load: nanoseconds from its start. 64 bits hold 584 years; beyond, and before the start, it stays at the end.
/// [`Duration`] takes two words and a carry in every sum, for each time of each request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Elapsed(u64);

impl Elapsed {
    /// The start.
    pub const ZERO: Self = Self(0);

    /// So many nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Between a load's start and an instant; the start, when that is earlier.
    #[inline]
    pub fn between(start: Instant, instant: Instant) -> Self {
        instant.saturating_duration_since(start).into()
    }

    /// Between a load's start and now.
    #[inline]
    pub fn now(start: Instant) -> Self {
        Self::between(start, Instant::now())
    }

    /// Nanoseconds from the start.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds from the start.
    pub fn millis(self) -> i64 {
        i64::try_from(self.0 / 1_000_000).unwrap_or(i64::MAX)
    }

    /// The instant so long after `earlier` where `earlier` is the start; the start, when this one is earlier.
    #[inline]
    pub fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }

    /// Whole microseconds, rounded up so that less than one does not vanish.
    #[inline]
    pub fn micros(self) -> u64 {
        self.0.div_ceil(1000)
    }
}

impl From<Duration> for Elapsed {
    #[inline]
    fn from(time: Duration) -> Self {
        Self(time.as_secs().saturating_mul(NANOS).saturating_add(u64::from(time.subsec_nanos())))
    }
}

impl From<Elapsed> for Duration {
    fn from(time: Elapsed) -> Self {
        Self::from_nanos(time.0)
    }
}

impl Add<Duration> for Elapsed {
    type Output = Self;

    fn add(self, more: Duration) -> Self {
        Self(self.0.saturating_add(Self::from(more).0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_time_as_the_duration() {
        for nanos in [0, 1, 999, 1_000, 1_000_000_001, u64::MAX] {
            let time = Duration::from_nanos(nanos);
            assert_eq!(Duration::from(Elapsed::from(time)), time);
            assert_eq!(Elapsed::from(time).micros(), u64::try_from(time.as_nanos().div_ceil(1000)).unwrap());
        }
    }

    #[test]
    fn what_has_no_room_stays_at_the_end() {
        let end = Elapsed::from(Duration::MAX);
        assert_eq!((end, end + Duration::from_secs(1)), (Elapsed::from_nanos(u64::MAX), end));
        assert_eq!(Elapsed::ZERO.since(end), Elapsed::ZERO);
        let start = Instant::now();
        assert_eq!(Elapsed::between(start + Duration::from_secs(1), start), Elapsed::ZERO);
    }
}
