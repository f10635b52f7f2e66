//! The application that the demo tests: `demo-app api` ingests tasks into a PostgreSQL queue, `demo-app worker`
//! works them off. Both are configured by environment variables or flags (`demo-app api --help`).

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use demo_app::{api, worker};

#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    /// Serve the HTTP API.
    Api(api::Options),
    /// Work off the queue.
    Worker(worker::Options),
}

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_ansi(false).with_target(false).init();
    let arguments = Arguments::parse();
    // A fixed number of threads: with a CPU limit below one core the default would be a single thread, and one burst
    // would then keep health checks waiting.
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    let ended = runtime.block_on(async {
        let stop = demo_app::shutdown::on_signal()?;
        match arguments.role {
            Role::Api(options) => api::run(options, stop).await,
            Role::Worker(options) => worker::run(options, stop).await,
        }
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    tracing::error!("demo-app ends: {error}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn no_two_options_of_a_role_are_in_each_others_way() {
        Arguments::command().debug_assert();
    }
}
