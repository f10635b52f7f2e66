//! Memory at many connections, and whether it grows with the requests.

use std::collections::BTreeMap;
use std::error::Error;

use super::{Bench, CLIENTS, breathe, say};
use crate::table::{Goal, Row};
use crate::tool::{Amount, TOOLS, Tool};

const CONNECTIONS: u32 = 10_000;
/// The memory of them, megabytes.
const MOST: f64 = 20.0;
/// Requests of the longer run, beside those of the shorter one.
const MILLION: [u64; 2] = [100_000, 1_100_000];
/// What allocators keep and give back is no growth, megabytes.
const FLAT: f64 = 1.0;

/// Both rows.
///
/// # Errors
/// Ours can't be measured.
pub fn rows(bench: &Bench<'_>) -> Result<Vec<Row>, Box<dyn Error>> {
    let core = bench.args.core;
    let mut most = BTreeMap::new();
    for tool in TOOLS {
        say(&format!("memory at {CONNECTIONS} connections: {}", tool.name()));
        let amount = if tool == Tool::Wrk { Amount::Seconds(5) } else { Amount::Requests(30_000) };
        if let Some((cost, _)) = bench.turn(tool, core, &bench.args.url, CONNECTIONS, amount) {
            most.insert(tool.name(), megabytes(cost.memory));
        }
        breathe();
    }
    let mut connections = bench.row("MB at 10,000 connections", 1, |tool| most.get(tool.name()).copied())?;
    connections.goal = Some(Goal::at_most(MOST, connections.ours));
    let mut ends = Vec::new();
    for requests in MILLION {
        say(&format!("memory after {requests} requests"));
        let turn = bench.turn(Tool::Ours, core, &bench.args.url, CLIENTS, Amount::Requests(requests));
        ends.push(megabytes(turn.ok_or("a million requests could not be sent")?.0.memory));
    }
    let growth = Some(ends[1] - ends[0]);
    let grown = Row {
        what: "MB more after a million requests".into(),
        digits: 1,
        ours: growth,
        goal: Some(Goal::at_most(FLAT, growth)),
        note: format!("{:.1} MB with 64 connections", ends[0]),
        ..Row::default()
    };
    Ok(vec![connections, grown])
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
