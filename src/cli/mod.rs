//! The command line: parse, dispatch; one file a command.

mod completion;
mod object;
mod percentiles;
mod print;
mod run;
mod validate;

use std::path::PathBuf;
use std::process::ExitCode;

use self::object::ended;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::agents::{act, generate, observe};
use crate::controller;
use crate::engine::http::address::AddressRules;
use crate::evidence::live::AddressCheck;
use crate::runtime::telemetry;

/// Exit codes, the same everywhere.
pub mod exit {
    /// All thresholds held.
    pub const PASSED: u8 = 0;
    /// A threshold did not hold.
    pub const FAILED: u8 = 1;
    /// The command was not understood.
    pub const USAGE: u8 = 2;
    /// The test proves nothing, or contradicts itself.
    pub const INVALID: u8 = 3;
    /// The test was cancelled.
    pub const ABORTED: u8 = 4;
    /// Nobody could be asked.
    pub const UNASKED: u8 = 5;
    /// Ctrl-C ended the watching, as shells have it (128 + SIGINT); there is no verdict.
    pub const INTERRUPTED: u8 = 130;
}

#[derive(Parser)]
#[command(name = "loadtest", version = crate::runtime::version(), about = "Load tests as Kubernetes resources")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a manifest, or send requests to a URL, from this machine and without a cluster.
    Run(Box<run::Args>),
    /// Write a manifest for workloads that run already.
    Init(object::init::Args),
    /// Show what a manifest would do, what it would touch and put back, and what would keep it from starting. Starts nothing.
    Plan(object::plan::Args),
    /// Check manifests without a cluster; prints every error, or the plan.
    Validate(validate::Args),
    /// Show where a test stands until it is over; ends with the verdict's exit code. Ctrl-C leaves the test running.
    Watch(object::watch::Args),
    /// Print what came of a test, as a table, HTML, Markdown, CSV, JSON or JUnit; from the cluster or from a file.
    Report(object::report::Args),
    /// Print two runs side by side, if they may be compared; if not, in which field they differ.
    Compare(object::compare::Args),
    /// End a running test; everything is put back.
    Cancel(object::cancel::Args),
    /// Run a finished test once more.
    Rerun(object::rerun::Args),
    /// Put a workload back by the claim that it carries, when no operator is left to do it.
    Restore(object::restore::Args),
    /// Print generated files.
    Print(print::Args),
    /// Print what completes this program's words in a shell.
    Completion {
        /// The shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
        /// For kubectl's plugin: the file that kubectl asks, to be put into the PATH as kubectl_complete-loadtest.
        #[arg(long)]
        plugin: bool,
    },
    /// What kubectl asks to complete the plugin's words.
    #[command(hide = true)]
    Complete {
        /// The words so far; the last one is being typed.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// The operator's process, in its pod.
    Controller(controller::Args),
    /// A generator's process, in its pod.
    #[command(hide = true)]
    Generate(generate::GenerateArgs),
    /// The observer's process, in its pod.
    #[command(hide = true)]
    Observe,
    /// The process of an action that runs a statement or sends a request, in its pod.
    #[command(hide = true)]
    Act,
    /// The startup probe of a generator or observer.
    #[command(hide = true)]
    AgentReady,
}

/// Runs a command line.
pub fn main() -> ExitCode {
    // Two TLS libraries are linked in; without a choice made first, a client would panic.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match parsed().command {
        Command::Run(args) => block_on(run::run(*args)),
        Command::Validate(args) => validate::run(&args),
        Command::Init(args) => block_on(async { ended("init", object::init::init(&args).await) }),
        Command::Plan(args) => block_on(async { ended("plan", object::plan::plan(&args).await) }),
        Command::Watch(args) => block_on(async { ended("watch", object::watch::watch(&args).await) }),
        Command::Report(args) => block_on(async { ended("report", object::report::report(&args).await) }),
        Command::Compare(args) => block_on(async { ended("compare", object::compare::compare(&args).await) }),
        Command::Cancel(args) => block_on(async { ended("cancel", object::cancel::cancel(&args).await) }),
        Command::Rerun(args) => block_on(async { ended("rerun", object::rerun::rerun(&args).await) }),
        Command::Restore(args) => block_on(async { ended("restore", object::restore::restore(&args).await) }),
        Command::Print(args) => print::run(&args),
        Command::Completion { shell, plugin } => completion::print(shell, plugin, &mut command()),
        Command::Complete { words } => completion::complete(&words, &command()),
        Command::Controller(args) => {
            telemetry::start(true);
            block_on(async {
                match controller::run(args).await {
                    Ok(()) => ExitCode::SUCCESS,
                    Err(error) => {
                        eprintln!("loadtest controller: {error}");
                        ExitCode::from(exit::UNASKED)
                    }
                }
            })
        }
        Command::Generate(args) => block_on(generate::generate(args)),
        Command::Observe => block_on(observer()),
        Command::Act => block_on(action()),
        Command::AgentReady => {
            let ready = generate::agent_ready(std::path::Path::new(generate::ARMED_FILE));
            if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
    }
}

/// All commands with their options.
pub fn command() -> clap::Command {
    Cli::command()
}

/// The command line; kubectl finds the same program as its plugin `kubectl-loadtest`.
fn parsed() -> Cli {
    let called = std::env::args_os().next().map(PathBuf::from);
    let plugin = called.as_ref().and_then(|path| path.file_stem()).is_some_and(|name| name == "kubectl-loadtest");
    let command = if plugin { command().bin_name("kubectl loadtest") } else { command() };
    let matches = command.get_matches();
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// Which addresses an agent may not ask.
fn denied() -> AddressCheck {
    let rules = AddressRules::of_pod();
    std::sync::Arc::new(move |address| rules.denied(address))
}

async fn action() -> ExitCode {
    match act::act(&act::ActArgs::default(), &std::env::vars().collect(), denied()).await {
        Ok(_) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("loadtest act: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn observer() -> ExitCode {
    let environment = std::env::vars().collect();
    match observe::observe(&observe::ObserveArgs::default(), &environment, denied(), std::io::stdout()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => {
            eprintln!("loadtest observe: {refusal}");
            ExitCode::FAILURE
        }
    }
}

fn block_on(future: impl Future<Output = ExitCode>) -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(future),
        Err(error) => {
            eprintln!("loadtest: no runtime: {error}");
            ExitCode::from(exit::UNASKED)
        }
    }
}
