//! `loadtest run FILE|URL`: a test without a cluster, from this machine.

mod manifest;
pub mod output;
pub mod screen;
pub mod summary;
pub mod terminal;
mod url;
mod values;

use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use uuid::Uuid;

use self::manifest::Refused;
use self::terminal::Live;
use self::url::RequestArgs;
use super::exit;
use crate::agents::local::{self, LocalTest, Mapping, NotApplied};
use crate::api::{Instant, Verdict};
use crate::engine::{StopSwitch, stop_switch};
use crate::plan::RunIdentity;

/// What to run, and what stands in for the cluster.
#[derive(clap::Args)]
pub struct Args {
    /// A manifest (`-` is standard input), or a URL.
    #[arg(value_name = "FILE|URL")]
    what: String,
    /// The LoadTest to run, where the file holds several.
    #[arg(long)]
    name: Option<String>,
    /// A value for an entry of spec.vars. Without it, one from a Secret is read from the environment variable
    /// LOADTEST_VAR_NAME, where other users of this machine can't see it. May be repeated.
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
    vars: Vec<(String, String)>,
    /// postgres://user:password@host/database, in place of the Secret that database.postgres names.
    #[arg(long, value_name = "URL", env = crate::plan::POSTGRES_URL_ENV, hide_env_values = true)]
    postgres_url: Option<String>,
    /// Leave database.postgres out, and all that rests on it.
    #[arg(long, conflicts_with = "postgres_url")]
    without_postgres: bool,
    /// Where the manifest's URLs are from here, for example http://api:8080=http://127.0.0.1:9080 (a port-forward);
    /// without FROM, all of them. May be repeated.
    #[arg(long, value_name = "[FROM=]TO")]
    base_url: Vec<Mapping>,
    /// CA certificates (PEM) to trust, and no others, for every load and measurement with https; also in place of those
    /// in ConfigMaps.
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    cacert: Option<PathBuf>,
    /// A file in place of a ConfigMap's key that is uploaded. May be repeated.
    #[arg(long = "file", value_name = "CONFIGMAP/KEY=FILE", value_parser = pair)]
    files: Vec<(String, String)>,
    /// Write table.md, results.csv, results.json and junit.xml into this folder.
    #[arg(long, value_name = "FOLDER")]
    report: Option<PathBuf>,
    /// Write the report as one HTML file, without script or network.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Show nothing but the table and the verdict.
    #[arg(long)]
    quiet: bool,
    #[command(flatten)]
    request: RequestArgs,
}

/// Runs the test and prints its table and verdict. Exit codes: those of [`exit`]; a manifest with errors is Invalid.
pub async fn run(args: Args) -> ExitCode {
    let mut live = Live::new(args.quiet);
    let manifest = match manifest::read(&args) {
        Ok(manifest) => manifest,
        Err(Refused { lines, code }) => {
            lines.iter().for_each(|line| eprintln!("loadtest run: {line}"));
            return ExitCode::from(code);
        }
    };
    if let Err(line) = output::writable(args.report.as_deref(), args.html.as_deref()) {
        eprintln!("loadtest run: {line}");
        return ExitCode::from(exit::USAGE);
    }
    not_applied(&manifest.not_applied, &mut live);
    manifest.chosen.iter().for_each(|line| live.say(line));
    let started_at = Timestamp::now().as_millisecond();
    let unique = Uuid::new_v4().simple().to_string();
    let test = LocalTest {
        plan: &manifest.plan,
        run: RunIdentity { name: format!("{}-{}-1", manifest.name, &unique[..5]), start_ms: started_at },
        environment: manifest.environment,
        ca_file: args.cacert.as_ref().map(|file| file.display().to_string()),
        files: args.files.clone(),
    };
    let (switch, stop) = stop_switch();
    let watching = tokio::spawn(stop_by_hand(switch));
    let ended = local::run(&test, &stop, &mut |event| live.tell(event)).await;
    watching.abort();
    live.clear();
    let output = output::Output {
        name: &manifest.name,
        plan: &manifest.plan,
        ended: &ended,
        not_judged: manifest.not_applied.iter().filter(|one| one.path.starts_with("spec.thresholds")).count(),
        started_at: Instant::from_millis(started_at),
        finished_at: Instant::from_millis(Timestamp::now().as_millisecond()),
    };
    output.print();
    if let Some(folder) = &args.report {
        match output.write(folder) {
            Ok(()) => live.say(&format!("The report is in {}.", folder.display())),
            Err(error) => {
                eprintln!("loadtest run: --report {}: {error}", folder.display());
                return ExitCode::from(exit::UNASKED);
            }
        }
    }
    if let Some(file) = &args.html {
        match output.html().and_then(|text| std::fs::write(file, text)) {
            Ok(()) => live.say(&format!("The report is in {}.", file.display())),
            Err(error) => {
                eprintln!("loadtest run: --html {}: {error}", file.display());
                return ExitCode::from(exit::UNASKED);
            }
        }
    }
    ExitCode::from(match ended.outcome.verdict {
        Verdict::Passed => exit::PASSED,
        Verdict::Failed => exit::FAILED,
        Verdict::Invalid => exit::INVALID,
        Verdict::Aborted => exit::ABORTED,
    })
}

fn not_applied(all: &[NotApplied], live: &mut Live) {
    if !all.is_empty() {
        live.say("Not applied, because there is no cluster:");
        all.iter().for_each(|one| live.say(&format!("  {}: {}", one.path, one.why)));
    }
}

/// The first Ctrl-C (or SIGTERM) ends the load and keeps what was measured, the second ends the process.
async fn stop_by_hand(switch: StopSwitch) {
    let (Ok(mut interrupted), Ok(mut terminated)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers the signals end the process, as they would by themselves.
        return std::future::pending().await;
    };
    let word = tokio::select! {
        _ = interrupted.recv() => "sigint",
        _ = terminated.recv() => "sigterm",
    };
    switch.stop(word);
    eprintln!("\nStopping: open requests have 5 s. Ctrl-C again ends at once, without results.");
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
    std::process::exit(exit::ABORTED.into());
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.into(), value.into()))
}
