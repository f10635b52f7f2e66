//! `results.csv`: one line a row, a column a metric, named by its path; empty is missing.

use std::collections::BTreeSet;

use crate::api::{Column, Row};
use crate::results::figures::decimal::decimal;
use crate::results::judged::metric::{Worst, value};
use crate::results::shown::columns::{is_figure, plain};

use super::ReportInput;

/// Sums over the loads, or their worst; and the row's own figures.
const ROW: [&str; 16] = [
    "tasks",
    "tasksPerSecond",
    "tasksUnaccounted",
    "backlog",
    "backlogSlopePerSecond",
    "drainSeconds",
    "processedPerSecond",
    "requests.sent",
    "requests.ok",
    "requests.failed",
    "requests.timedOut",
    "requests.late",
    "requests.capped",
    "requests.failedPercent",
    "requests.perSecond",
    "lateness.maxMs",
];
const LATENCY: [&str; 6] = ["meanMs", "p50Ms", "p90Ms", "p95Ms", "p99Ms", "maxMs"];
const STATISTICS: [&str; 5] = ["average", "minimum", "maximum", "last", "settled"];
const TIMES: [&str; 5] = ["average", "minimum", "maximum", "p50", "p95"];
const TARGET: [&str; 6] =
    ["restarts", "oomKills", "cpuMaxPercent", "memoryMaxPercent", "memoryMaxMiB", "memorySlopePercentPerMinute"];

/// The table as CSV, with a header line; with `spec.columns` under those headings, where `-` is missing.
pub fn csv(input: &ReportInput) -> String {
    if !input.plan.spec.columns.is_empty() {
        return headed(input);
    }
    let metrics = metrics(input);
    let set: Vec<String> =
        input.plan.rows.first().map(|r| r.set.iter().map(|s| s.name.clone()).collect()).unwrap_or_default();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let fixed = ["timestamp", "loadEndedAt", "endedAt", "test", "run", "row", "verdict", "reason"];
    let mut header: Vec<String> = fixed.iter().map(|s| (*s).to_owned()).collect();
    header.extend(set.iter().map(|name| format!("set.{name}")));
    header.extend(metrics.iter().cloned());
    header.push("observations".into());
    // Writing to memory does not fail; lines are equally long by construction.
    let _ = writer.write_record(&header);
    for row in input.test.rows {
        let _ = writer.write_record(line(input, row, &set, &metrics));
    }
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

fn headed(input: &ReportInput) -> String {
    let columns = &input.plan.spec.columns;
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory does not fail; lines are equally long by construction.
    let _ = writer.write_record(columns.iter().map(|column| harmless(&column.title)));
    for row in input.test.rows {
        let cell = |column: &Column| match plain(column, row) {
            Some(number) if is_figure(column) => number,
            Some(text) => harmless(&text),
            None => "-".into(),
        };
        let _ = writer.write_record(columns.iter().map(cell));
    }
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

fn line(input: &ReportInput, row: &Row, set: &[String], metrics: &[String]) -> Vec<String> {
    let at = |i: Option<crate::api::Instant>| i.map(|i| i.to_string()).unwrap_or_default();
    let mut line = vec![
        at(row.started_at),
        at(row.load_ended_at),
        at(row.ended_at),
        format!("{}/{}", input.namespace, input.name),
        input.run.to_string(),
        row.row.to_string(),
        row.verdict.map(|v| format!("{v:?}")).unwrap_or_default(),
        row.reason.clone().unwrap_or_default(),
    ];
    let setting = |name: &String| row.set.iter().find(|s| s.name == *name).map(|s| s.value.clone()).unwrap_or_default();
    line.extend(set.iter().map(|name| harmless(&setting(name))));
    line.extend(metrics.iter().map(|m| {
        let found = value(m, row, Worst::Largest).ok().and_then(decimal);
        found.map(|d| d.0).unwrap_or_default()
    }));
    line.push(harmless(&row.observations.join("; ")));
    line
}

/// One line, without control characters. A spreadsheet takes a cell that begins like this for a formula (<https://owasp.org/www-community/attacks/CSV_Injection>); a number is none.
fn harmless(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text = text.trim();
    let formula = text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if formula && text.parse::<f64>().is_err() { format!("'{text}") } else { text.to_owned() }
}

/// The metrics that any row may have.
fn metrics(input: &ReportInput) -> Vec<String> {
    let spec = &input.plan.spec;
    let mut all: Vec<String> = ROW.iter().map(|m| (*m).to_owned()).collect();
    for kind in ["latency", "service"] {
        all.extend(LATENCY.iter().map(|p| format!("{kind}.{p}")));
    }
    let recovery = |of: &str| ["outages", "longestMs", "recoveryMs"].map(|figure| format!("{of}recovery.{figure}"));
    if spec.loads.iter().any(|load| load.rate.is_some()) {
        all.extend(recovery(""));
    }
    if spec.loads.len() > 1 {
        for load in spec.loads.iter().filter(|load| load.rate.is_some()) {
            all.extend(recovery(&format!("loads.{}.", load.name.0)));
        }
        for load in &spec.loads {
            let of = |m: &str| format!("loads.{}.{m}", load.name.0);
            all.extend(["tasks", "tasksPerSecond"].map(of));
            all.extend(ROW.iter().filter(|m| m.starts_with("requests.")).map(|m| of(m)));
            all.extend(LATENCY.iter().map(|p| of(&format!("latency.{p}"))));
        }
    }
    let figures: BTreeSet<&str> = input.test.rows.iter().flat_map(|r| &r.database).map(|f| f.name.as_str()).collect();
    for figure in figures {
        all.extend(STATISTICS.iter().map(|s| format!("database.{figure}.{s}")));
    }
    for measurement in &spec.measurements {
        let statistics = if measurement.durations().is_some() { TIMES } else { STATISTICS };
        all.extend(statistics.iter().map(|s| format!("measurements.{}.{s}", measurement.name.0)));
    }
    for target in &spec.targets {
        all.extend(TARGET.iter().map(|t| format!("targets.{}.{t}", target.name.0)));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn a_cell_that_a_spreadsheet_would_run_is_a_text_and_a_number_stays_one() {
        for text in ["=1+1", "+SUM(A1)", "-cmd|'/c calc'!A1", "@x", "＝1+1"] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        assert_eq!(harmless("\t=1\u{1b}[2J\r\n2"), "'=1 [2J  2");
        for text in ["-5", "+1.5", "1e9", "k8s", ""] {
            assert_eq!(harmless(text), text);
        }
    }
}
