//! Who leads: while a process holds the lease it works, and without it it doesn't.
//!
//! That there is one worker at a time is for the sake of cost and of readable logs. That a row fires once and everything is put back
//! rests on names and preconditions (docs/protocol.md, section 1): a process that was paused, or whose clock is wrong, may
//! believe for seconds that it still leads.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{info, warn};

/// How long a leader goes on after a renewal failed, while it tries again.
pub const MERCY: Duration = Duration::from_secs(2);
/// Pause before the next try.
const PAUSE: Duration = Duration::from_millis(500);

/// A place at the lease.
pub trait Seat {
    /// Takes the lease when it is free, keeps it from then on, and comes back when this process begins or ceases to hold it.
    ///
    /// # Errors
    /// A sentence: the lease can't be read or written.
    fn changed(&self) -> impl Future<Output = Result<bool, String>> + Send;
}

/// Says for ever in `leads` whether this process holds the lease. A leader that can't renew it ceases to lead before the
/// lease runs out.
pub async fn keep<S: Seat>(leads: &watch::Sender<bool>, mut sit: impl AsyncFnMut() -> Result<S, String>) {
    let mut seat: Option<S> = None;
    let mut doubt: Option<Instant> = None;
    loop {
        let next = async {
            let seat = match &mut seat {
                Some(seat) => seat,
                empty => empty.insert(sit().await?),
            };
            seat.changed().await
        };
        let answer = match doubt {
            Some(end) => timeout_at(end, next).await.ok(),
            None => Some(next.await),
        };
        match answer {
            Some(Ok(now)) => {
                doubt = None;
                leads.send_replace(now);
            }
            Some(Err(error)) => {
                warn!(%error, "the lease can't be read or renewed; trying again");
                // A seat that failed does not say again that it holds the lease: another one looks afresh.
                seat = None;
                if *leads.borrow() {
                    doubt.get_or_insert(Instant::now() + MERCY);
                }
                sleep(PAUSE).await;
            }
            None => {
                doubt = None;
                leads.send_replace(false);
            }
        }
    }
}

/// Works while `leads` says so; what it was at is dropped at once when it doesn't any more. Comes back when the work ends.
pub async fn lead<W: Future<Output = ()>>(mut leads: watch::Receiver<bool>, mut work: impl FnMut() -> W) {
    while leads.wait_for(|leads| *leads).await.is_ok() {
        info!("this process leads");
        tokio::select! {
            biased;
            _ = leads.wait_for(|leads| !*leads) => warn!("this process does not lead any more; it waits to lead again"),
            () = work() => return,
        }
    }
}

#[cfg(test)]
#[path = "election_tests.rs"]
mod tests;
