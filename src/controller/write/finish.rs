//! What a row comes to, when it is over.

use super::row_file::{kept, kept_warmup, write_config_map};
use crate::api::{Fingerprint, Instant, LoadTestStatus, Reason, Row, TargetImages};
use crate::build::row_config_map;
use crate::controller::read::acts;
use crate::controller::read::evidence;
use crate::controller::read::logs;
use crate::controller::read::observer;
use crate::controller::read::usage;
use crate::controller::session::Session;
use crate::results::figures::drain::drained_at;
use crate::results::figures::server::restarted;
use crate::results::gathered::sample::Sample;
use crate::results::gathered::statements::{Statements, of_row};
use crate::results::row::completed;
use crate::results::row_input::{CompleteInput, Fact};
use crate::results::shown::course::course;

/// Completes the row in progress: database, measurements, backlog, thresholds, verdict.
pub async fn row(session: &mut Session<'_>, status: &mut LoadTestStatus) {
    let Some(planned) = session.row().cloned() else { return };
    let Some(at) = status.results.iter().position(|row| row.row == planned.number) else { return };
    let mut row = status.results[at].clone();
    let (mut facts, cleared_at) = acts::after_load(session);
    // What is done after the row is no part of it.
    let ended_at = cleared_at.unwrap_or_else(|| session.now());
    let start = row.started_at.map(Instant::as_millis).or(session.state.fire.map(|fire| fire.start_at));
    let mut samples: Vec<Sample> = Vec::new();
    let mut statements = None;
    let (mut version, mut limit) = (None, None);
    if let Some(start) = start.filter(|_| session.view.observer) {
        let said = observer::said(session, start - 2_000, asks_postgres(session)).await;
        facts.extend(restarted(said.database.as_ref(), start, ended_at));
        (version, limit) = said.database.map_or((None, None), |facts| (facts.version, facts.max_connections));
        facts.extend(said.problem.map(|message| Fact { reason: Some(Reason::ObserverLost), message }));
        statements = of_row(&said.statements, planned.number).cloned();
        samples = said.samples;
    }
    let identity = evidence::identify(session, version, limit).await;
    let fingerprint = status.fingerprint.get_or_insert_default();
    fingerprint.database = identity.or(fingerprint.database.take());
    let connection_limit = fingerprint.database.as_ref().and_then(|database| database.connection_limit);
    let counted = match start {
        Some(start) => logs::count(session, (start, ended_at)).await,
        None => Vec::new(),
    };
    session.memory.followed.clear();
    let warmup_tasks = kept_warmup(session, planned.number).await;
    let spec = &session.test.spec;
    let drained_at_ms = row.load_ended_at.and_then(|end| drained_at(spec, end.as_millis(), &samples));
    if spec.settle.as_ref().is_some_and(|settle| settle.measure) {
        // That memory grew under load was said when the load ended.
        row.targets.iter_mut().for_each(|target| drop(usage::figures(session, drained_at_ms, target)));
    }
    status.results[at] = completed(
        row,
        &CompleteInput {
            spec,
            planned: &planned,
            samples: &samples,
            logs: &counted,
            connection_limit,
            warmup_tasks,
            drained_at_ms,
            ended_at_ms: ended_at,
            facts: &facts,
        },
    );
    status.results[at].actions = acts::figures(session);
    keep(session, &status.results[at], statements.as_ref(), &samples).await;
    if planned.number == 1 || fingerprint_is_empty(status) {
        fingerprint_of(session, status).await;
    }
}

fn fingerprint_is_empty(status: &LoadTestStatus) -> bool {
    status.fingerprint.as_ref().is_none_or(|f| f.operator_version.is_none())
}

fn asks_postgres(session: &Session<'_>) -> bool {
    session.test.spec.database.as_ref().is_some_and(|database| database.postgres.is_some())
}

/// Puts the completed row into its ConfigMap, beside what the generators said.
async fn keep(session: &Session<'_>, row: &Row, statements: Option<&Statements>, samples: &[Sample]) {
    let mut file = kept(session, row.row).await.unwrap_or_else(|| serde_json::json!({}));
    file["row"] = serde_json::to_value(row).unwrap_or_default();
    let acts = acts::details(session);
    if !acts.is_empty() {
        file["acts"] = serde_json::to_value(acts).unwrap_or_default();
    }
    if let Some(statements) = statements {
        file["statements"] = serde_json::to_value(statements).unwrap_or_default();
    }
    if let Some(course) = course(row, samples, &used_over_time(session)) {
        file["course"] = serde_json::to_value(course).unwrap_or_default();
    }
    write_config_map(session, &row_config_map(&session.run(), row.row, file.to_string())).await;
}

/// What the targets' pods used of their limits, by the name of the figure.
fn used_over_time(session: &Session<'_>) -> Vec<(String, Vec<(i64, f64)>)> {
    let mut all = Vec::new();
    for (name, looks) in &session.memory.used_over_time {
        let cpu = looks.iter().filter_map(|(at, used)| Some((*at, used.cpu_percent?))).collect();
        let memory = looks.iter().filter_map(|(at, used)| Some((*at, used.memory_percent?))).collect();
        all.extend([(format!("targets.{name}.cpuPercent"), cpu), (format!("targets.{name}.memoryPercent"), memory)]);
    }
    all
}

/// What must be equal before two runs may be compared.
async fn fingerprint_of(session: &Session<'_>, status: &mut LoadTestStatus) {
    let mut targets = Vec::new();
    for (name, pods) in &session.memory.pods {
        let mut images: Vec<String> = pods.iter().flat_map(|p| &p.containers).map(|c| c.image_id.clone()).collect();
        images.sort();
        images.dedup();
        images.truncate(8);
        let named = session.test.spec.targets.iter().find(|target| target.name.0 == *name);
        targets.extend(named.map(|target| TargetImages { name: target.name.clone(), images }));
    }
    let fingerprint: &mut Fingerprint = status.fingerprint.get_or_insert_default();
    fingerprint.operator_version = Some(crate::runtime::version().chars().take(64).collect());
    fingerprint.nodes = session.memory.nodes.iter().take(32).cloned().collect();
    fingerprint.targets = targets;
}
