//! Counts the lines of a streamed log that match a pattern.

use jiff::Timestamp;
use regex::Regex;

/// Bytes of one line that are looked at; the rest of a longer line is skipped.
const LONGEST_LINE: usize = 64 * 1024;

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Lines that match.
    pub matches: u64,
    /// Lines in the window.
    pub lines: u64,
    /// When the last of them was written.
    pub last: Option<Timestamp>,
    /// The log was longer than the cap: both numbers are "at least".
    pub truncated: bool,
}

/// Counts line by line over text that comes in pieces, cut anywhere.
pub struct LineCounter {
    regex: Regex,
    window: Option<(Timestamp, Timestamp)>,
    bytes_left: u64,
    line: Vec<u8>,
    counted: Counted,
}

impl LineCounter {
    /// Counts matches of `regex` in at most `cap` bytes of log.
    ///
    /// `window`: start inclusive, end exclusive; then each line must begin with an RFC 3339
    /// instant and a blank, as `pods/log?timestamps=true` writes it, and lines without one don't count.
    pub fn new(regex: &Regex, window: Option<(Timestamp, Timestamp)>, cap: u64) -> Self {
        Self { regex: regex.clone(), window, bytes_left: cap, line: Vec::new(), counted: Counted::default() }
    }

    /// Takes the next piece. False when the cap is reached and nothing more is needed.
    pub fn push(&mut self, piece: &[u8]) -> bool {
        let room = usize::try_from(self.bytes_left).unwrap_or(usize::MAX).min(piece.len());
        if room < piece.len() {
            self.counted.truncated = true;
        }
        self.bytes_left -= room as u64;
        for part in piece[..room].split_inclusive(|byte| *byte == b'\n') {
            let fits = LONGEST_LINE.saturating_sub(self.line.len()).min(part.len());
            self.line.extend_from_slice(&part[..fits]);
            if part.ends_with(b"\n") {
                self.end_line();
            }
        }
        !self.counted.truncated
    }

    /// The counts of the lines that are whole so far.
    pub fn so_far(&self) -> Counted {
        self.counted
    }

    /// The counts, the last line included when it has no end. A line cut by the cap is not counted.
    pub fn finish(mut self) -> Counted {
        if !self.line.is_empty() && !self.counted.truncated {
            self.end_line();
        }
        self.counted
    }

    fn end_line(&mut self) {
        let bytes = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end_matches(['\n', '\r']);
        let Some((at, message)) = self.in_window(text) else { return };
        self.counted.lines += 1;
        self.counted.last = at.max(self.counted.last);
        self.counted.matches += u64::from(self.regex.is_match(message));
    }

    /// The line's instant, and the line without it; none when it is not of the window.
    fn in_window<'t>(&self, text: &'t str) -> Option<(Option<Timestamp>, &'t str)> {
        let Some((start, end)) = self.window else {
            return Some((None, text));
        };
        let (instant, message) = text.split_once(' ').unwrap_or((text, ""));
        let at = instant.parse::<Timestamp>().ok()?;
        (start..end).contains(&at).then_some((Some(at), message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    fn counted(pieces: &[&str], window: Option<(i64, i64)>, cap: u64) -> Counted {
        let window = window.map(|(start, end)| (at(start), at(end)));
        let regex = Regex::new("time(d )?out").unwrap();
        let mut counter = LineCounter::new(&regex, window, cap);
        pieces.iter().all(|piece| counter.push(piece.as_bytes()));
        counter.finish()
    }

    #[test]
    fn a_line_counts_once_however_often_it_matches() {
        let seen = counted(&["timeout timeout\nfine\n", "timed out\n"], None, 1000);
        assert_eq!(seen, Counted { matches: 2, lines: 3, last: None, truncated: false });
    }

    #[test]
    fn a_line_cut_between_two_pieces_is_one_line() {
        assert_eq!(counted(&["a time", "out b\nlast timeout"], None, 1000).matches, 2);
    }

    #[test]
    fn only_lines_of_the_window_count() {
        let log = "1970-01-01T00:00:01.999999999Z timeout\n1970-01-01T00:00:02Z timeout\n1970-01-01T00:00:03Z timeout\nx timeout\n";
        assert_eq!(
            counted(&[log], Some((2000, 3000)), 1000),
            Counted { matches: 1, lines: 1, last: Some(at(2000)), truncated: false }
        );
    }

    #[test]
    fn the_instant_itself_is_not_searched() {
        let regex = Regex::new("1970|^$").unwrap();
        let mut counter = LineCounter::new(&regex, Some((at(0), at(9000))), 1000);
        counter.push(b"1970-01-01T00:00:01Z fine\n1970-01-01T00:00:01Z \n");
        assert_eq!(counter.finish().matches, 1);
    }

    #[test]
    fn a_log_over_the_cap_is_marked_and_its_cut_line_not_counted() {
        let seen = counted(&["timeout\ntimeout\n", "timeout\n"], None, 15);
        assert_eq!(seen, Counted { matches: 1, lines: 1, last: None, truncated: true });
    }

    #[test]
    fn a_log_of_exactly_the_cap_is_whole() {
        assert_eq!(counted(&["timeout\n"], None, 8), Counted { matches: 1, lines: 1, last: None, truncated: false });
    }

    #[test]
    fn an_endless_line_does_not_grow_in_memory() {
        let regex = Regex::new("x").unwrap();
        let mut counter = LineCounter::new(&regex, None, u64::MAX);
        for _ in 0..100 {
            counter.push(&[b'x'; 10_000]);
        }
        assert!(counter.line.len() <= LONGEST_LINE);
        assert_eq!(counter.finish().matches, 1);
    }
}
