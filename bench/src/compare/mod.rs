//! Everything that is measured, ours beside the peers', as one table.

mod lateness;
mod memory;
mod speed;

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use crate::cost::{self, Cost};
use crate::table::{Row, table};
use crate::tool::{Amount, TOOLS, Tool};
use crate::truth;

pub use speed::of as instructions_of;

/// Clients of every comparison but that of many connections.
const CLIENTS: u32 = 64;

/// What is compared.
#[derive(clap::Args)]
pub struct Args {
    /// A server that answers every GET with 200, for example http://127.0.0.1:8080.
    #[arg(long)]
    url: String,
    /// The same in TLS.
    #[arg(long)]
    tls_url: Option<String>,
    /// A peer that is there: wrk=FILE, oha=FILE, hey=FILE.
    #[arg(long = "peer", value_parser = peer)]
    peers: Vec<(Tool, String)>,
    /// The core of the load generators; the server should be on another one.
    #[arg(long)]
    core: usize,
    /// The server's core.
    #[arg(long)]
    server_core: usize,
    /// Rounds of which the medians are shown; in each of them every tool has its turn.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each tool sends in a round.
    #[arg(long, default_value_t = 2)]
    seconds: u32,
    /// Leave out what cachegrind counts.
    #[arg(long)]
    without_valgrind: bool,
}

/// Measures and prints the table; says what it does as it goes.
///
/// # Errors
/// Our own generator or the server doesn't work. A peer that fails is a dash.
pub async fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let bench = Bench::new(args)?;
    let mut parts = vec![speed::processor(&bench), lateness::rows(&bench), memory::rows(&bench)];
    if !args.without_valgrind {
        parts.insert(0, speed::instructions(&bench));
    }
    say("truth: seven servers whose delays are scripted, 20 s");
    parts.push(truth::row(20).await.map(|row| vec![row]));
    // A part that can't be measured costs its rows, not the others'.
    let (mut rows, mut broken) = (Vec::new(), None);
    for part in parts {
        match part {
            Ok(some) => rows.extend(some),
            Err(error) => broken = Some(error),
        }
    }
    let names: Vec<&str> = TOOLS[1..].iter().map(|tool| tool.name()).collect();
    println!("{}", table(&names, &rows).trim_end());
    let missed = rows.iter().filter(|row| row.goal.as_ref().is_some_and(|goal| goal.met == Some(false))).count();
    let unsaid = rows.iter().filter(|row| row.goal.as_ref().is_some_and(|goal| goal.met.is_none())).count();
    println!("Medians of {} interleaved rounds. {missed} goals missed, {unsaid} not said.", args.rounds);
    broken.map_or(Ok(()), Err)
}

/// The tools that are there, and where they run.
struct Bench<'a> {
    args: &'a Args,
    programs: BTreeMap<&'static str, (Tool, String)>,
}

impl<'a> Bench<'a> {
    fn new(args: &'a Args) -> Result<Self, Box<dyn Error>> {
        let ours = std::env::current_exe()?.display().to_string();
        let all = args.peers.iter().cloned().chain([(Tool::Ours, ours)]);
        Ok(Self { args, programs: all.map(|(tool, program)| (tool.name(), (tool, program))).collect() })
    }

    fn program(&self, tool: Tool) -> Option<&str> {
        self.programs.get(tool.name()).map(|(_, program)| program.as_str())
    }

    /// A tool's turn: what it cost and its good answers; `None`: the tool isn't there, or failed, which is said.
    fn turn(&self, tool: Tool, core: usize, url: &str, clients: u32, amount: Amount) -> Option<(Cost, u64)> {
        let words = tool.words(self.program(tool)?, url, clients, amount);
        let cost = cost::run(Some(core), &words).map_err(|error| say(&error.to_string())).ok()?;
        let requests = tool.requests(&cost.text);
        if requests.is_none() {
            let line = cost.text.lines().next().unwrap_or("nothing");
            say(&format!("{}: not all of its requests were good: {line}", tool.name()));
        }
        Some((cost, requests?))
    }

    /// A row whose columns are these figures of the tools; ours must be there.
    fn row(&self, what: &str, digits: usize, figure: impl Fn(Tool) -> Option<f64>) -> Result<Row, Box<dyn Error>> {
        let ours = figure(Tool::Ours).ok_or_else(|| format!("{what}: ours could not be measured"))?;
        let peers = TOOLS[1..].iter().map(|tool| figure(*tool)).collect();
        Ok(Row { what: what.into(), digits, ours: Some(ours), peers, ..Row::default() })
    }
}

/// To standard error, which is for people who wait.
fn say(line: &str) {
    eprintln!("{line}");
}

/// Between two turns, so that the sockets of one are not the next one's load.
fn breathe() {
    std::thread::sleep(Duration::from_millis(200));
}

fn peer(text: &str) -> Result<(Tool, String), String> {
    let (name, file) = text.split_once('=').ok_or("write NAME=FILE")?;
    let tool = TOOLS[1..].iter().find(|tool| tool.name() == name).ok_or("the peers are wrk, oha and hey")?;
    Ok((*tool, file.into()))
}
