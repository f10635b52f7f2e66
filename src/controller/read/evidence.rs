//! The database beside the application, asked through AWS: whether it is there, and its figures, which come late.

use std::sync::Arc;

use crate::api::{DatabaseIdentity, Reason};
use crate::controller::session::Session;
use crate::evidence::aws::{DatabaseSource, ErrorKind, settled};
use crate::lifecycle::Live;
use crate::results::figures::server::connection_limit;
use crate::results::gathered::series::{Series, minutes};

/// How often CloudWatch is asked.
const EVERY: i64 = 15_000;
/// When nothing is asked of CloudWatch by a threshold, how long its first points are waited for.
const FIRST_POINTS: i64 = 180_000;

/// Whether this namespace may read instance and proxy, and whether they are there. What AWS doesn't say is no reason to
/// refuse: where a right is missing, so are the figures, and their reason names it.
pub async fn preflight(session: &Session<'_>) -> Result<(), (Reason, String)> {
    let Some(rds) = session.test.spec.database.as_ref().and_then(|d| d.rds.as_ref()) else { return Ok(()) };
    if let Some(what) = session.context.config.unreadable(&session.namespace(), rds) {
        let note = format!("tests of namespace {} may not read {what} (chart value config.rds)", session.namespace());
        return Err((Reason::DatabaseNotAllowed, note));
    }
    let source = session.context.source(rds);
    let errors = [source.instance().await.err(), source.proxy().await.err()];
    match errors.into_iter().flatten().find(|error| error.kind == ErrorKind::NotFound) {
        Some(unknown) => Err((Reason::DatabaseNotFound, unknown.text)),
        None => Ok(()),
    }
}

fn source(session: &Session<'_>) -> Option<Arc<DatabaseSource>> {
    let rds = session.test.spec.database.as_ref()?.rds.as_ref()?;
    Some(session.context.source(rds))
}

/// What the database is: from the spec, from PostgreSQL (`version` and `limit` as the observer saw them), from AWS.
pub async fn identify(
    session: &mut Session<'_>,
    version: Option<String>,
    limit: Option<i32>,
) -> Option<DatabaseIdentity> {
    let spec = session.test.spec.database.clone()?;
    let known = session.status().fingerprint.and_then(|f| f.database).unwrap_or_default();
    let mut identity = of_aws(session).await.unwrap_or_default();
    if identity.engine.is_none() && spec.postgres.is_some() {
        identity.engine = known.engine.or_else(|| Some("postgres".into()));
    }
    identity.version = version.or(known.version).or(identity.version);
    let from_aws = identity.connection_limit.zip(identity.connection_limit_source);
    let from_before = known.connection_limit.zip(known.connection_limit_source);
    let chosen = connection_limit(spec.max_connections, limit, from_before, from_aws);
    identity.connection_limit = chosen.map(|(max, _)| max);
    identity.connection_limit_source = chosen.map(|(_, from)| from);
    Some(identity)
}

async fn of_aws(session: &mut Session<'_>) -> Option<DatabaseIdentity> {
    if let Some(known) = &session.memory.database {
        return known.clone().ok();
    }
    let source = source(session)?;
    let answer = match source.instance().await {
        Ok(instance) => {
            let limit = source.connection_limit(&instance).await.ok().flatten();
            Ok(DatabaseIdentity {
                engine: Some(instance.engine),
                version: Some(instance.version),
                class: Some(instance.class),
                connection_limit: limit.map(|(max, _)| max),
                connection_limit_source: limit.map(|(_, from)| from),
            })
        }
        Err(error) => Err(error.text),
    };
    session.memory.database = Some(answer.clone());
    session.remember();
    answer.ok()
}

/// From the first row's start to the end of the last one's settle time; `None`: no row was loaded.
fn window(session: &Session<'_>) -> Option<(i64, i64)> {
    let status = session.test.status.as_ref()?;
    if status.truncated == Some(true) {
        // Compacted rows have lost their instants.
        let run = status.run.as_ref()?;
        return Some((run.started_at?.as_millis(), run.finished_at?.as_millis()));
    }
    let start = status.results.iter().filter_map(|row| row.started_at).min()?.as_millis();
    let ends = status.results.iter().filter_map(|row| row.ended_at.or(row.load_ended_at));
    Some((start, ends.max()?.as_millis()))
}

/// Asks CloudWatch for the whole test, until two answers agree.
pub async fn read(session: &mut Session<'_>) {
    let (Some(source), Some((from, to))) = (source(session), window(session)) else {
        session.seen.evidence = Live::Fresh(true);
        return;
    };
    if minutes(from, to) == 0 {
        session.note = "the whole test holds no whole minute, so CloudWatch has no figure for it".into();
        session.seen.evidence = Live::Fresh(true);
        return;
    }
    let due = session.memory.series.as_ref().is_none_or(|(_, at)| session.now() - at >= EVERY);
    if !session.memory.series_final && due {
        match source.series(from, to).await {
            Ok(mut series) => {
                if session.test.spec.database.as_ref().is_some_and(|database| database.postgres.is_none()) {
                    // Beside the figures: that there is none is no reason for anything.
                    series.extend(source.insights(from, to).await.unwrap_or_default());
                }
                let before = session.memory.series.take().map(|(series, _)| series).unwrap_or_default();
                session.memory.series_final = is_final(session, &before, &series, (from, to));
                session.memory.series = Some((series, session.now()));
                session.note = "two answers of CloudWatch must agree".into();
            }
            Err(error) => {
                session.note = format!("CloudWatch: {}", error.text);
                let problem = Series::of_cloudwatch("", Vec::new(), Some(error.text));
                session.memory.series.get_or_insert((vec![problem], session.now())).1 = session.now();
                // What AWS refuses for good is not waited for.
                session.memory.series_final =
                    matches!(error.kind, ErrorKind::Denied | ErrorKind::Invalid | ErrorKind::CredentialsMissing);
            }
        }
    }
    session.seen.evidence = Live::Fresh(session.memory.series_final);
}

/// Figures that a threshold needs, and those that come at all, must be whole and the same twice.
fn is_final(session: &Session<'_>, before: &[Series], series: &[Series], window: (i64, i64)) -> bool {
    let needed = |figure: &str| {
        let prefix = format!("database.{figure}.");
        session.test.spec.thresholds.iter().any(|t| !t.optional && t.metric.starts_with(&prefix))
    };
    let of_cloudwatch = series.iter().filter(|s| s.source == crate::api::DatabaseSource::CloudWatch);
    let watched: Vec<Series> = of_cloudwatch.filter(|s| !s.points.is_empty() || needed(&s.figure)).cloned().collect();
    if watched.is_empty() {
        return session.now() - window.1 > FIRST_POINTS;
    }
    let late = session.now() - window.1 > FIRST_POINTS;
    settled(before, &watched, usize::try_from(minutes(window.0, window.1)).unwrap_or(0), late)
}
