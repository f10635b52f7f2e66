//! What `dev/bench` and `dev/bench-check` run: the engine without a cluster, a server to send to, and a bare timer.

mod check;
mod compare;
mod cost;
mod load;
mod serve;
mod table;
mod timer;
mod tool;
mod truth;

use std::process::ExitCode;

use clap::Parser;

/// One part of a benchmark. Traffic stays on the loopback.
#[derive(Parser)]
enum Command {
    /// Sends a load with the product's engine and prints one line about it.
    Load(load::Args),
    /// Serves the same small answer to everything, until it is ended; prints its URL.
    Serve(serve::Args),
    /// Waits for the instants of a rate with nothing but the kernel's timer, and prints how late it woke.
    Timer(timer::Args),
    /// Measures the engine and its peers beside each other and prints one table.
    Compare(compare::Args),
    /// Counts the instructions of a request and compares them with a bound.
    Check(check::Args),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Load(args) => load::run(&args).await,
        Command::Serve(args) => serve::run(&args).await,
        Command::Timer(args) => timer::run(&args),
        Command::Compare(args) => compare::run(&args).await,
        Command::Check(args) => check::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
