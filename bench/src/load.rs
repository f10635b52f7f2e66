//! A load of one GET, sent by the product's engine.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use loadtest_operator::engine::http::address::AddressRules;
use loadtest_operator::engine::http::template::Constants;
use loadtest_operator::engine::pace::schedule::Share;
use loadtest_operator::engine::{ArmError, Armed, Start, stop_switch};
use loadtest_operator::plan::{Arrivals, LoadInput, StepInput, TlsInput};
use loadtest_operator::results::gathered::histogram::decode;
use loadtest_operator::results::gathered::record::{Histogram, LoadRecord};

/// A load.
#[derive(clap::Args)]
pub struct Args {
    /// http(s)://127.0.0.1:PORT.
    url: String,
    /// Clients, or with --rate the most requests that may be open at once.
    #[arg(long, default_value_t = 64)]
    clients: u32,
    /// Requests in all, shared out among the clients.
    #[arg(long, default_value_t = 100_000)]
    requests: u64,
    /// Requests a second, sent when they are due.
    #[arg(long, requires = "seconds")]
    rate: Option<u32>,
    /// How long a rate is sent; without one, how long the clients go round.
    #[arg(long)]
    seconds: Option<u32>,
}

/// Sends it and prints one line.
///
/// # Errors
/// The load can't be sent.
pub async fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let arrivals = match (args.rate, args.seconds) {
        (Some(count), Some(seconds)) => Arrivals::Rate { count, per_seconds: 1, seconds, max_in_flight: args.clients },
        (None, Some(seconds)) => Arrivals::Seconds { clients: args.clients, seconds },
        _ => {
            let iterations_per_client = args.requests.div_ceil(u64::from(args.clients.max(1)));
            Arrivals::Iterations { clients: args.clients, iterations_per_client }
        }
    };
    let start = Start { at: Instant::now() + Duration::from_millis(50), wall_ms: 0 };
    let record = send(&input(&args.url, arrivals), start).await?;
    let wall = record.counts.last_end_ms.unwrap_or(0) as f64 / 1000.0;
    println!(
        "{} requests in {wall:.3} s: {} good, {} failed, {} capped, {} unsent; late {}; response {}; service {}; {} KiB",
        record.counts.sent,
        record.counts.ok,
        record.counts.failed,
        record.counts.capped,
        record.counts.unsent,
        percentiles(&record.lateness)?,
        percentiles(&record.latency)?,
        percentiles(&record.service)?,
        peak_kib()
    );
    for (class, count) in &record.counts.failures {
        println!("failed: {count} {class}");
    }
    Ok(())
}

/// Sends a load from a start to its end.
///
/// # Errors
/// It can't be sent.
pub async fn send(load: &LoadInput, start: Start) -> Result<LoadRecord, ArmError> {
    let constants = Constants::new("bench", 0, &BTreeMap::new());
    let share = Share::whole(std::slice::from_ref(load), 0);
    let armed = Armed::arm(load, share, &constants, &AddressRules::Any).await?;
    let (_switch, stop) = stop_switch();
    Ok(armed.run(start, stop, None).await)
}

/// One GET with a variable in it, so that every request is made anew.
pub fn input(url: &str, arrivals: Arrivals) -> LoadInput {
    let step = StepInput {
        name: "get".into(),
        method: "GET".into(),
        path: "/$(seq)".into(),
        timeout_seconds: 30,
        ..StepInput::default()
    };
    LoadInput {
        name: "bench".into(),
        url: url.into(),
        arrivals,
        warmup_seconds: 0,
        start_after_seconds: 0,
        connection: loadtest_operator::api::ConnectionUse::KeepAlive,
        seed: 1,
        generators: 1,
        headers: vec![],
        basic_auth: None,
        tls: TlsInput { insecure_skip_verify: true, ca_file: None, client_certificate: None },
        steps: vec![step],
        stops: vec![],
    }
}

/// `p50 7 p99 42 us`.
fn percentiles(histogram: &Histogram) -> Result<String, Box<dyn Error>> {
    let read = decode(histogram)?;
    let at = |quantile| read.value_at_quantile(quantile);
    Ok(format!("p50 {} p99 {} us", at(0.50), at(0.99)))
}

/// The most memory that this process ever had (`VmHWM` in proc(5)); 0 where the system doesn't say.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
