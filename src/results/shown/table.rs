//! The Markdown table of a status: Run first, what the sweep set, figures, Verdict, Observations last.

use std::collections::BTreeMap;

use crate::api::{self, DatabaseFigure, LimitSource, Row, RowVerdict};
use crate::plan::Plan;

use super::columns::{cell, figure, is_figure};
use super::key::key;
use crate::results::figures::decimal::human;
use crate::results::figures::note::{markdown, shortened};
use crate::results::judged::metric::{Worst, value};

/// Longest table, characters.
pub const LONGEST_TABLE: usize = 32_768;

/// What a table is made of.
#[derive(Clone, Copy, Debug)]
pub struct TableInput<'a> {
    pub plan: &'a Plan,
    pub rows: &'a [Row],
    /// Figures for the whole test.
    pub database: &'a [DatabaseFigure],
    /// Most connections, and where that is known from.
    pub connection_limit: Option<(i32, LimitSource)>,
}

/// The table with what stands below it, at most [`LONGEST_TABLE`] characters: observations are shortened, then left out,
/// then rows, and the last line says so.
pub fn table(input: &TableInput) -> String {
    let attempts = [
        (usize::MAX, ""),
        (60, "\nObservations are shortened; the report has all of them.\n"),
        (0, "\nObservations are left out; the report has them.\n"),
    ];
    for (longest, hint) in attempts {
        let text = whole(input, input.rows, longest) + hint;
        if text.chars().count() <= LONGEST_TABLE {
            return text;
        }
    }
    let mut kept = input.rows.len();
    loop {
        kept = kept.saturating_sub(1);
        let left_out = input.rows.len() - kept;
        let hint = format!("\nObservations and {left_out} rows are left out; the report has them.\n");
        let text = whole(input, &input.rows[..kept], 0) + &hint;
        if kept == 0 || text.chars().count() <= LONGEST_TABLE {
            return text;
        }
    }
}

fn whole(input: &TableInput, rows: &[Row], longest: usize) -> String {
    let (columns, right) = match input.plan.spec.columns.as_slice() {
        [] => usual(input, rows, longest),
        own => headed(own, input, rows, longest),
    };
    grid(&columns, &right) + &repeats(input, rows) + &key(input, rows)
}

type Column = (String, Vec<Option<String>>);

/// The plan's own headings. A column without any figure stands, too.
fn headed(own: &[api::Column], input: &TableInput, rows: &[Row], longest: usize) -> (Vec<Column>, Vec<bool>) {
    let of = |column: &api::Column| {
        let cells = rows.iter().map(|row| cell(column, row, input.connection_limit, longest).filter(|c| !c.is_empty()));
        (markdown(&column.title), cells.collect())
    };
    let right = |column: &api::Column| is_figure(column) || column.metric.as_deref() == Some("run");
    (own.iter().map(of).collect(), own.iter().map(right).collect())
}

fn usual(input: &TableInput, rows: &[Row], longest: usize) -> (Vec<Column>, Vec<bool>) {
    let mut all: Vec<Column> = vec![("Run".into(), rows.iter().map(|r| Some(r.row.to_string())).collect())];
    let names = input.plan.rows.first().map(|r| r.set.iter().map(|s| s.name.as_str()).collect::<Vec<_>>());
    for name in names.unwrap_or_default() {
        let cell = |r: &Row| r.set.iter().find(|s| s.name == name).map(|s| markdown(&s.value));
        all.push((markdown(name), rows.iter().map(cell).collect()));
    }
    for (title, metric, worst) in FIGURES {
        let cells = rows.iter().map(|r| figure(r, metric, worst, input.connection_limit));
        all.push((title.into(), cells.collect()));
    }
    for measurement in &input.plan.spec.measurements {
        let name = &measurement.name.0;
        let counts_tasks = input.plan.spec.tasks_check.as_ref().is_some_and(|check| check.measurement.0 == *name);
        let timed = measurement.durations().is_some();
        let which = match (measurement.log.is_some(), counts_tasks) {
            (true, _) => "last",
            _ if timed => "average",
            // Half way through a row the application's count says nothing.
            (_, true) => "settled",
            _ => "maximum",
        };
        let metric = format!("measurements.{name}.{which}");
        let cells = rows.iter().map(|r| value(&metric, r, Worst::Largest).ok().map(human));
        let title = if timed { format!("{name} mean s") } else { name.clone() };
        all.push((markdown(&title), cells.collect()));
    }
    let mut right = vec![true; all.len()];
    let verdict = |r: &Row| r.verdict.map(|v| said(v, r));
    all.push(("Verdict".into(), rows.iter().map(verdict).collect()));
    let observed = |r: &Row| {
        let text = r.observations.join("; ");
        (!text.is_empty()).then(|| markdown(&shortened(&text, longest)))
    };
    let observations = if longest == 0 { vec![None; rows.len()] } else { rows.iter().map(observed).collect() };
    all.push(("Observations".into(), observations));
    right.extend([false, false]);
    // No column without any figure; Run and Observations always stand.
    let keep: Vec<bool> = all
        .iter()
        .map(|(title, cells)| ["Run", "Observations"].contains(&title.as_str()) || cells.iter().any(Option::is_some))
        .collect();
    let pick = |i: &usize| keep[*i];
    let right = (0..right.len()).filter(pick).map(|i| right[i]).collect();
    (all.into_iter().zip(&keep).filter(|(_, k)| **k).map(|(c, _)| c).collect(), right)
}

/// Title, metric, and which of several loads counts.
pub const FIGURES: [(&str, &str, Worst); 17] = [
    ("Tasks", "tasks", Worst::Smallest),
    ("Tasks/s", "tasksPerSecond", Worst::Smallest),
    ("Requests", "requests.sent", Worst::Largest),
    ("Requests/s", "requests.perSecond", Worst::Smallest),
    ("Failed %", "requests.failedPercent", Worst::Largest),
    ("p50 ms", "latency.p50Ms", Worst::Largest),
    ("p99 ms", "latency.p99Ms", Worst::Largest),
    ("Max ms", "latency.maxMs", Worst::Largest),
    ("Connections", "database.connections.maximum", Worst::Largest),
    ("Lock wait %", "database.lockWaitPercent.average", Worst::Largest),
    ("Slow queries", "database.slowQueries.maximum", Worst::Largest),
    ("DB CPU %", "database.cpuPercent.maximum", Worst::Largest),
    ("Proxy wait ms", "database.proxyBorrowLatencyMs.average", Worst::Largest),
    ("Unaccounted", "tasksUnaccounted", Worst::Largest),
    ("Backlog", "backlog", Worst::Largest),
    ("Drain s", "drainSeconds", Worst::Largest),
    ("Processed/s", "processedPerSecond", Worst::Smallest),
];

fn said(verdict: RowVerdict, row: &Row) -> String {
    match (verdict, row.reason.as_deref()) {
        (RowVerdict::Passed, _) | (_, None) => format!("{verdict:?}"),
        (_, Some(reason)) => format!("{verdict:?} ({})", markdown(reason)),
    }
}

fn grid(columns: &[Column], right: &[bool]) -> String {
    let cell = |c: &Option<String>| c.clone().unwrap_or_else(|| "-".into());
    let widths: Vec<usize> = columns
        .iter()
        .map(|(title, cells)| cells.iter().map(|c| cell(c).chars().count()).fold(title.chars().count(), usize::max))
        .collect();
    let last = columns.len().saturating_sub(1);
    let line = |texts: Vec<String>| {
        let padded = texts.iter().enumerate().map(|(i, text)| {
            let room = " ".repeat(widths[i] - text.chars().count());
            match (right[i], i == last) {
                (true, _) => format!("{room}{text}"),
                (false, false) => format!("{text}{room}"),
                // Nothing stands behind the observations.
                (false, true) => text.clone(),
            }
        });
        format!("| {} |\n", padded.collect::<Vec<_>>().join(" | "))
    };
    let mut out = line(columns.iter().map(|(title, _)| title.clone()).collect());
    let rules = widths.iter().zip(right).enumerate().map(|(i, (w, r))| match (r, i == last) {
        (true, _) => format!("{}:", "-".repeat(w + 1)),
        (false, true) => "-".repeat("Observations".len() + 2),
        (false, false) => "-".repeat(w + 2),
    });
    out += &format!("|{}|\n", rules.collect::<Vec<_>>().join("|"));
    for i in 0..columns.first().map_or(0, |(_, cells)| cells.len()) {
        out += &line(columns.iter().map(|(_, cells)| cell(&cells[i])).collect());
    }
    out
}

/// Median and range over the rows of one point, Invalid ones left out.
fn repeats(input: &TableInput, rows: &[Row]) -> String {
    let point_of: BTreeMap<i32, i32> = input.plan.rows.iter().map(|r| (r.number, r.point)).collect();
    let mut points: BTreeMap<i32, Vec<&Row>> = BTreeMap::new();
    for row in rows.iter().filter(|r| r.verdict.is_some_and(|v| v != RowVerdict::Invalid)) {
        points.entry(point_of.get(&row.row).copied().unwrap_or(row.row)).or_default().push(row);
    }
    points.retain(|_, rows| rows.len() > 1);
    if points.is_empty() {
        return String::new();
    }
    let all: Vec<&Vec<&Row>> = points.values().collect();
    let numbers = |rows: &Vec<&Row>| rows.iter().map(|r| r.row.to_string()).collect::<Vec<_>>().join(", ");
    let set = |rows: &Vec<&Row>| {
        let all = rows[0].set.iter().map(|s| format!("{} {}", markdown(&s.name), markdown(&s.value)));
        let text = all.collect::<Vec<_>>().join(", ");
        (!text.is_empty()).then_some(text)
    };
    let mut columns: Vec<Column> = vec![
        ("Runs".into(), all.iter().map(|r| Some(numbers(r))).collect()),
        ("Set".into(), all.iter().map(|r| set(r)).collect()),
        ("n".into(), all.iter().map(|r| Some(r.len().to_string())).collect()),
    ];
    for (title, metric, worst) in repeated(input) {
        let cells = all.iter().map(|rows| {
            let values: Option<Vec<f64>> = rows.iter().map(|r| value(metric, r, worst).ok()).collect();
            values.map(spread)
        });
        columns.push((title, cells.collect()));
    }
    columns.retain(|(_, cells)| cells.iter().any(Option::is_some));
    let right: Vec<bool> = columns.iter().map(|(title, _)| title != "Set" && title != "Runs").collect();
    format!("\nRepeats, median (smallest to largest of n valid rows):\n\n{}", grid(&columns, &right))
}

/// Title, metric, and which of several loads counts, of the figures that rows of a point are compared by.
fn repeated<'a>(input: &TableInput<'a>) -> Vec<(String, &'a str, Worst)> {
    const USUAL: [&str; 4] = ["Tasks/s", "Requests/s", "p50 ms", "p99 ms"];
    let own = &input.plan.spec.columns;
    if own.is_empty() {
        let usual = FIGURES.iter().filter(|(title, ..)| USUAL.contains(title));
        return usual.map(|(title, metric, worst)| ((*title).to_owned(), *metric, *worst)).collect();
    }
    let figures = own.iter().filter(|column| is_figure(column));
    figures.filter_map(|column| Some((markdown(&column.title), column.metric.as_deref()?, Worst::Largest))).collect()
}

fn spread(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    let median = (values[(n - 1) / 2] + values[n / 2]) / 2.0;
    format!("{} ({} to {})", human(median), human(values[0]), human(values[n - 1]))
}
