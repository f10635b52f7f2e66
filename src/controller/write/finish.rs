//! What a row and a test come to, when they are over.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, ResourceExt};
use serde_json::Value;

use super::row_file::{kept_warmup, write_config_map};
use crate::api::{Fingerprint, Instant, LoadTestStatus, Reason, ReportRef, Row, TargetImages};
use crate::build::{report_config_map, row_config_map};
use crate::controller::io::call;
use crate::controller::read::acts;
use crate::controller::read::evidence;
use crate::controller::read::logs;
use crate::controller::read::observer;
use crate::controller::read::usage;
use crate::controller::session::Session;
use crate::plan::MAX_ROWS;
use crate::report::{ReportInput, files};
use crate::results::figures::drain::drained_at;
use crate::results::figures::server::restarted;
use crate::results::gathered::sample::Sample;
use crate::results::gathered::series::Series;
use crate::results::gathered::statements::{Statements, of_row};
use crate::results::judged::verdict::{EarlyEnd, TestInput, outcome, whole_test_figures};
use crate::results::row::{completed, with_late_figures};
use crate::results::row_input::{CompleteInput, Fact, LateInput};
use crate::results::shown::course::course;
use crate::results::shown::summary::summary;
use crate::results::shown::table::{TableInput, table};

/// Runs of a LoadTest whose ConfigMaps are kept.
const RUNS_KEPT: i64 = 6;

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
    let mut file = detail(session, row.row).await.unwrap_or_else(|| serde_json::json!({}));
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

async fn detail(session: &Session<'_>, row: i32) -> Option<Value> {
    let map = call(session.api::<ConfigMap>().get_opt(&session.run().row(row))).await.ok()??;
    serde_json::from_str(map.data?.get("row.json")?).ok()
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

/// The verdict of the test, its table, summary and report.
pub async fn test(session: &mut Session<'_>, status: &mut LoadTestStatus) {
    let Some(plan) = session.plan.clone() else { return };
    let series: Vec<Series> = session.memory.series.clone().map(|(series, _)| series).unwrap_or_default();
    let late = LateInput { spec: &plan.spec, series: &series };
    let mut details = BTreeMap::new();
    let mut rows = Vec::new();
    for row in &status.results {
        let file = detail(session, row.row).await;
        // A compacted row has no evidence left; its ConfigMap has.
        let whole = file.as_ref().filter(|_| status.truncated == Some(true));
        let whole = whole.and_then(|file| serde_json::from_value(file["row"].clone()).ok());
        rows.push(with_late_figures(whole.unwrap_or_else(|| row.clone()), &late));
        details.extend(file.map(|file| (row.row, file)));
    }
    status.database = whole_test_figures(&rows, &series);
    let early = session.state.end.filter(|reason| *reason != Reason::ThresholdsMet);
    let early = early.map(|reason| EarlyEnd { reason, message: session.memory.end_note.clone().unwrap_or_default() });
    let test = TestInput {
        spec: &plan.spec,
        planned_rows: plan.rows.len(),
        rows: &rows,
        database: &status.database,
        series: &series,
        early: early.as_ref(),
    };
    let outcome = outcome(&test);
    let database = status.fingerprint.as_ref().and_then(|f| f.database.as_ref());
    let connection_limit = database.and_then(|d| Some((d.connection_limit?, d.connection_limit_source?)));
    status.verdict = Some(outcome.verdict);
    status.summary = summary(&rows);
    let figures = status.database.clone();
    status.table = (!rows.is_empty())
        .then(|| table(&TableInput { plan: &plan, rows: &rows, database: &figures, connection_limit }));
    let names = rows.iter().map(|row| (row.row, session.run().row(row.row))).collect();
    let report = files(&ReportInput {
        namespace: &session.namespace(),
        name: &session.test.name_any(),
        run: session.state.run,
        started_at: status.run.as_ref().and_then(|run| run.started_at),
        finished_at: status.run.as_ref().and_then(|run| run.finished_at),
        plan: &plan,
        test,
        outcome: &outcome,
        connection_limit,
        fingerprint: status.fingerprint.as_ref(),
        details: &details,
        row_config_maps: &names,
    });
    let map = report_config_map(&session.run(), report);
    write_config_map(session, &map).await;
    status.report_ref = Some(ReportRef { name: session.run().report() });
    status.results = rows;
    session.state.end = Some(outcome.reason);
    if let Some(run) = status.run.as_mut() {
        run.message = Some(outcome.message.chars().take(1024).collect());
    }
    forget_old(session).await;
}

/// Deletes the ConfigMaps of a run that is no longer kept.
async fn forget_old(session: &Session<'_>) {
    let old = session.state.run - RUNS_KEPT;
    if old < 1 {
        return;
    }
    let api: Api<ConfigMap> = session.api();
    let run = session.run_number(old);
    let rows = i32::try_from(MAX_ROWS).unwrap_or(64);
    let mut names = vec![run.report(), run.observer_plan()];
    names.extend((1..=rows).flat_map(|row| [run.row(row), run.row_plan(row)]));
    for name in names {
        // One that is not there is as good as deleted.
        let _ = call(api.delete(&name, &kube::api::DeleteParams::default())).await;
    }
}

/// The plan in a sentence, for a test that is held.
pub fn plan_text(session: &Session<'_>) -> String {
    let Some(plan) = &session.plan else { return String::new() };
    let generators = session.view.rows.iter().map(|row| row.generators).max().unwrap_or(0);
    let sized = if session.sized.is_empty() { "no target".into() } else { session.sized.join(", ") };
    format!(
        "held by spec.suspend; the plan: {} rows with at most {generators} generators, sizes for {sized}; set spec.suspend to false to start",
        plan.rows.len()
    )
}
