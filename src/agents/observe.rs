//! The observer pod: samples PostgreSQL and the measurements once a second, and says what it saw on standard output.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use super::channel::Annotations;
use super::refusal::Refusal;
use super::sampling::sample;
use super::{guard, plan_file};
use crate::api::Reason;
use crate::evidence::live::{AddressCheck, Sources, resolve};
use crate::plan::{MeasurementSource, ObservedRow, ObserverInput, PLAN_SHA256_ENV, PROTOCOL_VERSION};
use crate::results::gathered::record::Termination;
use crate::results::gathered::sample::ObserverLine;

/// Annotation with an [`ObservedRow`] as JSON.
pub const ROW: &str = "loadtest.dev/row";
/// File in the state directory that says: the sources were asked at least once.
pub const ARMED: &str = "armed";
/// An observer whose sources keep silent is armed all the same: what they don't say is in the samples.
const ARM_ANYWAY: Duration = Duration::from_secs(15);

/// Where an observer finds and leaves things.
#[derive(Clone, Debug)]
pub struct ObserveArgs {
    /// An [`ObserverInput`] as JSON.
    pub plan: PathBuf,
    /// Downward-API file with the pod's annotations.
    pub annotations: PathBuf,
    /// Directory for the readiness file [`ARMED`].
    pub state: PathBuf,
    /// Where a refusal is left for the controller.
    pub termination_log: PathBuf,
}

impl Default for ObserveArgs {
    fn default() -> Self {
        Self {
            plan: "/plan/plan.json".into(),
            annotations: "/etc/podinfo/annotations".into(),
            state: "/state".into(),
            termination_log: "/dev/termination-log".into(),
        }
    }
}

/// Runs until SIGTERM. `environment` holds the secrets, and a cloud identity in it is refused; `denied` says which addresses http measurements may not ask;
/// `out` gets one JSON line an [`ObserverLine`], flushed.
///
/// # Errors
/// Why it refused; the same stands in the termination log.
pub async fn observe(
    args: &ObserveArgs,
    environment: &HashMap<String, String>,
    denied: AddressCheck,
    out: impl Write,
) -> Result<(), Refusal> {
    let ran = watch(args, environment, denied, out).await;
    if let Err(refusal) = &ran {
        leave_word(&args.termination_log, refusal);
    }
    ran
}

/// Writes a refusal to the termination log.
pub fn leave_word(termination_log: &Path, refusal: &Refusal) {
    let reason = Some(refusal.reason.as_str().to_owned());
    let word = Termination { reason, message: Some(refusal.message.clone()), loads: vec![] };
    // Without the file (outside a cluster) the error that is returned says the same.
    let _ = std::fs::write(termination_log, serde_json::to_vec(&word).unwrap_or_default());
}

async fn watch(
    args: &ObserveArgs,
    environment: &HashMap<String, String>,
    denied: AddressCheck,
    mut out: impl Write,
) -> Result<(), Refusal> {
    guard::check(Path::new(guard::TOKEN), |name| environment.contains_key(name))
        .map_err(|identity| Refusal::new(Reason::AgentHasIdentity, identity.to_string()))?;
    let input = read_plan(&args.plan, environment.get(PLAN_SHA256_ENV).map(String::as_str))?;
    let secrets = resolve(&input, environment).map_err(|name| {
        let why = format!("the environment variable {name} is not there: its Secret or key does not exist");
        Refusal::new(Reason::SecretMissing, why)
    })?;
    certificates(&input)?;
    let mut sources = Sources::start(&input, &secrets, denied).map_err(|why| Refusal::new(Reason::InvalidSpec, why))?;
    let mut stop = signal(SignalKind::terminate())
        .map_err(|error| Refusal::new(Reason::ObserverLost, format!("cannot wait for SIGTERM: {error}")))?;
    let (began, mut armed) = (Instant::now(), false);
    let told = |lines: &[ObserverLine], asked: usize| {
        say(&mut out, lines)?;
        if !armed && (!lines.is_empty() || asked == 0 || began.elapsed() > ARM_ANYWAY) {
            arm(&args.state)?;
            armed = true;
        }
        Ok(())
    };
    tokio::select! {
        refusal = sample(&mut sources, || row_now(&args.annotations), told) => return Err(refusal),
        _ = stop.recv() => {}
    }
    say(&mut out, &sources.answered())
}

/// The client certificates of measurements are there.
fn certificates(input: &ObserverInput) -> Result<(), Refusal> {
    for measurement in &input.measurements {
        let MeasurementSource::Http { tls, .. } = &measurement.source else { continue };
        let missing =
            |directory: &String| ["tls.crt", "tls.key"].iter().any(|file| !Path::new(directory).join(file).exists());
        if tls.client_certificate.as_ref().is_some_and(missing) {
            let name = &measurement.name;
            let why = format!(
                "measurements[{name}].http.tls.clientCertificateFrom: the Secret, its tls.crt or tls.key is not there"
            );
            return Err(Refusal::new(Reason::SecretMissing, why));
        }
    }
    Ok(())
}

/// Writes one line each.
fn say(out: &mut impl Write, lines: &[ObserverLine]) -> Result<(), Refusal> {
    for line in lines {
        let written = serde_json::to_string(line).map_err(std::io::Error::from);
        written
            .and_then(|text| writeln!(out, "{text}").and_then(|()| out.flush()))
            .map_err(|error| Refusal::new(Reason::ObserverLost, format!("cannot write to standard output: {error}")))?;
    }
    Ok(())
}

/// The row as the annotations say; none while they can't be read, and then the last one known stays.
fn row_now(annotations: &Path) -> Option<ObservedRow> {
    serde_json::from_str(Annotations::read(annotations).ok()?.get(ROW)?).ok()
}

fn read_plan(path: &Path, digest: Option<&str>) -> Result<ObserverInput, Refusal> {
    let broken = |why: String| Refusal::new(Reason::InvalidSpec, format!("{}: {why}", path.display()));
    let text = plan_file::read(path, digest)?;
    let version = serde_json::from_str::<Version>(&text).map_err(|error| broken(error.to_string()))?;
    if version.protocol != PROTOCOL_VERSION {
        let why = format!("the plan speaks protocol {}, this observer {PROTOCOL_VERSION}", version.protocol);
        return Err(Refusal::new(Reason::UnknownProtocol, why));
    }
    serde_json::from_str(&text).map_err(|error| broken(error.to_string()))
}

/// What is read before the rest, which another version may have changed.
#[derive(serde::Deserialize)]
struct Version {
    protocol: i32,
}

fn arm(state: &Path) -> Result<(), Refusal> {
    std::fs::write(state.join(ARMED), "").map_err(|error| {
        Refusal::new(Reason::ObserverLost, format!("cannot write {}: {error}", state.join(ARMED).display()))
    })
}

#[cfg(test)]
#[path = "observe_tests.rs"]
mod tests;
