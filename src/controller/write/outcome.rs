//! What a test comes to, when it is over.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, ResourceExt};

use super::row_file::{kept, write_config_map};
use crate::api::{LoadTestStatus, Reason, ReportRef, Row};
use crate::build::report_config_map;
use crate::controller::io::call;
use crate::controller::session::Session;
use crate::plan::MAX_ROWS;
use crate::report::{ReportInput, files};
use crate::results::gathered::series::Series;
use crate::results::judged::verdict::{EarlyEnd, Outcome, TestInput, outcome, whole_test_figures};
use crate::results::row::with_late_figures;
use crate::results::row_input::LateInput;
use crate::results::shown::summary::summary;
use crate::results::shown::table::{TableInput, table};

/// Runs of a LoadTest whose ConfigMaps are kept.
const RUNS_KEPT: i64 = 6;

/// The verdict of the test, its table, summary and report.
pub async fn test(session: &mut Session<'_>, status: &mut LoadTestStatus) {
    let Some(plan) = session.plan.clone() else { return without_plan(session, status) };
    let series: Vec<Series> = session.memory.series.clone().map(|(series, _)| series).unwrap_or_default();
    let late = LateInput { spec: &plan.spec, series: &series };
    let mut details = BTreeMap::new();
    let mut rows = Vec::new();
    for row in &status.results {
        let file = kept(session, row.row).await;
        // A compacted row has no evidence left; its ConfigMap has, once the row was done.
        let whole = file.as_ref().filter(|_| status.truncated == Some(true));
        let whole = whole.and_then(|file| serde_json::from_value::<Row>(file["row"].clone()).ok());
        let row = whole.filter(|whole| whole.ended_at.is_some()).unwrap_or_else(|| row.clone());
        details.extend(file.map(|file| (row.row, file)));
        // A row that was cut off was not judged, and late figures don't make up for it.
        rows.push(if row.ended_at.is_some() { with_late_figures(row, &late) } else { row });
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
    told(session, status, &outcome);
}

/// The verdict of a run whose plan this version can't read: its rows stay as they are.
fn without_plan(session: &mut Session<'_>, status: &mut LoadTestStatus) {
    let reason = session.state.end.filter(|reason| *reason != Reason::ThresholdsMet).unwrap_or(Reason::InvalidSpec);
    let message = session.errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let rows = status.run.as_ref().and_then(|run| run.rows).and_then(|rows| usize::try_from(rows).ok());
    let outcome = outcome(&TestInput {
        spec: &session.test.spec,
        planned_rows: rows.unwrap_or(status.results.len()),
        rows: &status.results,
        database: &[],
        series: &[],
        early: Some(&EarlyEnd { reason, message }),
    });
    told(session, status, &outcome);
}

/// Verdict, reason and message of the run.
fn told(session: &mut Session<'_>, status: &mut LoadTestStatus, outcome: &Outcome) {
    status.verdict = Some(outcome.verdict);
    session.state.end = Some(outcome.reason);
    if let Some(run) = status.run.as_mut() {
        run.message = Some(outcome.message.chars().take(1024).collect());
    }
}

/// Deletes the ConfigMaps of a run that is no longer kept; after the verdict is written, which does not wait for it.
pub async fn forget_old(session: &Session<'_>) {
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
