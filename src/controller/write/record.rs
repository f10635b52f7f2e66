//! Records: each is one compare-and-swap of the status subresource. What a change means for the state is `State::after`;
//! here the facts beside it are added, and the conditions derived.

use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::acted;
use super::events::tell;
use super::facts;
use super::outcome;
use super::put_back;
use crate::api::{Count, Instant, LoadTest, LoadTestStatus, Phase, Reason, ReasonKind, Row, RowStep};
use crate::controller::error::PassError;
use crate::controller::io::call;
use crate::controller::session::Session;
use crate::lifecycle::conditions::{Standing, conditions, shown};
use crate::lifecycle::{Change, State, view};
use crate::results::shown::compact::compact;

/// A message that only reports progress is written at most so often, milliseconds.
const PROGRESS_EVERY: i64 = 5_000;

/// Records a change.
///
/// # Errors
/// Somebody else wrote the object meanwhile (409), or the API server did not answer.
pub async fn record(session: &mut Session<'_>, change: &Change) -> Result<(), PassError> {
    let mut status = session.status();
    let mut next = session.state.after(change, &session.view, &session.intent, session.now());
    facts::add(session, change, &mut status, &next).await;
    if let Change::Finish | Change::Judged = change {
        // The verdict's reason: that of the worst row, or of what ended the run early.
        next.end = session.state.end;
    }
    view::write(&next, &mut status, &session.sized, &|uid| session.uids.get(&uid).cloned());
    let told = !session.memory.skipped.is_empty();
    if let Change::Released(_) = change {
        // After the state, which knows no difference between put back and put back but for a field.
        put_back::mark_skipped(session, &mut status);
    }
    let standing =
        standing(&status, &next, reason_of(change, session.view.evidence > 0, session.state.step == RowStep::Loading));
    let message = shown(&message(session, change, &status), &standing);
    set_conditions(session, &mut status, &standing, &message);
    compact_but_current(&mut status, next.row);
    write(session, status.clone()).await?;
    session.context.metrics.recorded(change, &status);
    if let Change::Finish = change {
        outcome::forget_old(session).await;
    }
    if let Change::Released(_) = change {
        put_back::tell(session, &status, told).await;
    }
    acted::tell(session, change).await;
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
    let standing = if reason == Reason::Suspended { Standing::Held } else { Standing::Busy(reason) };
    let message = if standing == Standing::Held { outcome::plan_text(session) } else { session.note.clone() };
    let message = shown(&message, &standing);
    let known = ready.is_some_and(|c| {
        let same = c.reason == reason.as_str() && c.observed_generation == Some(Count(session.intent.generation));
        let news = !message.is_empty() && c.message != message;
        same && !(news && session.now() - session.memory.written_at >= PROGRESS_EVERY)
    });
    if known || status.phase == Some(Phase::Finished) && reason != Reason::Suspended {
        return Ok(());
    }
    status.observed_generation = Some(session.intent.generation);
    if standing == Standing::Held {
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
fn reason_of(change: &Change, late_figures: bool, loads: bool) -> Reason {
    match change {
        Change::Begin => Reason::Claiming,
        Change::NextRow => Reason::RollingOut,
        Change::Creating => Reason::CreatingGenerators,
        Change::Originals(_) | Change::Arming(_) => Reason::Arming,
        Change::Fire { .. } => Reason::WaitingForStart,
        Change::Loading => Reason::Loading,
        Change::ActBegun { .. } | Change::ActJob(_) | Change::ActDone | Change::ActFailed(_) if loads => {
            Reason::Loading
        }
        Change::ActBegun { .. } | Change::ActJob(_) | Change::ActDone | Change::ActFailed(_) => Reason::Acting,
        Change::Judged => Reason::Acting,
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
        Change::Finish => {
            let outcome = status.run.as_ref().and_then(|run| run.message.clone()).unwrap_or_default();
            let act = acted::after_run(session, status);
            let notes: Vec<String> = put_back::note(status).into_iter().chain(act).collect();
            let whole = if notes.is_empty() { outcome.as_str() } else { outcome.trim_end_matches('.') };
            std::iter::once(whole.to_owned()).chain(notes).collect::<Vec<_>>().join("; ")
        }
        Change::Observe => {
            let ready = status.conditions.iter().find(|c| c.type_ == "Ready" && c.reason != Reason::Suspended.as_str());
            ready.map(|c| c.message.clone()).unwrap_or_default()
        }
        _ => String::new(),
    }
}

fn set_conditions(session: &Session<'_>, status: &mut LoadTestStatus, standing: &Standing, message: &str) {
    let at = Instant::from_millis(session.now());
    status.conditions = conditions(&status.conditions, standing, message, session.intent.generation, at);
}

/// The compare and swap.
async fn write(session: &mut Session<'_>, status: LoadTestStatus) -> Result<(), PassError> {
    session.memory.written_at = session.now();
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
