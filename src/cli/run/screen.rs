//! PURE: what fits on a screen: the live line, and a Markdown table that is too wide for the terminal.

use std::time::Duration;

use crate::agents::local::Progress;
use crate::results::figures::decimal::{human, human_count};
use crate::results::figures::load_figures::SAMPLE_FLOOR;

/// Longer cells stand below the table, in lines of their own.
const LONGEST_CELL: usize = 24;

/// The live line of at most `width` characters; what is least asked for goes first.
pub fn live_line(progress: &Progress, width: usize) -> String {
    let clock = |time: Duration| format!("{:02}:{:02}", time.as_secs() / 60, time.as_secs() % 60);
    let mut parts = Vec::new();
    if progress.rows > 1 {
        parts.push(format!("row {}/{}", progress.row, progress.rows));
    }
    parts.push(match (progress.whole, progress.planned) {
        (Some(whole), _) => format!("{} left", clock(whole.saturating_sub(progress.elapsed))),
        (None, Some(planned)) => {
            format!("{} of {} left", count(planned.saturating_sub(progress.sent)), count(planned))
        }
        (None, None) => clock(progress.elapsed),
    });
    if progress.warming_up {
        parts.push("warming up".into());
    }
    #[allow(clippy::cast_possible_truncation)] // a rate that a clock and a count made
    parts.push(progress.rate.map_or_else(|| "-/s".into(), |rate| format!("{}/s", human(rate.round()))));
    parts.push(format!("p50 {} p99 {} ms", quantile(progress, 0.50), quantile(progress, 0.99)));
    parts.push(format!("errors {}", count(progress.failed)));
    parts.push(format!("in flight {}", count(progress.open)));
    if progress.planned.is_none() || progress.whole.is_some() {
        parts.push(format!("sent {}", count(progress.sent)));
    }
    let mut line = String::new();
    for part in parts {
        let gap = if line.is_empty() { "" } else { "  " };
        if line.chars().count() + gap.len() + part.chars().count() > width {
            break;
        }
        line += &format!("{gap}{part}");
    }
    line
}

fn count(n: u64) -> String {
    human_count(i64::try_from(n).unwrap_or(i64::MAX))
}

/// Milliseconds, `-` from too few answers.
fn quantile(progress: &Progress, quantile: f64) -> String {
    let floor = SAMPLE_FLOOR.iter().find(|(q, _)| *q == quantile).map_or(1, |(_, floor)| *floor);
    if progress.latency.len() < floor {
        return "-".into();
    }
    #[allow(clippy::cast_precision_loss)] // at most an hour
    human(progress.latency.value_at_quantile(quantile) as f64 / 1000.0)
}

/// The text as it is, where every line of its tables fits; else each table turned round, a column for each row, and the
/// lines between wrapped.
pub fn fitted(text: &str, width: usize) -> String {
    if text.lines().all(|line| line.chars().count() <= width) {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut grid: Vec<Vec<String>> = Vec::new();
    for line in text.lines().chain([""]) {
        if line.starts_with('|') {
            grid.push(cells(line));
            continue;
        }
        if !grid.is_empty() {
            out += &turned(&std::mem::take(&mut grid), width);
        }
        out += &wrapped(line, width, "");
        out.push('\n');
    }
    out.trim_end().to_owned() + "\n"
}

/// The cells of a line of Markdown, without its escapes.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut escaped) = (Vec::new(), String::new(), false);
    for c in line.trim().trim_start_matches('|').chars() {
        match (c, escaped) {
            ('\\', false) => escaped = true,
            ('|', false) => cells.push(std::mem::take(&mut cell).trim().replace("&lt;", "<")),
            _ => {
                cell.push(c);
                escaped = false;
            }
        }
    }
    cells
}

/// A grid turned round; as many of its rows beside each other as fit, the others below.
fn turned(grid: &[Vec<String>], width: usize) -> String {
    let [titles, _, rows @ ..] = grid else { return String::new() };
    let long = |column: usize| {
        column + 1 == titles.len()
            || rows.iter().any(|row| row.get(column).is_some_and(|c| c.chars().count() > LONGEST_CELL))
    };
    let short = titles.iter().enumerate().filter(|(column, _)| !long(*column));
    let label = short.map(|(_, title)| title.chars().count()).max().unwrap_or(0);
    let wide = |row: &Vec<String>| {
        let short = row.iter().enumerate().filter(|(column, _)| !long(*column));
        short.map(|(_, cell)| cell.chars().count()).max().unwrap_or(0)
    };
    let (mut out, mut left) = (String::new(), rows);
    while !left.is_empty() {
        let mut room = width.saturating_sub(label);
        let fits = |row: &&Vec<String>| {
            let wanted = wide(row) + 2;
            let there = room >= wanted;
            room = room.saturating_sub(wanted);
            there
        };
        let (now, later) = left.split_at(left.iter().take_while(fits).count().max(1));
        for (column, title) in titles.iter().enumerate().filter(|(column, _)| !long(*column)) {
            out += &format!("{title:<label$}");
            now.iter().for_each(|row| out += &format!("  {:>1$}", row[column], wide(row)));
            out.push('\n');
        }
        out.push('\n');
        left = later;
    }
    for row in rows {
        for (column, title) in titles.iter().enumerate().filter(|(column, _)| long(*column)) {
            let cell = row.get(column).map_or("-", String::as_str);
            if cell != "-" {
                out += &wrapped(&format!("{} {}, {title}: {cell}", titles[0], row[0]), width, "  ");
                out.push('\n');
            }
        }
    }
    out
}

/// Words in lines of at most `width` characters; all but the first begin with `indent`.
pub fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let (mut out, mut line) = (String::new(), String::new());
    for word in text.split(' ') {
        if !line.trim().is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            out += line.trim_end();
            out.push('\n');
            line = format!("{indent}{word}");
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line += word;
        }
    }
    out + line.trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::gathered::histogram;

    fn progress() -> Progress {
        let mut latency = histogram::empty();
        (0..100).for_each(|_| histogram::record(&mut latency, 2_000));
        Progress {
            row: 2,
            rows: 5,
            elapsed: Duration::from_secs(70),
            whole: Some(Duration::from_secs(200)),
            warming_up: false,
            sent: 12_345,
            failed: 3,
            open: 17,
            planned: None,
            rate: Some(99.8),
            latency,
        }
    }

    #[test]
    fn the_live_line_says_rate_latency_errors_in_flight_and_what_is_left() {
        let line = live_line(&progress(), 200);
        assert_eq!(line, "row 2/5  02:10 left  100/s  p50 2 p99 - ms  errors 3  in flight 17  sent 12,345");
        let few = Progress { whole: None, planned: Some(20_000), rows: 1, rate: None, ..progress() };
        assert!(live_line(&few, 200).starts_with("7,655 of 20,000 left  -/s"), "{}", live_line(&few, 200));
        assert!(live_line(&Progress { warming_up: true, ..progress() }, 80).contains("warming up"));
    }

    #[test]
    fn the_live_line_never_wraps() {
        for width in 0..120 {
            assert!(live_line(&progress(), width).chars().count() <= width);
        }
        assert!(live_line(&progress(), 79).contains("in flight"));
    }

    const TABLE: &str = "| Run | Clients | Tasks/s | Verdict | Observations |\n|----:|---:|---:|---|---|\n\
        |   1 |       1 |   108.8 | Passed  | - |\n|   2 |      20 |   146.4 | Failed  | a\\|b timed out after 60 s |\n\n\
        Key: `-` not available. Latency counts from the instant a request was due.\n";

    #[test]
    fn a_table_that_fits_is_the_table() {
        assert_eq!(fitted(TABLE, 100), TABLE);
    }

    #[test]
    fn a_table_that_is_too_wide_is_turned_round_and_nothing_is_lost() {
        let text = fitted(TABLE, 40);
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
        for words in
            ["Run           1       2", "Tasks/s   108.8   146.4", "Run 2, Observations: a|b timed out after", "Key:"]
        {
            assert!(text.contains(words), "{words:?} is not in\n{text}");
        }
        assert!(!text.contains("Run 1, Observations"));
    }

    #[test]
    fn rows_that_do_not_fit_beside_each_other_stand_below() {
        let text = fitted(TABLE, 18);
        assert_eq!(text.matches("Clients").count(), 2, "{text}");
    }
}
