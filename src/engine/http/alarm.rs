//! The timeout of a client's requests, one timer for all of them.
//!
//! A timer that is set anew for each request costs more than the request. So it is left as it was when it rings before
//! the deadline anyway, and is set to the true deadline when it rings.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::{Sleep, sleep_until};

/// A timer that wakes its task at a deadline or earlier.
#[derive(Default)]
pub struct Alarm {
    deadline: Option<Instant>,
    timer: Option<Timer>,
}

struct Timer {
    sleep: Pin<Box<Sleep>>,
    /// It wakes only a task that has asked it once.
    asked: bool,
}

impl Timer {
    fn rings(&self) -> Instant {
        self.sleep.deadline().into_std()
    }
}

impl Alarm {
    /// Sets the deadline; `now` is not later than now.
    pub fn set(&mut self, now: Instant, deadline: Instant) {
        self.deadline = Some(deadline);
        match &mut self.timer {
            Some(timer) if now < timer.rings() && timer.rings() <= deadline => {}
            Some(timer) => {
                timer.sleep.as_mut().reset(deadline.into());
                timer.asked = false;
            }
            None => {
                let sleep = Box::pin(sleep_until(deadline.into()));
                self.timer = Some(Timer { sleep, asked: false });
            }
        }
    }

    /// Until the deadline.
    pub fn left(&self) -> Duration {
        self.deadline.map_or(Duration::ZERO, |deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Whether nobody would be woken yet.
    #[inline]
    pub fn is_unasked(&self) -> bool {
        self.timer.as_ref().is_some_and(|timer| !timer.asked)
    }

    /// Whether the deadline has passed; asks to be woken then.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (Some(timer), Some(deadline)) = (&mut self.timer, self.deadline) else { return Poll::Pending };
        timer.asked = true;
        while timer.sleep.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            timer.sleep.as_mut().reset(deadline.into());
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn rings(alarm: &mut Alarm, after: Duration) -> Duration {
        let now = Instant::now();
        alarm.set(now, now + after);
        std::future::poll_fn(|cx| alarm.poll(cx)).await;
        now.elapsed()
    }

    #[tokio::test]
    async fn it_rings_at_each_deadline_whichever_way_it_moved() {
        let mut alarm = Alarm::default();
        for ms in [20, 5, 30, 1, 0, 10] {
            let after = Duration::from_millis(ms);
            assert!(rings(&mut alarm, after).await >= after, "{ms} ms");
        }
    }

    #[tokio::test]
    async fn a_timer_of_an_earlier_request_wakes_the_task_and_does_not_end_the_later_one() {
        let mut alarm = Alarm::default();
        let now = Instant::now();
        alarm.set(now, now + Duration::from_millis(20));
        assert!(rings(&mut alarm, Duration::from_millis(60)).await >= Duration::from_millis(60));
    }
}
