//! What a request costs: instructions, which are the same whatever else the machine does, and processor time.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use super::{Bench, CLIENTS, breathe, say};
use crate::cost::{self, median};
use crate::table::{Goal, Row};
use crate::tool::{Amount, TOOLS, Tool};

/// Two amounts, whose difference leaves out start and end.
const AMOUNTS: [Amount; 2] = [Amount::Requests(5_000), Amount::Requests(25_000)];
/// A busy machine makes a run longer, and what is done by the clock is more then. So ours is counted several times, of which
/// the fewest stand.
const TIMES: usize = 3;
/// Of what a generator does with a request, so much may be its own work.
pub const MOST_INSTRUCTIONS: f64 = 3000.0;

/// Instructions a request in user mode, plain and in TLS. hey isn't counted: Go's runtime spins under valgrind.
///
/// # Errors
/// Ours can't be counted.
pub fn instructions(bench: &Bench<'_>) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut rows = Vec::new();
    for (what, url) in [("", Some(&bench.args.url)), (" in TLS", bench.args.tls_url.as_ref())] {
        let Some(url) = url else { continue };
        let mut counts = BTreeMap::new();
        for tool in [Tool::Ours, Tool::Wrk, Tool::Oha] {
            let Some(program) = bench.program(tool) else { continue };
            say(&format!("instructions{what}: {}", tool.name()));
            match of(tool, program, url) {
                Ok(count) => drop(counts.insert(tool.name(), count)),
                Err(error) => say(&error.to_string()),
            }
        }
        let mut row =
            bench.row(&format!("instructions a request{what}"), 0, |tool| counts.get(tool.name()).copied())?;
        row.goal = what.is_empty().then(|| Goal::at_most(MOST_INSTRUCTIONS, row.ours));
        rows.push(row);
    }
    Ok(rows)
}

/// Instructions a request of one tool.
///
/// # Errors
/// It can't be counted.
pub fn of(tool: Tool, program: &str, url: &str) -> Result<f64, Box<dyn Error>> {
    let mut counted = Vec::new();
    for amount in AMOUNTS {
        let mut fewest: Option<(u64, u64)> = None;
        for _ in 0..if tool == Tool::Ours { TIMES } else { 1 } {
            let (count, text) = cost::instructions(&tool.words(program, url, CLIENTS, amount))?;
            let requests = tool.requests(&text).ok_or_else(|| format!("{}: not all good: {text}", tool.name()))?;
            fewest = fewest.min(Some((count, requests))).or(Some((count, requests)));
        }
        counted.extend(fewest.map(|(count, requests)| (count as f64, requests as f64)));
    }
    Ok((counted[1].0 - counted[0].0) / (counted[1].1 - counted[0].1))
}

/// Microseconds of processor time a request: beside a server on another core, which the client then waits for; on the
/// server's own core, where there is always something to read; and in TLS. Of each, what was spent in user mode: the rest is the
/// kernel's, which every generator has to pay for a request and its answer.
///
/// # Errors
/// Ours can't be measured.
pub fn processor(bench: &Bench<'_>) -> Result<Vec<Row>, Box<dyn Error>> {
    let (own, shared) = (bench.args.core, bench.args.server_core);
    let parts = [
        ("CPU us a request, client waits", own, Some(&bench.args.url), 1.8),
        ("CPU us a request, client saturated", shared, Some(&bench.args.url), 1.8),
        ("CPU us a request in TLS", own, bench.args.tls_url.as_ref(), 1.4),
    ];
    let mut rows = Vec::new();
    for (what, core, url, oha) in parts {
        let Some(url) = url else { continue };
        let of = medians(bench, what, core, url);
        let peer = |tool: Tool| of.get(tool.name()).map(|[all, _]| *all);
        let mut row = bench.row(what, 1, peer)?;
        let beside_oha = Goal::times("oha", oha, row.ours, peer(Tool::Oha));
        row.goal = Some(match what.ends_with("TLS") {
            true => beside_oha,
            false => Goal::times("wrk", LEVEL, row.ours, peer(Tool::Wrk)).and(beside_oha),
        });
        rows.push(row);
        rows.push(bench.row("  of it in user mode", 1, |tool| of.get(tool.name()).map(|[_, user]| *user))?);
    }
    Ok(rows)
}

/// Level, as far as this can be measured.
const LEVEL: f64 = 0.95;

fn medians(bench: &Bench<'_>, what: &str, core: usize, url: &str) -> BTreeMap<&'static str, [f64; 2]> {
    let mut all: BTreeMap<&str, [Vec<f64>; 2]> = BTreeMap::new();
    for round in 1..=bench.args.rounds {
        say(&format!("{what}: round {round} of {}", bench.args.rounds));
        for tool in TOOLS {
            let Some((cost, requests)) = bench.turn(tool, core, url, CLIENTS, Amount::Seconds(bench.args.seconds))
            else {
                continue;
            };
            let each = |time: Duration| time.as_secs_f64() * 1e6 / requests as f64;
            let [whole, user] = all.entry(tool.name()).or_default();
            whole.push(each(cost.cpu));
            user.push(each(cost.user));
            breathe();
        }
    }
    all.into_iter().filter_map(|(name, [all, user])| Some((name, [median(all)?, median(user)?]))).collect()
}
