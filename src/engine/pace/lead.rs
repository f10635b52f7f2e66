//! How much earlier than an instant a timer is set, learned from how late it woke its thread.

use std::time::{Duration, Instant};

/// How much earlier than an instant the timer is set, nanoseconds: what three wakings of four take at least. One of four comes too
/// early, and stays awake for the little that is left.
#[derive(Debug, Default)]
pub struct Lead(u64);

impl Lead {
    /// How fast it follows, nanoseconds a waking.
    const STEP: u64 = 1_000;
    /// So long a thread may be kept awake for one instant.
    const MOST: u64 = 50_000;

    /// Follows the lower quartile of how late wakings are (a quantile by stochastic approximation: H. Robbins and S. Monro, The
    /// Annals of Mathematical Statistics 22, 1951).
    pub fn woke(&mut self, late: Duration) {
        self.0 = match late.as_nanos() > u128::from(self.0) {
            true => (self.0 + Self::STEP / 4).min(Self::MOST),
            false => self.0.saturating_sub(Self::STEP * 3 / 4),
        };
    }

    /// When to ring for `at`; `None`: a sleep until then would be over too late. It is tried again in a while.
    pub fn before(&mut self, at: Instant, now: Instant) -> Option<Instant> {
        let rings = at.checked_sub(Duration::from_nanos(self.0)).filter(|early| *early > now);
        if rings.is_none() {
            self.0 = self.0.saturating_sub(Self::STEP / 256);
        }
        rings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lead_is_what_three_wakings_of_four_take_at_least() {
        let mut lead = Lead::default();
        for _ in 0..2_000 {
            for late in [20, 30, 40, 300] {
                lead.woke(Duration::from_micros(late));
            }
        }
        assert!((18_000..=32_000).contains(&lead.0), "{lead:?}");
        (0..1_000).for_each(|_| lead.woke(Duration::from_secs(1)));
        assert_eq!(lead.0, Lead::MOST);
        (0..1_000).for_each(|_| lead.woke(Duration::ZERO));
        assert_eq!(lead.0, 0);
    }

    #[test]
    fn what_is_too_near_for_a_sleep_gets_none_until_the_lead_has_worn_off() {
        let now = Instant::now();
        let at = |us| now + Duration::from_micros(us);
        let mut lead = Lead(50_000);
        assert_eq!((lead.before(at(51), now), lead.before(at(49), now)), (Some(at(1)), None));
        let sleeps = (0..20_000).find_map(|_| lead.before(at(10), now));
        assert!(sleeps.is_some_and(|rings| rings > now), "{lead:?}");
    }
}
