//! The generator pod: reads its plan, arms, waits for the grant, fires once, leaves its records.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use super::channel::{Annotations, GRANTED_AT, HARD_END_AT, POLL, START_AT, STOP_AT};
use super::refusal::Refusal;
use super::{emit, fire, guard, plan_file};
use crate::api::Reason;
use crate::engine::http::address::AddressRules;
use crate::engine::pace::schedule::Share;
use crate::engine::{Armed, Start, StopSwitch, stop_switch};
use crate::plan::{GeneratorInput, PLAN_SHA256_ENV, PROTOCOL_VERSION};
use crate::results::gathered::record::{Header, LoadRecord, Termination};

/// A grant is good only while the start is still so far ahead, milliseconds.
const AHEAD_MS: std::ops::RangeInclusive<i64> = 200..=60_000;
/// A name that can't be looked up is looked up so often, a second apart: a new Service's name takes a moment.
const LOOKUPS: u32 = 10;

/// What `loadtest generate` is told. The pod of the operator needs none of it.
#[derive(Clone, Debug, clap::Args)]
pub struct GenerateArgs {
    /// The row's plan.
    #[arg(long, default_value = "/plan/plan.json")]
    pub plan: PathBuf,
    /// The pod's annotations (downward API).
    #[arg(long, default_value = "/etc/podinfo/annotations")]
    pub annotations: PathBuf,
    /// An empty folder of the pod's own, for the files `armed` and `fired`.
    #[arg(long, default_value = "/state")]
    pub state: PathBuf,
    /// Where the summary goes.
    #[arg(long, default_value = "/dev/termination-log")]
    pub termination_log: PathBuf,
    /// Which generator of the row this is.
    #[arg(long, env = "JOB_COMPLETION_INDEX")]
    pub index: u32,
    /// Seconds to wait for the grant.
    #[arg(long, default_value_t = 600)]
    pub arm_timeout: u64,
}

/// The file that says a pod is armed, for its startup probe.
pub const ARMED_FILE: &str = "/state/armed";

/// Whether an agent is ready: the file is there.
pub fn agent_ready(path: &Path) -> bool {
    path.is_file()
}

/// What the process finds around itself.
struct Surroundings {
    env: BTreeMap<String, String>,
    token: PathBuf,
    rules: AddressRules,
}

/// The generator's main function: success when the load was sent (to its end or until it was stopped), failure when
/// nothing was sent, with the reason in the termination message.
pub async fn generate(args: GenerateArgs) -> ExitCode {
    let env: BTreeMap<_, _> = std::env::vars().collect();
    let api_server = env.get("KUBERNETES_SERVICE_HOST").and_then(|host| host.parse::<IpAddr>().ok());
    let rules = AddressRules::Pod { api_server: api_server.into_iter().collect() };
    let around = Surroundings { env, token: guard::TOKEN.into(), rules };
    let ended = run(&args, &around, &mut std::io::stdout()).await;
    let code = if ended.reason.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if let Err(error) = std::fs::write(&args.termination_log, emit::termination(&ended)) {
        tracing::warn!("cannot write the termination message: {error}");
    }
    if let (Some(reason), Some(message)) = (&ended.reason, &ended.message) {
        tracing::error!("{reason}: {message}");
    }
    code
}

async fn run(args: &GenerateArgs, around: &Surroundings, out: &mut impl Write) -> Termination {
    match fired(args, around).await {
        Err(refusal) => Termination {
            reason: Some(refusal.reason.as_str().to_string()),
            message: Some(refusal.message),
            loads: vec![],
        },
        Ok((header, record)) => {
            let loads = vec![record];
            let lost = emit::records(out, &header, &loads).err();
            let message = lost.map(|error| format!("the records could not be written: {error}"));
            Termination { reason: None, message, loads }
        }
    }
}

async fn fired(args: &GenerateArgs, around: &Surroundings) -> Result<(Header, LoadRecord), Refusal> {
    guard::check(&around.token, |name| around.env.contains_key(name))
        .map_err(|identity| Refusal::new(Reason::AgentHasIdentity, identity))?;
    let input = read_plan(&args.plan, around.env.get(PLAN_SHA256_ENV).map(String::as_str))?;
    let (armed, load) = arm(&input, args.index, around).await?;
    let mut terminated = signal(SignalKind::terminate())
        .map_err(|error| Refusal::new(Reason::GeneratorLost, format!("cannot listen for SIGTERM: {error}")))?;
    say_armed(&args.state)?;
    let grant = tokio::select! {
        grant = wait_for_grant(args) => grant?,
        _ = terminated.recv() => return Err(Refusal::new(Reason::StartMissed, "ended by SIGTERM before the start")),
    };
    mark_fired(&args.state)?;
    let (switch, stop) = stop_switch();
    let record = tokio::select! {
        record = fire::run(&armed, &input.loads[load].stops, grant.start, stop, grant.hard_end) => record,
        () = watch(&args.annotations, &switch, terminated.recv()) => unreachable!("the watch has no end"),
    };
    Ok((fire::header(&input, args.index, grant.start, grant.seen_after_ms), record))
}

fn read_plan(path: &Path, digest: Option<&str>) -> Result<GeneratorInput, Refusal> {
    let invalid = |what: String| Refusal::new(Reason::InvalidSpec, format!("the plan in {}: {what}", path.display()));
    let text = plan_file::read(path, digest)?;
    let any: serde_json::Value = serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))?;
    // Looked at first: another version's plan may not even have our fields.
    if any["protocol"] != PROTOCOL_VERSION {
        let message = format!("the plan has protocol {}, this image speaks {PROTOCOL_VERSION}", any["protocol"]);
        return Err(Refusal::new(Reason::UnknownProtocol, message));
    }
    serde_json::from_value(any).map_err(|error| invalid(error.to_string()))
}

async fn arm(input: &GeneratorInput, index: u32, around: &Surroundings) -> Result<(Armed, usize), Refusal> {
    let (position, share) = Share::of_index(&input.loads, index).ok_or_else(|| {
        Refusal::new(Reason::InvalidSpec, format!("the row has no generator with the completion index {index}"))
    })?;
    let constants = fire::constants(input, &around.env)?;
    let armed = fire::arm(&input.loads[position], share, &constants, &around.rules, LOOKUPS).await?;
    Ok((armed.excusing(&input.excused), position))
}

fn say_armed(state: &Path) -> Result<(), Refusal> {
    let failed = |what| Refusal::new(Reason::ArmTimeout, format!("{}: {what}", state.display()));
    if state.join("fired").symlink_metadata().is_ok() {
        return Err(Refusal::new(Reason::StartMissed, "this pod has fired before and does not fire again"));
    }
    std::fs::write(state.join("armed"), "").map_err(|error| failed(format!("cannot write the file armed: {error}")))
}

/// Once a pod: the file is made exclusively, so a container that is started again can't fire.
fn mark_fired(state: &Path) -> Result<(), Refusal> {
    std::fs::File::create_new(state.join("fired")).map(drop).map_err(|error| {
        Refusal::new(Reason::StartMissed, format!("the file fired could not be made, so nothing was sent: {error}"))
    })
}

/// The start as it was granted, by the monotonic clock.
#[derive(Debug)]
struct Grant {
    start: Start,
    hard_end: Option<Instant>,
    seen_after_ms: i64,
}

async fn wait_for_grant(args: &GenerateArgs) -> Result<Grant, Refusal> {
    let deadline = Instant::now() + Duration::from_secs(args.arm_timeout);
    while Instant::now() < deadline {
        // An unreadable file is one that the kubelet is about to write.
        if let Ok(annotations) = Annotations::read(&args.annotations)
            && let Some(grant) = granted(&annotations, Timestamp::now().as_millisecond(), Instant::now())?
        {
            return Ok(grant);
        }
        tokio::time::sleep(POLL).await;
    }
    Err(Refusal::new(Reason::ArmTimeout, format!("no start was granted within {} s", args.arm_timeout)))
}

/// The grant in the annotations, `None` when there is none yet; `now_ms` and `now` are the same instant.
fn granted(annotations: &Annotations, now_ms: i64, now: Instant) -> Result<Option<Grant>, Refusal> {
    let missed = |message: String| Refusal::new(Reason::StartMissed, message);
    let instant = |key| annotations.instant_ms(key).map_err(|error| missed(error.to_string()));
    if annotations.get(STOP_AT).is_some() {
        return Err(missed("stopped before the start".into()));
    }
    let Some(start_ms) = instant(START_AT)? else {
        return Ok(None);
    };
    let ahead = start_ms - now_ms;
    if !AHEAD_MS.contains(&ahead) {
        let message =
            format!("the start was seen {ahead} ms ahead; it must be {} to {} ms", AHEAD_MS.start(), AHEAD_MS.end());
        return Err(missed(message));
    }
    let later = |ms: i64| now + Duration::from_millis(u64::try_from(ms - now_ms).unwrap_or(0));
    Ok(Some(Grant {
        start: Start { at: later(start_ms), wall_ms: start_ms },
        hard_end: instant(HARD_END_AT)?.map(later),
        seen_after_ms: instant(GRANTED_AT)?.map_or(0, |granted_ms| now_ms - granted_ms),
    }))
}

/// Stops the load on SIGTERM and at the instant in `stop-at`. Goes on for ever.
async fn watch(annotations: &Path, switch: &StopSwitch, terminated: impl Future<Output = Option<()>>) {
    let stop_at = async {
        loop {
            let asked = Annotations::read(annotations).ok().and_then(|read| read.instant_ms(STOP_AT).ok().flatten());
            if asked.is_some_and(|at| at <= Timestamp::now().as_millisecond()) {
                return;
            }
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::select! {
        () = stop_at => switch.stop("stop-at"),
        _ = terminated => switch.stop("sigterm"),
    }
    std::future::pending().await
}

#[cfg(test)]
#[path = "generate_tests.rs"]
mod tests;
