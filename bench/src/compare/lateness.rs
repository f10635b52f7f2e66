//! How late requests are sent, beside how late a loop with nothing in it but the kernel's timer wakes on the same core.

use std::error::Error;
use std::time::Instant;

use super::{Bench, breathe, say};
use crate::cost::{self, median};
use crate::table::{Goal, Row};

/// Requests a second.
const RATES: [u32; 3] = [1_000, 10_000, 50_000];
/// Most that a generator may add, microseconds.
const MOST: [(&str, f64); 2] = [("p50", 20.0), ("p99", 100.0)];
/// A bare loop that is later than this is disturbed by others, microseconds.
const NOISY: f64 = 100.0;

/// Two rows a rate.
///
/// # Errors
/// Neither can be measured.
pub fn rows(bench: &Bench<'_>) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut rows = Vec::new();
    for rate in RATES {
        let (mut bare, mut ours) = (Vec::new(), Vec::new());
        for round in 1..=bench.args.rounds {
            say(&format!("lateness at {rate} a second: round {round} of {}", bench.args.rounds));
            bare.push(late(bench, &["timer"], rate)?);
            ours.push(late(bench, &["load", &bench.args.url, "--clients", "1000"], rate)?);
            breathe();
        }
        for (i, (name, most)) in MOST.into_iter().enumerate() {
            let at = |all: &[[f64; 3]], i: usize| median(all.iter().map(|one| one[i]).collect()).unwrap_or(f64::NAN);
            let busy = format!("its core {:.0} and {:.0} % busy", at(&ours, BUSY), at(&bare, BUSY));
            let (bare, ours) = (at(&bare, i), at(&ours, i));
            let noisy = bare > NOISY;
            let goal = Goal::at_most(most, (!noisy).then_some(ours - bare));
            let noisy = if noisy { "; noisy: the bare loop itself is late" } else { "" };
            rows.push(Row {
                what: format!("added lateness us, {rate}/s, {name}"),
                digits: 0,
                ours: Some(ours - bare),
                goal: Some(goal),
                note: format!("loadtest {ours}, bare timer {bare}, {busy}{noisy}"),
                ..Row::default()
            });
        }
    }
    Ok(rows)
}

/// Where a turn has the share of its core that it took: near 100 % what is late is so because the core can do no more.
const BUSY: usize = 2;

/// p50 and p99 of one turn, microseconds, and the processor time that it took of the time that it lasted, percent.
fn late(bench: &Bench<'_>, part: &[&str], rate: u32) -> Result<[f64; 3], Box<dyn Error>> {
    let mut words = vec![std::env::current_exe()?.display().to_string()];
    words.extend(part.iter().map(ToString::to_string));
    words.extend(["--rate".into(), rate.to_string(), "--seconds".into(), bench.args.seconds.to_string()]);
    let began = Instant::now();
    let cost = cost::run(Some(bench.args.core), &words)?;
    let busy = 100.0 * cost.cpu.as_secs_f64() / began.elapsed().as_secs_f64();
    let [p50, p99] = read(&cost.text).ok_or_else(|| format!("no lateness in: {}", cost.text))?;
    Ok([p50, p99, busy])
}

/// `late p50 7 p99 42 us`
fn read(text: &str) -> Option<[f64; 2]> {
    let mut words = text.split("late p50 ").nth(1)?.split_whitespace();
    let p50 = words.next()?.parse().ok()?;
    Some([p50, words.nth(1)?.parse().ok()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_is_read_where_it_stands() {
        assert_eq!(read("late p50 7 p99 42 us"), Some([7.0, 42.0]));
        assert_eq!(
            read("9 requests in 1 s: 0 failed; late p50 3 p99 11 us; response p50 5 p99 9 us"),
            Some([3.0, 11.0])
        );
        assert_eq!(read("error"), None);
    }
}
