//! The timeout of a client's requests, one timer for all of them.
//!
//! A timer that is set anew for each request costs more than the request. So it is left as it was when it rings before
//! the deadline anyway, and is set to the true deadline when it rings.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::time::{Sleep, sleep_until};

/// A timer that wakes its task at a deadline or earlier.
#[derive(Default)]
pub struct Alarm(Option<(Pin<Box<Sleep>>, Instant)>);

impl Alarm {
    /// Sees to it that the task is polled at `deadline`, at the latest; `now` is not later than now.
    pub async fn set(&mut self, now: Instant, deadline: Instant) {
        match &mut self.0 {
            Some((_, rings)) if now < *rings && *rings <= deadline => return,
            Some((sleep, rings)) => {
                sleep.as_mut().reset(deadline.into());
                *rings = deadline;
            }
            None => self.0 = Some((Box::pin(sleep_until(deadline.into())), deadline)),
        }
        // It wakes only a task that has asked it once.
        std::future::poll_fn(|cx| {
            let _ = self.poll(cx, deadline);
            Poll::Ready(())
        })
        .await;
    }

    /// Whether `deadline` has passed; asks to be woken then.
    pub fn poll(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let Some((sleep, rings)) = &mut self.0 else { return Poll::Pending };
        while sleep.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline.into());
            *rings = deadline;
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn rings(alarm: &mut Alarm, after: Duration) -> Duration {
        let now = Instant::now();
        let deadline = now + after;
        alarm.set(now, deadline).await;
        std::future::poll_fn(|cx| alarm.poll(cx, deadline)).await;
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
        alarm.set(now, now + Duration::from_millis(20)).await;
        assert!(rings(&mut alarm, Duration::from_millis(60)).await >= Duration::from_millis(60));
    }
}
