//! Arming a load and saying what came of it: the same in a generator pod and in a test without a cluster.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::refusal::Refusal;
use crate::api::{Breach, Reason};
use crate::engine::http::address::AddressRules;
use crate::engine::http::resolve::ResolveError;
use crate::engine::http::template::Constants;
use crate::engine::http::tls::TlsError;
use crate::engine::pace::schedule::Share;
use crate::engine::{ArmError, Armed, Breaker, Start, Stop, stop_switch};
use crate::plan::{GeneratorInput, LoadInput, PROTOCOL_VERSION, StopInput, VarInput, VarSourceInput};
use crate::results::gathered::record::{Header, LoadRecord, THRESHOLD};

/// How often it is looked whether a threshold stops the load.
const LOOK: Duration = Duration::from_millis(100);

/// What the row's texts are filled in with; `env` holds the secrets.
///
/// # Errors
/// `SecretMissing`, with the variable's name.
pub fn constants(input: &GeneratorInput, env: &BTreeMap<String, String>) -> Result<Constants, Refusal> {
    Ok(Constants::new(&input.run_id, input.run_start_ms, &values(&input.vars, env)?))
}

/// Arms a load; a name that can't be looked up is looked up so often, a second apart.
///
/// # Errors
/// What of the load can't be sent, and the reason of the protocol for it.
pub async fn arm(
    load: &LoadInput,
    share: Share,
    constants: &Constants,
    rules: &AddressRules,
    lookups: u32,
) -> Result<Armed, Refusal> {
    let mut left = lookups;
    loop {
        left = left.saturating_sub(1);
        match Armed::arm(load, share, constants, rules).await {
            Ok(armed) => return Ok(armed),
            Err(ArmError::Resolve { error: ResolveError::NoAddress { .. }, .. }) if left > 0 => {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => return Err(Refusal::new(reason_of(&error), error)),
        }
    }
}

/// Sends an armed load under the thresholds that stop it, as [`Armed::run`] does without them. What a threshold kept from
/// being sent was not due any more.
pub async fn run(
    armed: &Armed,
    stops: &[StopInput],
    start: Start,
    stop: Stop,
    hard_end: Option<Instant>,
) -> LoadRecord {
    let breaker = Breaker::new(stops);
    let (switch, own) = stop_switch();
    let mut breach = None;
    let watch = async {
        let mut asked = stop;
        tokio::select! {
            why = asked.requested() => switch.stop(why),
            broken = broken(armed, &breaker) => {
                breach = Some(broken);
                switch.stop(THRESHOLD);
            }
        }
        std::future::pending().await
    };
    let mut record = tokio::select! {
        record = armed.run(start, own, hard_end) => record,
        () = watch => unreachable!("the watch has no end"),
    };
    if record.stopped.as_deref() == Some(THRESHOLD) {
        record.counts.due -= record.counts.unsent;
        record.counts.unsent = 0;
        record.breach = breach;
    }
    record
}

/// Waits until a threshold is broken.
async fn broken(armed: &Armed, breaker: &Breaker) -> Breach {
    if breaker.is_empty() {
        return std::future::pending().await;
    }
    loop {
        if let Some(breach) = breaker.broken(&armed.progress().0) {
            return breach;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Who sent, for the records. `seen_after_ms`: how long after it was written the grant was seen.
pub fn header(input: &GeneratorInput, index: u32, start: Start, seen_after_ms: i64) -> Header {
    Header {
        protocol: PROTOCOL_VERSION,
        run_id: input.run_id.clone(),
        row: input.row,
        index,
        start_at_ms: start.wall_ms,
        grant_seen_after_ms: seen_after_ms,
        version: match option_env!("LOADTEST_COMMIT") {
            Some(commit) => format!("{} {commit}", env!("CARGO_PKG_VERSION")),
            None => env!("CARGO_PKG_VERSION").to_string(),
        },
    }
}

fn reason_of(error: &ArmError) -> Reason {
    match error {
        ArmError::Resolve { error: ResolveError::Denied { .. }, .. } => Reason::UrlNotAllowed,
        ArmError::Resolve { error: ResolveError::NoAddress { .. }, .. } => Reason::ServiceNotFound,
        ArmError::Tls { error: TlsError::ClientCertificate(_), .. } => Reason::SecretMissing,
        _ => Reason::InvalidSpec,
    }
}

/// The variables' values by name.
fn values(vars: &[VarInput], env: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Refusal> {
    let value = |var: &VarInput| match &var.source {
        VarSourceInput::Value(value) => Ok((var.name.clone(), value.clone())),
        VarSourceInput::Env(variable) => {
            let missing = || format!("vars[{}]: the environment variable {variable} of the pod is not set", var.name);
            let value = env.get(variable).ok_or_else(|| Refusal::new(Reason::SecretMissing, missing()))?;
            Ok((var.name.clone(), value.clone()))
        }
    };
    vars.iter().map(value).collect()
}
