//! What a record writes beside the state: the run, originals and sizes, rows that were never fired, the history.

use super::{acted, finish, outcome};
use crate::api::{
    Count, Instant, LoadTestStatus, Reason, ReasonKind, Row, RowVerdict, Run, Size, TargetAtStart, TargetRecord,
    TargetState, Verdict,
};
use crate::build::{CLAIM, Claim, Field};
use crate::controller::read::{acts, logs};
use crate::controller::session::Session;
use crate::evidence::cluster::pods::digest;
use crate::lifecycle::{Change, State};
use crate::plan::{HASH_VERSION, PROTOCOL_VERSION};
use crate::results::row::empty;

/// Earlier runs that are kept.
const HISTORY: usize = 5;

/// What stands in the status beside the state.
pub async fn add(session: &mut Session<'_>, change: &Change, status: &mut LoadTestStatus, next: &State) {
    match change {
        Change::Begin => begin(session, status, next),
        Change::Refuse(reason) => {
            archive(status);
            // It is an end of its own: how long the test stays is counted from now, not from the run before.
            status.conditions.clear();
            let aborted = *reason == Reason::Cancelled;
            status.verdict = Some(if aborted { Verdict::Aborted } else { Verdict::Invalid });
        }
        Change::Originals(_) => status.targets = originals(session),
        Change::Creating => {
            session.memory.pods = session.serving.iter().map(|(name, _, pods)| (name.clone(), pods.clone())).collect();
            session.memory.used.clear();
            session.memory.used_over_time.clear();
            session.memory.memory.clear();
            session.memory.followed.clear();
            session.memory.others.clear();
            session.memory.silent = logs::silent(session).await;
            session.remember();
            if let Some(run) = status.run.as_mut() {
                run.current.get_or_insert_default().targets = at_start(session);
            }
            applied(session, status);
        }
        Change::ActBegun { act, doomed } => acted::begun(session, status, *act, doomed.len()),
        Change::ActDone => acted::done(session, status),
        Change::ActFailed(act) => acted::failed(session, status, *act),
        Change::Collected => status.results.extend(session.memory.collected.clone()),
        Change::RowInvalid(reason) => push_invalid(session, status, *reason),
        Change::RowDone => finish::row(session, status).await,
        Change::Restoring(reason) => {
            if *reason == Reason::ActionFailed {
                session.note = acted::problem(session, failed_act(session));
            }
            // The note survives until the end, where the verdict's message needs it.
            session.memory.end_note = Some(session.note.clone()).filter(|note| !note.is_empty());
            session.remember();
            if reason.kind() != ReasonKind::End && session.state.row > 0 {
                push_invalid(session, status, *reason);
            }
        }
        Change::Released(_) => {
            if let Some(run) = status.run.as_mut() {
                run.finished_at = Some(Instant::from_millis(session.now()));
            }
        }
        Change::Judged => outcome::test(session, status).await,
        Change::Finish if !session.state.judged => outcome::test(session, status).await,
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
        message: None,
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

/// A size as the status shows it.
pub(super) fn size(fields: &crate::build::Fields) -> Size {
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

/// Number of the act before a row that was not done: the one under way, or the next.
fn failed_act(session: &Session<'_>) -> u16 {
    session.state.act + u16::from(!session.state.acting)
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
            let failed = Some(failed_act(session)).filter(|_| reason == Reason::ActionFailed);
            let records = status.run.as_ref().and_then(|run| run.current.as_ref()).map(|current| current.acts.clone());
            row.actions = acts::figures_before(session, records.unwrap_or_default(), failed);
            status.results.push(row);
        }
    }
}

fn rows_done(status: &mut LoadTestStatus) {
    let done = status.results.iter().filter(|row| row.ended_at.is_some() || row.verdict.is_some()).count();
    if let Some(run) = status.run.as_mut() {
        run.rows_done = run.rows.map(|rows| format!("{done}/{rows}"));
    }
}
