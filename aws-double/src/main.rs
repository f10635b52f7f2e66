//! Serves the double: a scenario from a file, or the figures of a real PostgreSQL beside it.

use std::path::PathBuf;
use std::process::ExitCode;

use aws_double::{Double, State, live};
use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// A double of the AWS APIs for RDS, CloudWatch, Database Insights and STS.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Address to listen on.
    #[arg(long, env = "LISTEN", default_value = "0.0.0.0:8080")]
    listen: String,
    /// Answer from this JSON file.
    #[arg(long, value_name = "FILE", required_unless_present = "postgres", conflicts_with = "postgres")]
    scenario: Option<PathBuf>,
    #[command(flatten)]
    live: live::Options,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_ansi(false).with_target(false).init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("aws-double ends: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let double = match arguments.scenario {
        Some(path) => {
            let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            let state: State = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
            Double::with_state(state)
        }
        None => live::start(arguments.live)?,
    };
    let listener = TcpListener::bind(&arguments.listen).await?;
    tracing::info!("listening on {}", listener.local_addr()?);
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        ended = double.serve(listener) => ended?,
        _ = terminate.recv() => (),
        _ = interrupt.recv() => (),
    }
    Ok(())
}
