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

use super::lead::Lead;

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
