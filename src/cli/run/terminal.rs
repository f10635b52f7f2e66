//! What is shown while a test runs, on standard error: one line that is written over, or, where that is no terminal, a
//! line now and then.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use super::screen::live_line;
use crate::agents::local::Event;
use crate::plan::PlannedRow;

/// Where nothing can be written over, a line so often.
const NOW_AND_THEN: Duration = Duration::from_secs(10);

/// Columns of a terminal; `None`: it is none.
pub fn width(of: &(impl IsTerminal + std::os::fd::AsFd)) -> Option<usize> {
    let size = of.is_terminal().then(|| rustix::termios::tcgetwinsize(of).ok()).flatten()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// The line that is written over.
pub struct Live {
    shown: bool,
    quiet: bool,
    last: Instant,
}

impl Live {
    /// `quiet`: nothing is shown.
    pub fn new(quiet: bool) -> Self {
        Self { shown: false, quiet, last: Instant::now() }
    }

    /// Shows what happens.
    pub fn tell(&mut self, event: Event<'_>) {
        match event {
            Event::Row(planned) => self.say(&begun(planned)),
            Event::Loading(progress) => self.show(|width| live_line(progress, width)),
            Event::Waiting(what) => self.show(|width| what.chars().take(width).collect()),
            Event::Loaded => self.clear(),
            Event::Done(row) => {
                let verdict = row.verdict.map_or_else(|| "-".into(), |verdict| format!("{verdict:?}"));
                self.say(&format!("row {}: {verdict}", row.row));
            }
        }
    }

    /// A line that stays.
    pub fn say(&mut self, text: &str) {
        self.clear();
        if !self.quiet {
            // Who closed standard error doesn't want to read it.
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }

    fn show(&mut self, line: impl Fn(usize) -> String) {
        match width(&std::io::stderr()) {
            _ if self.quiet => {}
            // A character in the last column would wrap on some terminals.
            Some(width) => {
                let _ = write!(std::io::stderr(), "\r\x1b[K{}", line(width.saturating_sub(1)));
                let _ = std::io::stderr().flush();
                self.shown = true;
            }
            None if self.last.elapsed() >= NOW_AND_THEN => {
                self.last = Instant::now();
                self.say(&line(usize::MAX));
            }
            None => {}
        }
    }
}

fn begun(planned: &PlannedRow) -> String {
    let set: Vec<String> = planned.set.iter().map(|set| format!("{}={}", set.name, set.value)).collect();
    format!("row {}: {}", planned.number, if set.is_empty() { "begins".into() } else { set.join("  ") })
}
