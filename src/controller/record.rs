//! Records: each is one compare-and-swap of the status subresource. What a change means for the state is `State::after`;
//! here the facts beside it are added, and the conditions derived.

use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use kube::runtime::events::{Event, EventType};
use serde_json::json;
use tracing::{debug, warn};

use super::error::PassError;
use super::finish;
use super::io::call;
use super::session::{Session, now};
use crate::api::{
    Count, Instant, LoadTest, LoadTestStatus, Phase, Reason, ReasonKind, Row, RowVerdict, Run, Size, TargetAtStart,
    TargetRecord, TargetState, Verdict,
};
use crate::build::{CLAIM, Claim, Field};
use crate::evidence::cluster::pods::digest;
use crate::lifecycle::conditions::{Standing, conditions};
use crate::lifecycle::{Change, State, view};
use crate::plan::{HASH_VERSION, PROTOCOL_VERSION};
use crate::results::compact::compact;
use crate::results::row::empty;

/// A message that only reports progress is written at most so often, milliseconds.
const PROGRESS_EVERY: i64 = 5_000;
/// Earlier runs that are kept.
const HISTORY: usize = 5;

/// Records a change.
///
/// # Errors
/// Somebody else wrote the object meanwhile (409), or the API server did not answer.
pub async fn record(session: &mut Session<'_>, change: &Change) -> Result<(), PassError> {
    let mut status = session.status();
    let mut next = session.state.after(change, &session.view, &session.intent, now());
    facts(session, change, &mut status, &next).await;
    if let Change::Finish = change {
        // The verdict's reason: that of the worst row, or of what ended the run early.
        next.end = session.state.end;
    }
    view::write(&next, &mut status, &session.sized, &|uid| session.uids.get(&uid).cloned());
    if let Change::Released(_) = change {
        // After the state, which knows no difference between put back and put back but for a field.
        mark_skipped(session, &mut status);
    }
    let message = message(session, change, &status);
    let standing = standing(&status, &next, reason_of(change, session.view.evidence > 0));
    set_conditions(session, &mut status, &standing, &message);
    compact_but_current(&mut status, next.row);
    write(session, status).await?;
    if let (Change::Released(_), false, true) = (change, session.sized.is_empty(), session.memory.skipped.is_empty()) {
        event(session, Reason::Restored, Reason::Restored.meaning()).await;
    }
    if let Some(reason) = announced(&standing) {
        tell(session, reason, &message).await;
    }
    if next.run != session.memory.run {
        session.context.forget(&session.uid());
    }
    Ok(())
}

/// Says in the conditions (and once in an event) what is waited for, when that changed.
///
/// # Errors
/// As [`record`].
pub async fn announce(session: &mut Session<'_>, reason: Reason) -> Result<(), PassError> {
    let mut status = session.status();
    let ready = status.conditions.iter().find(|c| c.type_ == "Ready");
    let message = if reason == Reason::Suspended { finish::plan_text(session) } else { session.note.clone() };
    let known = ready.is_some_and(|c| {
        let same = c.reason == reason.as_str() && c.observed_generation == Some(Count(session.intent.generation));
        let news = !message.is_empty() && c.message != message;
        same && !(news && now() - session.memory.written_at >= PROGRESS_EVERY)
    });
    if known || status.phase == Some(Phase::Finished) && reason != Reason::Suspended {
        return Ok(());
    }
    status.observed_generation = Some(session.intent.generation);
    let standing = if reason == Reason::Suspended { Standing::Held } else { Standing::Busy(reason) };
    if reason == Reason::Suspended {
        status.phase = Some(Phase::Pending);
    }
    set_conditions(session, &mut status, &standing, &message);
    write(session, status).await?;
    tell(session, reason, &message).await;
    Ok(())
}

/// Keeps the status small, but the row in progress whole: what it still needs is read from here.
fn compact_but_current(status: &mut LoadTestStatus, row: u8) {
    let open = |last: &Row| last.row == i32::from(row) && last.ended_at.is_none();
    let current = if status.results.last().is_some_and(open) { status.results.pop() } else { None };
    compact(status);
    status.results.extend(current);
}

/// The reason that a change puts into the conditions of a run that goes on.
fn reason_of(change: &Change, late_figures: bool) -> Reason {
    match change {
        Change::Begin => Reason::Claiming,
        Change::NextRow => Reason::RollingOut,
        Change::Creating => Reason::CreatingGenerators,
        Change::Originals(_) | Change::Arming(_) => Reason::Arming,
        Change::Fire { .. } => Reason::WaitingForStart,
        Change::Loading => Reason::Loading,
        Change::Collecting => Reason::Collecting,
        Change::Collected | Change::RowInvalid(_) => Reason::Draining,
        Change::Settling | Change::RowDone => Reason::Settling,
        Change::Restoring(_) => Reason::Restoring,
        Change::Released(_) if late_figures => Reason::WaitingForEvidence,
        Change::Released(_) => Reason::Restoring,
        Change::Observe | Change::Refuse(_) | Change::Finish => Reason::ThresholdsMet,
    }
}

fn standing(status: &LoadTestStatus, next: &State, busy: Reason) -> Standing {
    match (next.phase, status.verdict) {
        (Phase::Finished, Some(verdict)) => {
            let reason = status.run.as_ref().and_then(|run| Reason::parse(run.reason.as_deref()?)).or(next.end);
            Standing::Over(verdict, reason.unwrap_or(Reason::InvalidSpec))
        }
        _ => Standing::Busy(busy),
    }
}

fn announced(standing: &Standing) -> Option<Reason> {
    match standing {
        Standing::Busy(reason) | Standing::Over(_, reason) => Some(*reason),
        Standing::Held => None,
    }
}

fn message(session: &Session<'_>, change: &Change, status: &LoadTestStatus) -> String {
    match change {
        Change::Refuse(Reason::Cancelled) => "spec.cancel is true, so no run is started".into(),
        Change::Refuse(_) => session.errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        Change::Restoring(reason) if reason.kind() != ReasonKind::End => {
            let note = if session.note.is_empty() { reason.meaning() } else { &session.note };
            format!("{reason}: {note}; the targets are being put back")
        }
        Change::Originals(_) => {
            "the targets are claimed and their originals recorded; nothing of them is changed yet".into()
        }
        Change::Finish => session.memory.outcome.clone().unwrap_or_default(),
        Change::Observe => {
            let ready = status.conditions.iter().find(|c| c.type_ == "Ready" && c.reason != Reason::Suspended.as_str());
            ready.map(|c| c.message.clone()).unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// What stands in the status beside the state.
async fn facts(session: &mut Session<'_>, change: &Change, status: &mut LoadTestStatus, next: &State) {
    match change {
        Change::Begin => begin(session, status, next),
        Change::Refuse(reason) => {
            archive(status);
            let aborted = *reason == Reason::Cancelled;
            status.verdict = Some(if aborted { Verdict::Aborted } else { Verdict::Invalid });
        }
        Change::Originals(_) => status.targets = originals(session),
        Change::Creating => {
            session.memory.pods = session.serving.iter().map(|(name, _, pods)| (name.clone(), pods.clone())).collect();
            session.memory.used.clear();
            session.remember();
            if let Some(run) = status.run.as_mut() {
                run.current.get_or_insert_default().targets = at_start(session);
            }
            applied(session, status);
        }
        Change::Collected => status.results.extend(session.memory.collected.clone()),
        Change::RowInvalid(reason) => push_invalid(session, status, *reason),
        Change::RowDone => finish::row(session, status).await,
        Change::Restoring(reason) => {
            // The note survives until the end, where the verdict's message needs it.
            session.memory.end_note = Some(session.note.clone()).filter(|note| !note.is_empty());
            session.remember();
            if reason.kind() != ReasonKind::End && session.state.row > 0 {
                push_invalid(session, status, *reason);
            }
        }
        Change::Released(_) => {
            if let Some(run) = status.run.as_mut() {
                run.finished_at = Some(Instant::from_millis(now()));
            }
        }
        Change::Finish => finish::test(session, status).await,
        _ => {}
    }
    rows_done(status);
}

fn begin(session: &Session<'_>, status: &mut LoadTestStatus, next: &State) {
    archive(status);
    let rows = session.plan.as_ref().map_or(0, |plan| plan.rows.len());
    status.run = Some(Run {
        id: next.run,
        run_id: session.test.spec.run_id.clone(),
        generation: Count(session.intent.generation),
        plan_hash: session.plan.as_ref().map(|plan| plan.hash.clone()).unwrap_or_default(),
        hash_version: HASH_VERSION,
        protocol_version: PROTOCOL_VERSION,
        image: Some(session.context.image.clone()),
        reason: None,
        rows: i32::try_from(rows).ok(),
        row: None,
        rows_done: None,
        step: None,
        current: None,
        step_deadline: None,
        started_at: Some(Instant::from_millis(next.started_at)),
        finished_at: None,
    });
}

/// The last run goes into the history, and its results out of the status.
fn archive(status: &mut LoadTestStatus) {
    if let Some(run) = status.run.take() {
        let past = crate::api::PastRun {
            id: run.id,
            run_id: run.run_id,
            verdict: status.verdict.map(|verdict| format!("{verdict:?}")).unwrap_or_default(),
            reason: run.reason,
            started_at: run.started_at,
            finished_at: run.finished_at,
            rate: status.summary.as_ref().and_then(|summary| summary.rate.clone()),
            report: status.report_ref.as_ref().map(|report| report.name.clone()),
        };
        status.history.insert(0, past);
        status.history.truncate(HISTORY);
    }
    *status = LoadTestStatus {
        history: std::mem::take(&mut status.history),
        conditions: std::mem::take(&mut status.conditions),
        ..LoadTestStatus::default()
    };
}

fn originals(session: &Session<'_>) -> Vec<TargetRecord> {
    let targets = session.sized.iter().zip(&session.workloads);
    let record = |(name, workload): (&String, &Option<serde_json::Value>)| {
        let (target, workload) = (session.target(name)?, workload.as_ref()?);
        let claim: Claim = serde_json::from_str(workload["metadata"]["annotations"][CLAIM].as_str()?).ok()?;
        Some(TargetRecord {
            name: target.name.clone(),
            uid: workload["metadata"]["uid"].as_str().unwrap_or_default().into(),
            kind: target.workload_ref.kind.as_str().into(),
            workload: target.workload_ref.name.0.clone(),
            original: Some(size(&claim.originals)),
            container: Some(claim.container),
            applied: None,
            state: TargetState::Recorded,
        })
    };
    targets.filter_map(record).collect()
}

/// What we set last, for people.
fn applied(session: &Session<'_>, status: &mut LoadTestStatus) {
    for record in &mut status.targets {
        if let Some(target) = session.target(&record.name.0) {
            record.applied = Some(size(&crate::build::wanted(target)));
        }
    }
}

fn size(fields: &crate::build::Fields) -> Size {
    let value = |field: Field| fields.get(&field).and_then(Option::as_ref);
    let text = |field: Field| value(field).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
    let env: Vec<_> = fields.iter().filter(|(field, _)| matches!(field, Field::Env(_))).collect();
    let hash = || crate::lifecycle::Uid::of(&serde_json::to_string(&env).unwrap_or_default()).0;
    Size {
        replicas: value(Field::Replicas).and_then(|v| i32::try_from(v.as_i64()?).ok()),
        cpu_request: text(Field::CpuRequest),
        cpu_limit: text(Field::CpuLimit),
        memory_request: text(Field::MemoryRequest),
        memory_limit: text(Field::MemoryLimit),
        env_hash: (!env.is_empty()).then(|| format!("{:016x}", hash())),
    }
}

fn at_start(session: &Session<'_>) -> Vec<TargetAtStart> {
    let at_start = |name: &str, generation: i64, pods: &[crate::evidence::cluster::pods::PodFact]| {
        Some(TargetAtStart {
            name: session.target(name)?.name.clone(),
            generation: Some(Count(generation)),
            pods: i32::try_from(pods.len()).ok(),
            pods_digest: Some(digest(pods)),
        })
    };
    session.serving.iter().filter_map(|(name, generation, pods)| at_start(name, *generation, pods)).collect()
}

/// An entry for the row in progress, when it has no verdict yet.
fn push_invalid(session: &Session<'_>, status: &mut LoadTestStatus, reason: Reason) {
    let Some(planned) = session.row() else { return };
    let invalid = |row: &mut Row| {
        row.verdict = Some(RowVerdict::Invalid);
        row.reason = Some(reason.to_string());
    };
    match status.results.iter_mut().find(|row| row.row == planned.number) {
        Some(row) if row.ended_at.is_some() => {}
        Some(row) => invalid(row),
        None => {
            let mut row = empty(planned);
            invalid(&mut row);
            if !session.note.is_empty() {
                row.observations.push(session.note.chars().take(160).collect());
            }
            status.results.push(row);
        }
    }
}

fn mark_skipped(session: &Session<'_>, status: &mut LoadTestStatus) {
    for record in &mut status.targets {
        if session.memory.skipped.contains_key(&record.name.0) {
            record.state = TargetState::Skipped;
        }
    }
}

fn rows_done(status: &mut LoadTestStatus) {
    let done = status.results.iter().filter(|row| row.ended_at.is_some() || row.verdict.is_some()).count();
    if let Some(run) = status.run.as_mut() {
        run.rows_done = run.rows.map(|rows| format!("{done}/{rows}"));
    }
}

fn set_conditions(session: &Session<'_>, status: &mut LoadTestStatus, standing: &Standing, message: &str) {
    let at = Instant::from_millis(now());
    status.conditions = conditions(&status.conditions, standing, message, session.intent.generation, at);
}

/// The compare and swap.
async fn write(session: &mut Session<'_>, status: LoadTestStatus) -> Result<(), PassError> {
    session.memory.written_at = now();
    session.remember();
    let status = serde_json::to_value(status).map_err(|e| PassError::Status(e.to_string()))?;
    let ops = json!([
        {"op": "replace", "path": "/metadata/resourceVersion", "value": session.test.resource_version()},
        {"op": "add", "path": "/status", "value": status},
    ]);
    let patch: json_patch::Patch = serde_json::from_value(ops).map_err(|e| PassError::Status(e.to_string()))?;
    let api = session.api::<LoadTest>();
    let answer =
        call(api.patch_status(&session.test.name_any(), &PatchParams::default(), &Patch::Json::<()>(patch))).await;
    answer.map(drop).map_err(PassError::call("writing the status"))
}

/// One event for each reason, not one for each pass.
async fn tell(session: &mut Session<'_>, reason: Reason, message: &str) {
    if session.memory.announced == Some(reason) {
        return;
    }
    session.memory.announced = Some(reason);
    session.remember();
    let message = if message.is_empty() { reason.meaning() } else { message };
    event(session, reason, message).await;
}

/// Publishes an event about the LoadTest; a lost event changes nothing.
pub async fn event(session: &Session<'_>, reason: Reason, note: &str) {
    use kube::Resource;
    let normal = matches!(reason.kind(), ReasonKind::Waiting | ReasonKind::End) || reason == Reason::Restored;
    let event = Event {
        type_: if normal { EventType::Normal } else { EventType::Warning },
        reason: reason.to_string(),
        note: Some(note.chars().take(1000).collect()),
        action: "Run".into(),
        secondary: None,
    };
    match call(session.context.events.publish(&event, &session.test.object_ref(&()))).await {
        Ok(()) => debug!(%reason, "event"),
        Err(error) => warn!(%reason, error = error.message(), "an event could not be published"),
    }
}
