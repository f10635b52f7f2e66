//! Tests of the table, the summary and the compacted status.

use crate::api::{LoadTestStatus, Row, RowVerdict};
use crate::plan::Plan;

use super::compact::{MOST_BYTES, compact, size};
use super::summary::summary;
use super::table::{LONGEST_TABLE, TableInput, table};
use crate::results::figures::decimal::decimal;
use crate::results::fixture::good;

/// So many rows of as many points, each repeated once, every one a little faster.
fn rows(n: i32) -> (Plan, Vec<Row>) {
    let scene = good(60);
    let (first, _) = scene.judged();
    let mut plan = scene.plan();
    plan.rows.clear();
    let mut all = Vec::new();
    for number in 1..=n {
        let mut planned = scene.planned.clone();
        (planned.number, planned.point) = (number, (number - 1) / 2 + 1);
        plan.rows.push(planned);
        let mut row = first.clone();
        row.row = number;
        row.tasks_per_second = decimal(f64::from(100 + number));
        all.push(row);
    }
    (plan, all)
}

fn text(plan: &Plan, rows: &[Row]) -> String {
    table(&TableInput { plan, rows, database: &[], connection_limit: None })
}

#[test]
fn every_line_of_the_table_has_as_many_cells_and_foreign_text_makes_none() {
    let (plan, mut rows) = rows(3);
    rows[1].observations = vec!["a | b <script> `x`\n| 9 |".into()];
    rows[2].tasks = None;
    let text = text(&plan, &rows);
    let lines: Vec<&str> = text.lines().take_while(|l| l.starts_with('|')).collect();
    assert_eq!(lines.len(), 5, "{text}");
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    assert!(lines.iter().all(|l| cells(l) == cells(lines[0])), "{text}");
    assert!(lines[0].starts_with("| Run |") && lines[0].ends_with("| Observations |"), "{text}");
    assert!(lines[4].contains(" - |"), "missing is a dash: {text}");
}

#[test]
fn repeats_give_median_and_range_of_valid_rows() {
    let (plan, mut rows) = rows(4);
    rows[3].verdict = Some(RowVerdict::Invalid);
    let text = text(&plan, &rows);
    assert!(text.contains("101.5 (101 to 102)"), "{text}");
    assert!(!text.contains("(103 to"), "one valid row has no range: {text}");
}

#[test]
fn a_table_that_is_too_long_says_what_it_left_out() {
    let (plan, mut rows) = rows(64);
    for row in &mut rows {
        row.observations = vec!["a long story ".repeat(12), "another one ".repeat(13), "and more ".repeat(17)];
    }
    let text = text(&plan, &rows);
    assert!(text.chars().count() <= LONGEST_TABLE);
    assert!(
        text.trim_end().ends_with("the report has all of them.") || text.trim_end().ends_with("the report has them.")
    );
}

#[test]
fn the_summary_is_the_fastest_row_that_proves_something() {
    let (_, mut rows) = rows(3);
    rows[2].verdict = Some(RowVerdict::Invalid);
    rows[1].verdict = Some(RowVerdict::Failed);
    let best = summary(&rows).expect("two are valid");
    assert_eq!((best.row, best.rate.as_deref()), (Some(2), Some("102 tasks/s")));
    let requests = rows[1].loads[0].requests.as_mut().expect("counted");
    requests.capped = Some(crate::api::Count(5));
    assert_eq!(summary(&rows).and_then(|s| s.rate).as_deref(), Some("at least 102 tasks/s"));
    rows.iter_mut().for_each(|r| r.verdict = Some(RowVerdict::Invalid));
    assert_eq!(summary(&rows), None);
}

#[test]
fn a_large_status_is_compacted_and_keeps_verdicts_and_latency() {
    let (_, rows) = rows(64);
    let mut status = LoadTestStatus { results: rows, ..LoadTestStatus::default() };
    let before = status.results.clone();
    compact(&mut status);
    assert_eq!(status.truncated, None);
    assert_eq!(status.results, before, "what fits is left alone");
    for row in &mut status.results {
        row.database = row.database.iter().cycle().take(32).cloned().collect();
        row.loads = vec![row.loads[0].clone(); 8];
    }
    assert!(size(&status) > MOST_BYTES);
    compact(&mut status);
    assert!(size(&status) <= MOST_BYTES && status.truncated == Some(true));
    let first = &status.results[0];
    assert!(first.verdict.is_some() && first.tasks.is_some() && first.loads[0].latency.is_some());
    assert!(first.database.is_empty());
}

#[test]
fn the_plans_own_headings_stand_instead_of_the_usual_ones_and_what_is_missing_is_a_dash() {
    let (mut plan, mut rows) = rows(2);
    let columns = serde_json::json!([
        {"title": "Run", "metric": "run"}, {"title": "Infra | here", "text": "k8s"},
        {"title": "Offered", "metric": "set.ingest.rate"}, {"title": "Tasks / Sec", "metric": "tasksPerSecond"},
        {"title": "Backlog", "metric": "backlog"}, {"title": "Notes", "metric": "observations"}]);
    plan.spec.columns = serde_json::from_value(columns).expect("columns");
    rows[1].backlog = None;
    rows[1].observations = vec!["a | b".into()];
    let text = text(&plan, &rows);
    let lines: Vec<Vec<String>> = text
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| line.replace("\\|", "/").trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect();
    assert_eq!(lines[0], ["Run", "Infra / here", "Offered", "Tasks / Sec", "Backlog", "Notes"]);
    assert_eq!(lines[2], ["1", "k8s", "10", "101", "0", "-"]);
    assert_eq!(lines[3], ["2", "k8s", "10", "102", "-", "a / b"]);
    assert!(text.contains("101.5 (101 to 102)") && !text.contains("Latency"), "{text}");
}
