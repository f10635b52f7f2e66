//! The observer's pod and what it says.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::LogParams;

use super::pods::{has_ended, is_armed, of_part, own_container, trouble};
use crate::api::{LimitSource, Reason};
use crate::build::OBSERVE;
use crate::controller::io::{call, live};
use crate::controller::session::Session;
use crate::lifecycle::{Live, Millis, ObserverSeen};
use crate::results::figures::drain::is_down;
use crate::results::gathered::line::line;
use crate::results::gathered::sample::{DatabaseFacts, ObserverLine, Sample};
use crate::results::gathered::statements::Statements;

/// Most bytes of the observer's log that are read at once: an hour of lines.
const MOST_BYTES: i64 = 8 * 1024 * 1024;
/// So often, where there is more: a backlog may be waited for for hours.
const MOST_READS: usize = 4;
/// Whether the wait is over is seen in what was said since then, milliseconds: three times a measurement's longest interval.
const RECENT: Millis = 900_000;

/// The observer's Job and pod.
pub async fn read(session: &mut Session<'_>) {
    let name = session.run().observer();
    let job = live(call(session.api::<Job>().get(&name)).await);
    let Live::Fresh(job) = job else {
        if let (Live::Missing, Some(why)) = (&job, &session.memory.job_refused) {
            session.note.clone_from(why);
        }
        session.seen.observer = job.map(|_| ObserverSeen::Starting);
        return;
    };
    if job.metadata.deletion_timestamp.is_some() {
        session.seen.observer = Live::Fresh(ObserverSeen::Terminating);
        return;
    }
    let pods = call(session.api::<Pod>().list(&of_part(session, OBSERVE))).await;
    session.seen.observer = live(pods.map(|list| list.items)).map(|pods| {
        if let Some((reason, why)) = trouble(&pods, session.now()) {
            session.note = format!("the observer: {why}");
            let reason = if reason == Reason::GeneratorLost { Reason::ObserverLost } else { reason };
            return ObserverSeen::Lost(reason);
        }
        session.note = "the observer is starting".into();
        if pods.iter().any(is_armed) { ObserverSeen::Ready } else { ObserverSeen::Starting }
    });
}

/// The observer's pod, when there is one.
pub async fn pod(session: &Session<'_>) -> Option<Pod> {
    let pods = call(session.api::<Pod>().list(&of_part(session, OBSERVE))).await.ok()?;
    pods.items.into_iter().max_by_key(ResourceExt::creation_timestamp)
}

/// What the observer said since an instant; and why that may not be all.
pub struct Said {
    pub samples: Vec<Sample>,
    pub database: Option<DatabaseFacts>,
    /// Readings of pg_stat_statements.
    pub statements: Vec<Statements>,
    /// A sentence for people, when the observer was lost.
    pub problem: Option<String>,
}

/// Reads what the observer said: samples since `from`, milliseconds since the epoch; with `facts` also, until it is known,
/// what it said about the database at the start.
pub async fn said(session: &Session<'_>, from: Millis, facts: bool) -> Said {
    let database = session.test.status.as_ref().and_then(|s| s.fingerprint.as_ref()?.database.as_ref());
    let known = database.is_some_and(|d| d.connection_limit_source == Some(LimitSource::PostgreSql));
    let since = if known || !facts { from } else { session.state.started_at.min(from) };
    let mut said = Said { samples: Vec::new(), database: None, statements: Vec::new(), problem: None };
    let Some(pod) = pod(session).await else {
        said.problem = Some("the observer's pod is gone".into());
        return said;
    };
    if has_ended(&pod) {
        said.problem = Some("the observer ended early".into());
    }
    let (mut since, mut last) = (since, String::new());
    for _ in 0..MOST_READS {
        let params = LogParams {
            container: own_container(&pod),
            since_time: jiff::Timestamp::from_millisecond(since).ok(),
            limit_bytes: Some(MOST_BYTES),
            ..LogParams::default()
        };
        let text = match call(session.api::<Pod>().logs(&pod.name_any(), &params)).await {
            Ok(text) => text,
            Err(error) => {
                said.problem = Some(format!("the observer's log can't be read: {}", error.message()));
                break;
            }
        };
        let fresh = after(&text, &last);
        let newest = read_lines(fresh, from, &mut said);
        // A longer log goes on where this part of it, without its cut last line, ended.
        let cut = text.len() >= usize::try_from(MOST_BYTES).unwrap_or(usize::MAX);
        let (Some(newest), true) = (newest.filter(|newest| *newest > since), cut) else { break };
        since = newest;
        let whole = fresh.rfind('\n').map_or("", |end| &fresh[..end]);
        last = whole.lines().last().unwrap_or_default().to_owned();
    }
    said
}

/// What follows a line, which may stand in it; all of it, where it doesn't.
fn after<'a>(text: &'a str, line: &str) -> &'a str {
    let at = if line.is_empty() { None } else { text.find(line) };
    at.map_or(text, |at| &text[at + line.len()..])
}

/// Keeps what is of the time; returns the instant of the newest sample, milliseconds since the epoch.
fn read_lines(text: &str, from: Millis, said: &mut Said) -> Option<Millis> {
    let mut newest = None;
    for text in text.lines() {
        match line(text) {
            Some(ObserverLine::Sample(sample)) => {
                newest = newest.max(Some(sample.t));
                said.samples.extend(Some(sample).filter(|sample| sample.t >= from));
            }
            Some(ObserverLine::Database(facts)) => said.database = Some(facts),
            Some(ObserverLine::Statements(statements)) => said.statements.push(statements),
            _ => {}
        }
    }
    newest
}

/// Whether settle.until holds: the newest value since the wait began is not more than it may be.
pub async fn drained(session: &mut Session<'_>) {
    let Some(until) = session.test.spec.settle.as_ref().and_then(|settle| settle.until.clone()) else {
        session.seen.drained = Live::Fresh(true);
        return;
    };
    let began = session.state.deadline - session.view.drain_timeout;
    let now = session.now();
    let said = said(session, began.max(now - RECENT).min(now), false).await;
    let newest = said.samples.iter().rev().find_map(|sample| sample.m.get(&until.measurement.0).copied());
    let down = newest.is_some_and(|value| is_down(&until, value));
    session.note = match (newest, said.problem) {
        (Some(value), _) => {
            format!("{} is {value}; waiting until it is at most {}", until.measurement.0, until.at_most)
        }
        (None, Some(problem)) => problem,
        (None, None) => format!("{} has not answered yet", until.measurement.0),
    };
    session.seen.drained = Live::Fresh(down);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_goes_on_behind_the_last_line_that_was_read() {
        assert_eq!(after("a\nb\nc\n", "b"), "\nc\n");
        assert_eq!(after("c\nd\n", "b"), "c\nd\n", "it was not asked for again");
        assert_eq!(after("a\n", ""), "a\n");
    }
}
