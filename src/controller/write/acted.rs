//! What a record of an act writes beside the state: when it began, how long it took, and why it failed; and its event.

use super::events;
use crate::api::{ActRecord, Action, Instant, LoadTestStatus, Reason, When};
use crate::controller::planned::planned;
use crate::controller::session::Session;
use crate::lifecycle::{Change, LATE, Live};
use crate::plan::Act;

/// An act begins.
pub fn begun(session: &Session<'_>, status: &mut LoadTestStatus, act: u16, doomed: usize) {
    let deletes = planned(session, act).is_some_and(|(_, action)| action.delete_pods.is_some());
    let record = ActRecord {
        act: act.into(),
        started_at: Instant::from_millis(session.now()),
        took_ms: None,
        ran_at: None,
        pods: i32::try_from(doomed).ok().filter(|_| deletes),
        failed: false,
    };
    if let Some(run) = status.run.as_mut() {
        run.current.get_or_insert_default().acts.push(record);
    }
}

/// The act under way is done.
pub fn done(session: &Session<'_>, status: &mut LoadTestStatus) {
    let current = status.run.as_mut().and_then(|run| run.current.as_mut());
    let Some(record) = current.and_then(|current| current.acts.last_mut()) else { return };
    let took = i32::try_from(session.now() - record.started_at.as_millis()).unwrap_or(i32::MAX);
    record.took_ms = Some(took.clamp(0, 86_400_000));
    record.ran_at = session.act_ran_at.map(Instant::from_millis);
}

/// An act was not done, or not in time.
pub fn failed(session: &Session<'_>, status: &mut LoadTestStatus, number: u16) {
    let Some(run) = status.run.as_mut() else { return };
    let (started_at, act) = (Instant::from_millis(session.now()), i32::from(number));
    let current = run.current.get_or_insert_default();
    match current.acts.last_mut().filter(|last| last.act == act) {
        Some(last) => {
            last.failed = true;
            last.ran_at = session.act_ran_at.map(Instant::from_millis);
        }
        None => {
            current.acts.push(ActRecord { act, started_at, took_ms: None, ran_at: None, pods: None, failed: true });
        }
    }
    let problem = problem(session, number).chars().take(160).collect();
    current.action_problem.get_or_insert(problem);
}

/// The event of an act that was recorded.
pub async fn tell(session: &Session<'_>, change: &Change) {
    let (number, reason) = match change {
        Change::ActDone => (session.state.act, Reason::Acting),
        Change::ActFailed(number) => (*number, Reason::ActionFailed),
        _ => return,
    };
    let Some((act, action)) = planned(session, number) else { return };
    let note = match change {
        Change::ActDone => format!("{}: {}{}", action.name.0, doing(action, act, session), when(session, act)),
        _ => problem(session, number),
    };
    // Events of one name become one with a count, and what is undone is another thing.
    let name = format!("{}{}", action.name.0, if act.undo { "-undone" } else { "" });
    events::of_action(session, reason, &name, &note).await;
}

/// What failed after the run: it changes no verdict, and is said.
pub fn after_run(session: &Session<'_>, status: &LoadTestStatus) -> Option<String> {
    let current = status.run.as_ref().and_then(|run| run.current.as_ref()).filter(|_| session.state.judged);
    current?.action_problem.clone()
}

/// Why the row's act of that number failed, for people.
pub fn problem(session: &Session<'_>, number: u16) -> String {
    let Some((act, action)) = planned(session, number) else { return session.note.clone() };
    let due = act.at_ms.zip(session.state.fire).map(|(at, fire)| fire.start_at + at + LATE);
    let target = session.view.act(&session.state, number).and_then(|act| act.kind.target());
    let target = target.and_then(|target| session.seen.targets.get(target));
    let why = match target {
        Some(Live::Missing) => "its target is gone",
        Some(Live::Denied) => "its target may not be read",
        _ if is_said(session, number) => &session.note,
        _ if due.is_some_and(|due| session.now() > due) => "it could not be done at its time",
        _ if session.note.is_empty() => "it took longer than timeoutSeconds",
        _ => &session.note,
    };
    format!("action {}{}: {why}", action.name.0, when(session, act))
}

/// The note is about the Job of that act.
fn is_said(session: &Session<'_>, number: u16) -> bool {
    let is_job = session.view.act(&session.state, number).is_some_and(|act| act.kind.is_job());
    is_job && number == session.state.act && session.state.acting && !session.note.is_empty()
}

fn doing(action: &Action, act: Act, session: &Session<'_>) -> String {
    let target = action.target().map(|name| name.0.as_str()).unwrap_or_default();
    match (&action.scale, &action.delete_pods) {
        (Some(_), _) if act.undo => format!("{target} got its replicas back"),
        (Some(scale), _) => format!("{target} was scaled to {} replicas", scale.replicas),
        (None, Some(_)) => format!("{} pods of {target} were deleted", session.state.doomed.len()),
        (None, None) if action.restart.is_some() => format!("{target} was restarted"),
        (None, None) if action.sql.is_some() => "the statement was run".into(),
        (None, None) if action.http.is_some() => "the request was sent and answered".into(),
        (None, None) => {
            let name = action.job.as_ref().map(|job| job.cron_job_ref.name.0.as_str()).unwrap_or_default();
            format!("a Job of CronJob {name} was run")
        }
    }
}

/// `, planned for 12.5 s after the start of row 2, now 12.7 s`
fn when(session: &Session<'_>, act: Act) -> String {
    let row = session.state.row;
    match (act.at_ms, session.state.fire) {
        (Some(at), Some(fire)) => {
            let seconds = |ms: i64| format!("{}.{} s", ms / 1000, ms.rem_euclid(1000) / 100);
            match session.act_ran_at {
                Some(ran) => {
                    let ran = seconds(ran - fire.start_at);
                    format!(", planned for {} after the start of row {row}, done {ran}", seconds(at))
                }
                None => {
                    let now = seconds(session.now() - fire.start_at);
                    format!(", planned for {} after the start of row {row}, now {now}", seconds(at))
                }
            }
        }
        _ => match act.when {
            When::BeforeRun => " before the run".into(),
            When::AfterRun => " after the run".into(),
            When::AfterLoad => format!(" after the load of row {row}"),
            When::AfterRow => format!(" after row {row}"),
            When::BeforeRow | When::DuringLoad => format!(" before row {row}"),
        },
    }
}
