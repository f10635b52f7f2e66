//! What was counted of a container's log while it was written: what the kubelet rotates away later, or a restart leaves behind, is not lost.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// Marks that are kept; a second apart they reach back ten minutes.
const MARKS: usize = 600;
/// How far apart marks are at least.
const APART: SignedDuration = SignedDuration::from_secs(1);

/// So much was counted up to an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Lines before it are counted, a line at it is not.
    pub next: Timestamp,
    /// Lines that matched, since the tally began.
    pub matches: u64,
}

/// The counting of one container's log from an instant on.
///
/// - Marks go up, in time and in matches.
/// - Each line before the last mark was counted exactly once.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Where the counting stands.
    pub last: Mark,
    /// Where it stood before, the newest last.
    earlier: VecDeque<Mark>,
    /// Restarts of the container when its log was last opened.
    pub restarts: i32,
    /// Lines may be missing; why, a sentence.
    pub lost: Option<String>,
}

impl Tally {
    /// Nothing counted; lines from `from` on will be.
    pub fn new(from: Timestamp, restarts: i32) -> Self {
        Self { last: Mark { next: from, matches: 0 }, earlier: VecDeque::new(), restarts, lost: None }
    }

    /// Did a line come?
    pub fn has_lines(&self) -> bool {
        !self.earlier.is_empty()
    }

    /// The lines up to `line`, itself among them, are counted: `matches` since the tally began.
    pub fn advance(&mut self, line: Timestamp, matches: u64) {
        let next = line.saturating_add(SignedDuration::from_nanos(1)).unwrap_or(line).max(self.last.next);
        if self.earlier.back().is_none_or(|mark| self.last.next.duration_since(mark.next) >= APART) {
            self.earlier.push_back(self.last);
        }
        if self.earlier.len() > MARKS {
            self.earlier.pop_front();
        }
        self.last = Mark { next, matches };
    }

    /// The last mark before `end`: what was written later than that is yet to be read.
    ///
    /// # Errors
    /// A sentence: lines may be missing, or so old an instant is no longer known.
    pub fn until(&self, end: Timestamp) -> Result<Mark, String> {
        if let Some(why) = &self.lost {
            return Err(why.clone());
        }
        let mark = std::iter::once(&self.last).chain(self.earlier.iter().rev()).find(|mark| mark.next <= end);
        mark.copied().ok_or_else(|| "what was counted while it was written is all from later".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    #[test]
    fn what_was_written_after_the_end_is_not_in_the_count() {
        let mut tally = Tally::new(at(1_000), 0);
        for (line, matches) in [(2_000, 1), (3_500, 2), (5_000, 3), (9_000, 4)] {
            tally.advance(at(line), matches);
        }
        assert_eq!(tally.until(at(6_000)).map(|mark| mark.matches), Ok(3));
        assert_eq!(tally.until(at(1_000)).map(|mark| mark.matches), Ok(0));
        assert_eq!(tally.last.matches, 4);
    }

    #[test]
    fn a_line_at_the_mark_is_yet_to_be_read() {
        let mut tally = Tally::new(at(1_000), 0);
        tally.advance(at(2_000), 1);
        assert!(tally.last.next > at(2_000) && tally.last.next < at(2_001));
    }

    #[test]
    fn marks_are_a_second_apart_and_bounded_and_the_last_is_exact() {
        let mut tally = Tally::new(at(0), 0);
        for line in 1..=2_000_000_i64 {
            tally.advance(at(line), line as u64);
        }
        assert_eq!((tally.earlier.len(), tally.last.matches), (MARKS, 2_000_000));
        let mark = tally.until(at(1_900_000)).expect("kept");
        assert!((1_898_000..=1_900_000).contains(&mark.matches), "{mark:?}");
        assert!(tally.until(at(1_000_000)).is_err(), "older than what is kept");
    }

    #[test]
    fn lines_out_of_order_move_no_mark_back() {
        let mut tally = Tally::new(at(0), 0);
        tally.advance(at(5_000), 2);
        let stood = tally.last.next;
        tally.advance(at(4_000), 3);
        assert_eq!((tally.last.next, tally.last.matches), (stood, 3));
    }

    #[test]
    fn what_was_lost_stays_lost() {
        let mut tally = Tally::new(at(0), 0);
        tally.lost = Some("rotated".into());
        assert_eq!(tally.until(at(9)), Err("rotated".into()));
    }
}
