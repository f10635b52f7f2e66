//! Waits until an instant to the microsecond: the kernel's timer instead of tokio's, which rounds up to milliseconds. It is set
//! earlier by what the kernel mostly takes to wake this thread.

use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime, timerfd_create,
    timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// One timer of the kernel (`timerfd_create(2)`), set to absolute instants of the monotonic clock.
#[derive(Debug)]
pub struct Timer {
    fd: AsyncFd<OwnedFd>,
    /// The same instant by both clocks: `Instant` does not show its own number.
    origin: (Instant, Duration),
    set: Option<Set>,
    lead: Lead,
}

/// What the timer was last set for.
#[derive(Clone, Copy, Debug)]
struct Set {
    at: Instant,
    /// When it rings; `None`: it rang, or need not.
    rings: Option<Instant>,
}

/// How much earlier than an instant the timer is set, nanoseconds: what three wakings of four take at least. One of four comes too
/// early, and stays awake for the little that is left.
#[derive(Debug, Default)]
struct Lead(u64);

impl Lead {
    /// How fast it follows, nanoseconds a waking.
    const STEP: u64 = 1_000;
    /// So long a thread may be kept awake for one instant.
    const MOST: u64 = 50_000;

    /// Follows the lower quartile of how late wakings are (a quantile by stochastic approximation: H. Robbins and S. Monro, The
    /// Annals of Mathematical Statistics 22, 1951).
    fn woke(&mut self, late: Duration) {
        self.0 = match late.as_nanos() > u128::from(self.0) {
            true => (self.0 + Self::STEP / 4).min(Self::MOST),
            false => self.0.saturating_sub(Self::STEP * 3 / 4),
        };
    }

    /// When to ring for `at`; `None`: a sleep until then would be over too late. It is tried again in a while.
    fn before(&mut self, at: Instant, now: Instant) -> Option<Instant> {
        let rings = at.checked_sub(Duration::from_nanos(self.0)).filter(|early| *early > now);
        if rings.is_none() {
            self.0 = self.0.saturating_sub(Self::STEP / 256);
        }
        rings
    }
}

impl Timer {
    /// A timer of the runtime it is made in.
    ///
    /// Errors: the kernel has no more descriptors.
    pub fn new() -> io::Result<Self> {
        let fd = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        // In this order: so it never rings before an instant is there.
        let now = Instant::now();
        let clock = clock_gettime(ClockId::Monotonic);
        let clock = Duration::new(u64::try_from(clock.tv_sec).unwrap_or(0), u32::try_from(clock.tv_nsec).unwrap_or(0));
        Ok(Self { fd: watched(fd)?, origin: (now, clock), set: None, lead: Lead::default() })
    }

    /// Waits until `at`, never shorter.
    ///
    /// Errors: the kernel refuses the timer.
    pub async fn until(&mut self, at: Instant) -> io::Result<()> {
        while !std::future::poll_fn(|cx| self.poll_until(cx, at)).await? {
            // What else there is to do is done meanwhile.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// True: it is there. False: what is left is too short for a sleep.
    fn poll_until(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<io::Result<bool>> {
        loop {
            let now = Instant::now();
            self.hear(cx, now)?;
            if now >= at {
                return Poll::Ready(Ok(true));
            }
            let set = match self.set.filter(|set| set.at == at) {
                Some(set) => set,
                None => self.arm(at, now)?,
            };
            if set.rings.is_none() {
                return Poll::Ready(Ok(false));
            }
            // The descriptor tells each ringing once (edge-triggered), so it need not be read. An earlier setting's may be told late.
            ready!(self.fd.poll_read_ready(cx))?.clear_ready();
        }
    }

    /// Learns from a ringing.
    fn hear(&mut self, cx: &mut Context<'_>, now: Instant) -> io::Result<()> {
        let Some(Set { at, rings: Some(rings) }) = self.set.filter(|set| set.rings.is_some_and(|rings| now >= rings))
        else {
            return Ok(());
        };
        if let Poll::Ready(told) = self.fd.poll_read_ready(cx) {
            told?.clear_ready();
        }
        self.lead.woke(now - rings);
        self.set = Some(Set { at, rings: None });
        Ok(())
    }

    /// Sets it for `at`, where there is time for it.
    fn arm(&mut self, at: Instant, now: Instant) -> io::Result<Set> {
        let set = Set { at, rings: self.lead.before(at, now) };
        if let Some(rings) = set.rings {
            let clock = self.origin.1 + rings.saturating_duration_since(self.origin.0);
            let it_value = Timespec {
                tv_sec: i64::try_from(clock.as_secs()).unwrap_or(i64::MAX),
                // Zero and zero would switch it off.
                tv_nsec: i64::from(clock.subsec_nanos().max(1)),
            };
            let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value };
            timerfd_settime(&self.fd, TimerfdTimerFlags::ABSTIME, &once)?;
        }
        self.set = Some(set);
        Ok(set)
    }
}

/// Waits until `at`, by the kernel's timer where there is one.
pub async fn wait_until(at: Instant) {
    let waited = match Timer::new() {
        Ok(mut timer) => timer.until(at).await,
        Err(error) => Err(error),
    };
    if waited.is_err() {
        tokio::time::sleep_until(at.into()).await;
    }
}

#[expect(deprecated, reason = "its successor is unsafe for the sake of other types: an OwnedFd stays open by itself")]
fn watched(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(fd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_waits_until_the_instant_and_never_shorter() {
        let mut timer = Timer::new().unwrap();
        let begin = Instant::now();
        for ms in [3, 4, 4, 1, 9] {
            let at = begin + Duration::from_millis(ms);
            timer.until(at).await.unwrap();
            assert!(Instant::now() >= at);
        }
    }

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

    #[tokio::test]
    async fn an_instant_in_the_past_is_no_wait() {
        Timer::new().unwrap().until(Instant::now() - Duration::from_secs(1)).await.unwrap();
    }

    #[tokio::test]
    async fn a_wait_that_was_given_up_does_not_shorten_the_next_one() {
        let mut timer = Timer::new().unwrap();
        let begin = Instant::now();
        let far = begin + Duration::from_secs(3600);
        let given_up = tokio::time::timeout(Duration::from_millis(2), timer.until(far)).await;
        assert!(given_up.is_err());
        timer.until(begin + Duration::from_millis(5)).await.unwrap();
        assert!(begin.elapsed() >= Duration::from_millis(5));
    }
}
