//! `loadtest watch NAME`: where a test stands, until it is over.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use kube::runtime::{WatchStreamExt, watcher};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, interval, sleep_until};

use super::{Connection, Said, code_of, is_busy};
use crate::api::{LoadTest, LoadTestStatus, Reason, Row};
use crate::cli::exit;
use crate::cli::run::output::verdict_line;
use crate::cli::run::screen::fitted;
use crate::cli::run::terminal::width;
use crate::results::figures::decimal::{human, human_count, number};

/// An operator looks at a test within a second or two. Later than that none may be there.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which test.
#[derive(clap::Args)]
pub struct Args {
    /// Name of the LoadTest.
    name: String,
    #[command(flatten)]
    connection: Connection,
}

/// Shows a line for each row and each change of state, and the table at the end. Ends with the verdict's exit code,
/// or [`exit::INTERRUPTED`] when Ctrl-C came first.
///
/// # Errors
/// There is no such test, or nobody could be asked.
pub async fn watch(args: &Args) -> Result<u8, Said> {
    // Asked for once and before anything is shown: whoever asks anew each time misses what comes in between.
    let mut interrupted = signal(SignalKind::interrupt())
        .map_err(|error| Said { text: format!("Ctrl-C can't be heard: {error}"), code: exit::UNASKED })?;
    let place = args.connection.open().await?;
    let name = args.name.as_str();
    let mut shown = Shown::default();
    shown.look(&place.test(name).await?);
    let stream = watcher::watch_object(place.api::<LoadTest>(), name).default_backoff();
    let mut changes = std::pin::pin!(stream);
    let mut clock = interval(Duration::from_secs(1));
    let (nobody_by, mut told) = (Instant::now() + PATIENCE, false);
    loop {
        tokio::select! {
            change = changes.next() => match change {
                Some(Ok(Some(test))) => {
                    shown.look(&test);
                    if !is_busy(&test) {
                        return Ok(shown.end(&test));
                    }
                }
                Some(Ok(None)) => {
                    shown.clear();
                    return Err(Said { text: format!("{name} was deleted; what it changed is put back"), code: exit::ABORTED });
                }
                Some(Err(watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error)))
                    if is_final(&error) =>
                {
                    shown.clear();
                    return Err(place.why("LoadTest", name, &error));
                }
                Some(Err(error)) => shown.say(&format!("the cluster does not answer: {error}; trying again")),
                None => return Err(Said { text: "the cluster closed the watch".into(), code: exit::UNASKED }),
            },
            _ = clock.tick() => shown.tick(),
            () = sleep_until(nobody_by), if shown.unseen && !told => {
                told = true;
                shown.say(&unseen(&place.namespace));
            }
            _ = interrupted.recv() => {
                shown.clear();
                eprintln!("{name} goes on in the cluster; only the watching has ended.");
                eprintln!("  again: kubectl loadtest watch {name}    end it: kubectl loadtest cancel {name}");
                return Ok(exit::INTERRUPTED);
            }
        }
    }
}

/// What stands on the screen: lines that stay, and on a terminal one that is written over.
#[derive(Default)]
struct Shown {
    rows: usize,
    last: String,
    until: Option<Timestamp>,
    live: bool,
    /// No operator has looked at it.
    unseen: bool,
}

impl Shown {
    fn look(&mut self, test: &LoadTest) {
        self.unseen = test.status.as_ref().and_then(|status| status.observed_generation).is_none_or(|seen| seen < 0);
        let Some(status) = &test.status else { return };
        let done: Vec<&Row> = status.results.iter().filter(|row| row.verdict.is_some()).collect();
        self.rows = self.rows.min(done.len());
        for row in &done[self.rows..] {
            self.say(&row_line(row));
        }
        self.rows = done.len();
        self.until = status.run.as_ref().and_then(|run| run.step_deadline).map(|at| at.0);
        let line = state_line(status);
        if line != self.last && is_busy(test) {
            self.last.clone_from(&line);
            if std::io::stderr().is_terminal() { self.tick() } else { self.say(&line) }
        }
    }

    fn say(&mut self, line: &str) {
        self.clear();
        eprintln!("{line}");
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.live) {
            eprint!("\r\x1b[K");
        }
    }

    fn tick(&mut self) {
        let Some(width) = width(&std::io::stderr()).filter(|_| !self.last.is_empty()) else { return };
        let left = self.until.map(|until| until.duration_since(Timestamp::now()).as_secs()).filter(|left| *left > 0);
        let left = left.map(|left| format!("  at most {:02}:{:02} more", left / 60, left % 60)).unwrap_or_default();
        // A character in the last column would wrap on some terminals.
        let line: String = format!("{}{left}", self.last).chars().take(width.saturating_sub(1)).collect();
        eprint!("\r\x1b[K{line}");
        let _ = std::io::stderr().flush();
        self.live = true;
    }

    /// The table and the verdict.
    fn end(&mut self, test: &LoadTest) -> u8 {
        self.clear();
        let status = test.status.clone().unwrap_or_default();
        let mut text = String::new();
        if let Some(table) = &status.table {
            text += &width(&std::io::stdout()).map_or(table.clone(), |width| fitted(table, width));
            text.push('\n');
        }
        let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready");
        let (reason, message) = ready.map_or(("", ""), |ready| (&ready.reason, &ready.message));
        let verdict = status.verdict.map_or_else(|| "-".into(), |verdict| format!("{verdict:?}"));
        text += &verdict_line(&verdict, reason, message);
        if let Some(advice) = Reason::parse(reason).and_then(Reason::advice) {
            text += &format!("What to do: {advice}\n");
        }
        let _ = std::io::stdout().write_all(text.as_bytes());
        code_of(test)
    }
}

/// It is no use to ask again: there is no right, or nobody is known.
fn is_final(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 401 || status.code == 403)
}

/// What to look at when nobody takes up a test.
fn unseen(namespace: &str) -> String {
    format!(
        "no operator has looked at it yet. Is one installed, and does it watch namespace {namespace}?\n  \
         kubectl get deployments -A -l app.kubernetes.io/name=loadtest-operator"
    )
}

/// `row 2: Passed  ingest.clients=4  1,004 tasks  100.3/s`.
fn row_line(row: &Row) -> String {
    let verdict = row.verdict.map_or_else(|| "-".into(), |verdict| format!("{verdict:?}"));
    let mut line = format!("row {}: {verdict}", row.row);
    if let Some(reason) = row.reason.as_deref().filter(|reason| *reason != "ThresholdsMet") {
        line += &format!(" ({reason})");
    }
    row.set.iter().for_each(|set| line += &format!("  {}={}", set.name, set.value));
    if let Some(tasks) = row.tasks {
        let rate = row.tasks_per_second.as_ref().and_then(number).map(|rate| format!("  {}/s", human(rate)));
        line += &format!("  {} tasks{}", human_count(tasks.0), rate.unwrap_or_default());
    }
    line
}

/// `row 2 of 4  Loading: …`.
fn state_line(status: &LoadTestStatus) -> String {
    let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready");
    let run = status.run.as_ref();
    let row = run.and_then(|run| run.row).filter(|row| *row > 0);
    let place = row.map(|row| match run.and_then(|run| run.rows) {
        Some(rows) => format!("row {row} of {rows}  "),
        None => format!("row {row}  "),
    });
    let (reason, message) = ready.map_or(("Pending", ""), |ready| (ready.reason.as_str(), ready.message.as_str()));
    let message = if message.is_empty() { String::new() } else { format!(": {message}") };
    format!("{}{reason}{message}", place.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_says_its_verdict_its_set_and_its_tasks() {
        let row: Row = serde_json::from_value(json!({"row": 2, "verdict": "Failed", "reason": "RequestsFailed",
            "set": [{"name": "ingest.clients", "value": "4"}], "tasks": 1004, "tasksPerSecond": "100.3"}))
        .unwrap();
        assert_eq!(row_line(&row), "row 2: Failed (RequestsFailed)  ingest.clients=4  1,004 tasks  100.3/s");
        let row: Row =
            serde_json::from_value(json!({"row": 1, "verdict": "Passed", "reason": "ThresholdsMet"})).unwrap();
        assert_eq!(row_line(&row), "row 1: Passed");
    }

    #[test]
    fn a_state_says_the_row_the_reason_and_why() {
        let ready = json!({"type": "Ready", "status": "False", "reason": "TargetBusy", "message": "held by shop/other",
            "lastTransitionTime": "2026-01-01T00:00:00Z"});
        let run = json!({"id": 1, "generation": 1, "planHash": "a", "hashVersion": 1, "protocolVersion": 1, "row": 2, "rows": 4});
        let status = |run| serde_json::from_value(json!({"conditions": [ready], "run": run})).unwrap();
        assert_eq!(state_line(&status(run)), "row 2 of 4  TargetBusy: held by shop/other");
        assert_eq!(state_line(&LoadTestStatus::default()), "Pending");
    }
}
