//! Counts a log's lines beside everything else: a hostile pattern may take a second for a line, and other tests' passes must go on.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use regex::Regex;
use tokio::sync::Semaphore;

use super::log::MOST_BYTES;
use crate::evidence::cluster::logs::{Counted, LineCounter};

/// Longest that the lines of one log are matched, all pieces together. A usual pattern takes a tenth of a second for the longest log.
const LONGEST: Duration = Duration::from_secs(10);
/// One piece of a log at a time, of all tests.
static ONE: Semaphore = Semaphore::const_new(1);

/// The count of one log.
pub struct Matching {
    pod: String,
    counter: LineCounter,
    spent: Duration,
}

impl Matching {
    /// Counts matches of `regex` in a window of the log of `pod`.
    pub fn new(pod: &str, regex: &Regex, window: (Timestamp, Timestamp)) -> Self {
        Self { pod: pod.to_owned(), counter: LineCounter::new(regex, Some(window), MOST_BYTES), spent: Duration::ZERO }
    }

    /// Takes the next piece. False: the log is too long, and nothing more is needed.
    ///
    /// # Errors
    /// A sentence: the pattern is too slow.
    pub async fn push(self, piece: &[u8]) -> Result<(Self, bool), String> {
        let Self { pod, mut counter, spent } = self;
        let piece = piece.to_vec();
        let _one = ONE.acquire().await;
        let work = move || {
            let began = Instant::now();
            let more = counter.push(&piece);
            (counter, more, began.elapsed())
        };
        let (counter, more, took) = tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?;
        let spent = spent + took;
        if spent > LONGEST {
            return Err(format!(
                "matching the log of {pod} took longer than {} s; make the regular expression simpler",
                LONGEST.as_secs()
            ));
        }
        Ok((Self { pod, counter, spent }, more))
    }

    /// The counts of the lines that are whole so far.
    pub fn so_far(&self) -> Counted {
        self.counter.so_far()
    }

    /// The counts, the last line included.
    pub fn finish(self) -> Counted {
        self.counter.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(regex: &str) -> Matching {
        let window = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
        Matching::new("web-1", &crate::plan::pattern(regex).expect("a pattern"), window)
    }

    #[tokio::test]
    async fn lines_are_counted_over_pieces() {
        let (matching, more) = of("x").push(b"1970-01-01T00:00:01Z x\n1970-01-01T00:0").await.expect("in time");
        let (matching, _) = matching.push(b"0:02Z x\n").await.expect("in time");
        assert!(more);
        assert_eq!((matching.so_far().matches, matching.finish().matches), (2, 2));
    }

    #[tokio::test]
    async fn a_pattern_that_is_too_slow_for_its_log_is_given_up_and_keeps_nobody_waiting() {
        let slow = Matching { spent: LONGEST, ..of("a[A-Z0-9_a]{900}B[0-9aA-C_]{900}9[0-9aA-C_]{900}!") };
        let line = format!("1970-01-01T00:00:01Z {}\n", "aB9_".repeat(4000));
        let beside = tokio::spawn(async { tokio::time::sleep(Duration::from_millis(1)).await });
        let why = slow.push(line.as_bytes()).await.err().expect("an end");
        assert!(why.contains("web-1") && why.contains("simpler"), "{why}");
        assert!(beside.is_finished(), "the only thread of this test was kept");
    }
}
