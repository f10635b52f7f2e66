//! The pod of an act: runs a statement or sends one request, at its time, once.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use super::{guard, plan_file};
use crate::evidence::live::{AddressCheck, Asked, Server, Values, run_statement, send_once};
use crate::plan::{ActInput, ActWhat, ObservedRow, PLAN_SHA256_ENV, PROTOCOL_VERSION, VarSourceInput, method};
use crate::results::gathered::act_said::ActSaid;

/// Where it finds and leaves things.
#[derive(Clone, Debug)]
pub struct ActArgs {
    /// An [`ActInput`] as JSON.
    pub plan: PathBuf,
    /// Where an [`ActSaid`] is left for the controller.
    pub termination_log: PathBuf,
}

impl Default for ActArgs {
    fn default() -> Self {
        Self { plan: "/plan/plan.json".into(), termination_log: "/dev/termination-log".into() }
    }
}

/// Does it. `environment` holds the secrets, and a cloud identity in it is refused; `denied` says which addresses may not be asked.
///
/// # Errors
/// A sentence without secrets: why it was not done. The same stands in the termination log.
pub async fn act(
    args: &ActArgs,
    environment: &HashMap<String, String>,
    denied: AddressCheck,
) -> Result<ActSaid, String> {
    let mut said = ActSaid::default();
    let done = tokio::select! {
        done = at_its_time(args, environment, denied, &mut said.ran_at_ms) => done,
        () = told_to_end() => Err("it was told to end before it was done".into()),
    };
    said.message = done.err();
    // Without the file (outside a cluster) what is returned says the same.
    let _ = std::fs::write(&args.termination_log, serde_json::to_vec(&said).unwrap_or_default());
    said.message.clone().map_or(Ok(said), Err)
}

async fn told_to_end() {
    match signal(SignalKind::terminate()) {
        Ok(mut told) => drop(told.recv().await),
        Err(_) => std::future::pending().await,
    }
}

async fn at_its_time(
    args: &ActArgs,
    environment: &HashMap<String, String>,
    denied: AddressCheck,
    ran_at: &mut Option<i64>,
) -> Result<(), String> {
    guard::check(Path::new(guard::TOKEN), |name| environment.contains_key(name)).map_err(|found| found.to_string())?;
    let input = read_plan(&args.plan, environment.get(PLAN_SHA256_ENV).map(String::as_str))?;
    // Before its time comes: what is missing is said at once.
    values(&input, environment)?;
    if let Some(due) = input.due {
        let ahead = due.from_ms - Timestamp::now().as_millisecond();
        tokio::time::sleep(Duration::from_millis(u64::try_from(ahead).unwrap_or(0))).await;
        let late = Timestamp::now().as_millisecond() - due.from_ms;
        if due.from_ms + late > due.to_ms {
            let most = (due.to_ms - due.from_ms) / 1000;
            return Err(format!(
                "its pod was ready {}.{} s after its time; at most {most} s are allowed",
                late / 1000,
                late % 1000 / 100
            ));
        }
    }
    *ran_at = Some(Timestamp::now().as_millisecond());
    perform(&input, environment, denied).await
}

/// Runs the statement or sends the request, now.
///
/// # Errors
/// A sentence without secrets: why it was not done.
pub(super) async fn perform(
    input: &ActInput,
    environment: &HashMap<String, String>,
    denied: AddressCheck,
) -> Result<(), String> {
    let values = values(input, environment)?;
    let limit = Duration::from_secs(input.timeout_seconds.max(1).into());
    match &input.what {
        ActWhat::Sql { statement, url_env } => {
            let server = Server::from_url(env(environment, url_env)?).map_err(|lost| lost.text)?;
            run_statement(&server, statement, &values, limit).await.map_err(|lost| lost.text)
        }
        ActWhat::Http { url, method: verb, headers, body } => {
            let asked = Asked { method: method(*verb), url, headers, body: body.as_deref() };
            send_once(&asked, &values, denied, limit).await
        }
    }
}

fn read_plan(path: &Path, digest: Option<&str>) -> Result<ActInput, String> {
    let broken = |why: String| format!("{}: {why}", path.display());
    let text = plan_file::read(path, digest).map_err(|refusal| refusal.message)?;
    let input: ActInput = serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
    if input.protocol != PROTOCOL_VERSION {
        return Err(broken(format!("the plan speaks protocol {}, this pod {PROTOCOL_VERSION}", input.protocol)));
    }
    Ok(input)
}

fn env<'a>(environment: &'a HashMap<String, String>, name: &str) -> Result<&'a str, String> {
    let missing = || format!("the environment variable {name} is not there: its Secret or key does not exist");
    environment.get(name).map(String::as_str).ok_or_else(missing)
}

fn values(input: &ActInput, environment: &HashMap<String, String>) -> Result<Values, String> {
    let mut vars = BTreeMap::new();
    for var in &input.vars {
        let value = match &var.source {
            VarSourceInput::Value(value) => value,
            VarSourceInput::Env(name) => env(environment, name)?,
        };
        vars.insert(var.name.clone(), value.to_owned());
    }
    let row = ObservedRow { row: input.row.unwrap_or(0), start_ms: None, end_ms: None };
    let values = Values::of_run(&input.run_id, input.run_start_ms, &vars).in_row(&row, None);
    Ok(match &input.ended {
        Some(ended) => values.with("run.verdict", &ended.verdict).with("run.message", &ended.message),
        None => values,
    })
}

#[cfg(test)]
#[path = "act_tests.rs"]
mod tests;
