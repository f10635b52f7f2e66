//! The report's tables: thresholds, tasks, database, full rows, and what must be equal before two runs are compared.

use maud::{Markup, html};

use super::super::Results;
use super::super::junit::{limits, words};
use crate::api::{Column, DatabaseFigure, DatabaseSource, Decimal, LoadFigures, Recovery, Row, Statistics};
use crate::results::figures::decimal::{human, human_count, number};
use crate::results::gathered::statements::Statements;
use crate::results::judged::judge::carries_late_figures;
use crate::results::judged::metric::{Worst, value};
use crate::results::judged::threshold::{Judgement, is_late, judge};
use crate::results::shown::columns::{figure as own_figure, is_figure, plain};
use crate::results::shown::limited::gave_out;
use crate::results::shown::table::FIGURES;

/// Longest text of a statement that is shown, characters.
const LONGEST_STATEMENT: usize = 240;
/// A cell of more characters is a sentence.
const SENTENCE: usize = 60;

/// A table that may be wider than the screen. A column is right-aligned where its title begins with `#`, which is not shown.
pub fn table(caption: &str, titles: &[String], lines: &[Vec<String>]) -> Markup {
    let numeric: Vec<bool> = titles.iter().map(|title| title.starts_with('#')).collect();
    let class = |at: usize| numeric.get(at).copied().unwrap_or(false).then_some("n");
    // Sentences get room: beside many columns they would stand one word below the other.
    let class_of = |at: usize, cell: &str| class(at).or((cell.len() > SENTENCE).then_some("sentence"));
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr {
                    @for (at, title) in titles.iter().enumerate() {
                        th scope="col" class=[class(at)] { (title.trim_start_matches('#')) }
                    }
                } }
                tbody {
                    @for line in lines {
                        tr {
                            @for (at, cell) in line.iter().enumerate() {
                                @if at == 0 { th scope="row" class=[class(at)] { (cell) } }
                                @else { td class=[class_of(at, cell)] { (cell) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn titles(all: &[&str]) -> Vec<String> {
    all.iter().map(|title| (*title).to_owned()).collect()
}

fn shown(figure: Option<f64>) -> String {
    figure.map_or_else(|| "-".into(), human)
}

fn decimal(figure: &Option<Decimal>) -> String {
    shown(figure.as_ref().and_then(number))
}

/// Each threshold with what became of it, the worst row first.
pub fn thresholds(results: &Results) -> Markup {
    let Some(spec) = results.spec().filter(|spec| !spec.thresholds.is_empty()) else {
        return html! { p.muted { "No threshold was set: a row passes when no request fails." } };
    };
    let rows: Vec<&Row> = results.plain_rows().collect();
    let mut lines = Vec::new();
    for threshold in &spec.thresholds {
        let asked = rows.iter().filter(|row| !is_late(&threshold.metric) || carries_late_figures(row));
        let judged: Vec<(i32, Judgement)> = asked.map(|row| (row.row, judge(threshold, row))).collect();
        let of = |wanted: fn(&Judgement) -> bool| judged.iter().filter(|(_, one)| wanted(one)).collect::<Vec<_>>();
        let breached = of(|one| matches!(one, Judgement::Breached(_)));
        let missing = of(|one| matches!(one, Judgement::Missing(_)));
        let whole = results.whole_test_thresholds.iter().find(|one| one.metric == threshold.metric);
        let (outcome, said, place) = match (breached.first(), missing.first(), whole) {
            (Some((row, one)), ..) => ("✗ breached", words(one), format!("row {row}, {} in all", breached.len())),
            (_, Some((row, one)), _) if threshold.optional => ("– not asked", words(one), format!("row {row}")),
            (_, Some((row, one)), _) => ("! no figure", words(one), format!("row {row}, {} in all", missing.len())),
            (_, _, Some(whole)) => {
                let held = whole.judgement.starts_with("held");
                let missing = whole.judgement.starts_with("no figure");
                let word = if held {
                    "✓ held"
                } else if missing {
                    "! no figure"
                } else {
                    "✗ breached"
                };
                (word, whole.judgement.clone(), "whole test".into())
            }
            _ if judged.is_empty() => ("– not asked", "no row was done".into(), "-".into()),
            _ => ("✓ held", held(&judged), format!("all {} rows", judged.len())),
        };
        lines.push(vec![limits(threshold), outcome.into(), said, place]);
    }
    table("Thresholds", &titles(&["Threshold", "Outcome", "Seen", "Where"]), &lines)
}

/// The range of what was seen.
fn held(judged: &[(i32, Judgement)]) -> String {
    let seen: Vec<f64> = judged
        .iter()
        .filter_map(|(_, one)| if let Judgement::Held(seen) = one { number(seen) } else { None })
        .collect();
    match (seen.iter().copied().reduce(f64::min), seen.iter().copied().reduce(f64::max)) {
        (Some(least), Some(most)) if least < most => format!("{} to {}", human(least), human(most)),
        (Some(one), _) => human(one),
        _ => "-".into(),
    }
}

/// Whether all work was done: what was sent, accepted, counted by the application, and left.
pub fn tasks(results: &Results) -> Markup {
    let columns = [
        ("#Sent", "requests.sent"),
        ("#Good", "requests.ok"),
        ("#Failed", "requests.failed"),
        ("#Of them timed out", "requests.timedOut"),
        ("#Held back by the cap", "requests.capped"),
        ("#Tasks accepted", "tasks"),
        ("#Unaccounted", "tasksUnaccounted"),
        ("#Backlog at the end", "backlog"),
        ("#Its growth a second", "backlogSlopePerSecond"),
        ("#Drained in s", "drainSeconds"),
        ("#Processed a second", "processedPerSecond"),
    ];
    let mut heads = vec!["#Run".to_owned()];
    heads.extend(columns.iter().map(|(title, _)| (*title).to_owned()));
    let line = |row: &Row| {
        let cells = columns.iter().map(|(_, metric)| shown(value(metric, row, Worst::Largest).ok()));
        std::iter::once(row.row.to_string()).chain(cells).collect()
    };
    let lines: Vec<Vec<String>> = results.plain_rows().map(line).collect();
    table("Requests and tasks; - is not known", &heads, &lines)
}

/// What gave out in each row, what explains the rest first.
pub fn limited(results: &Results) -> Markup {
    let spec = results.spec();
    let mut lines = Vec::new();
    for row in results.plain_rows() {
        let set: Vec<String> = row.set.iter().map(|set| format!("{} {}", set.name, set.value)).collect();
        let set = if set.is_empty() { "-".into() } else { set.join(", ") };
        let limits = gave_out(row, spec.as_ref());
        if limits.is_empty() {
            lines.push(vec![row.row.to_string(), set.clone(), "-".into(), "-".into()]);
        }
        lines.extend(limits.into_iter().map(|one| vec![row.row.to_string(), set.clone(), one.what, one.evidence]));
    }
    let caption = "What gave out, by the figures that are there; what makes the others wait stands first; - no figure was at its limit";
    table(caption, &titles(&["#Run", "Set", "Limited by", "Evidence"]), &lines)
}

/// How often and for how long each load with a rate got no good answer; nothing where no load has a rate.
pub fn outages(results: &Results) -> Markup {
    let of = |row: &Row| {
        let known = row.loads.iter().filter_map(|load| Some((load, load.recovery.as_ref()?)));
        let line = |(load, recovery): (&LoadFigures, &Recovery)| {
            let excused = load.requests.as_ref().and_then(|requests| requests.excused);
            let excused = excused.map_or_else(|| "-".into(), |n| human_count(n.0));
            let (longest, recovered) = (decimal(&recovery.longest_ms), decimal(&recovery.recovery_ms));
            vec![row.row.to_string(), load.name.0.clone(), recovery.outages.to_string(), longest, recovered, excused]
        };
        known.map(line).collect::<Vec<_>>()
    };
    let lines: Vec<Vec<String>> = results.plain_rows().flat_map(of).collect();
    let heads = titles(&[
        "#Run",
        "Load",
        "#Outages",
        "#Longest ms",
        "#From the end of an action to the next good answer ms",
        "#Excused",
    ]);
    html! { @if !lines.is_empty() { (table("Outages of loads with a rate", &heads, &lines)) } }
}

/// Figures of the database by row and of the whole test.
pub fn database(results: &Results) -> Markup {
    let heads = titles(&["#Run", "Figure", "From", "#Average", "#Smallest", "#Largest", "#At the end", "#Points"]);
    let by_row = results.plain_rows().flat_map(|row| row.database.iter().map(|one| (row.row.to_string(), one)));
    let whole = results.database.iter().map(|one| ("all".to_owned(), one));
    let lines: Vec<Vec<String>> = by_row.chain(whole).map(|(run, one)| figure(run, one)).collect();
    let statements = results.rows.iter().filter_map(|row| row.details.as_ref()?.statements.as_ref());
    html! {
        @if lines.is_empty() { p.muted { "No database was asked, or none answered." } }
        @else { (table("Figures of the database", &heads, &lines)) }
        @for one in statements { (statement_table(one)) }
    }
}

fn figure(run: String, figure: &DatabaseFigure) -> Vec<String> {
    let from = match figure.source {
        DatabaseSource::CloudWatch => "CloudWatch",
        DatabaseSource::DatabaseInsights => "Database Insights",
        DatabaseSource::PostgreSql => "PostgreSQL",
    };
    let Statistics { average, minimum, maximum, last, points, expected, .. } = &figure.statistics;
    let of = |n: &Option<i32>| n.map_or_else(|| "-".into(), |n| n.to_string());
    let points = format!("{} of {}", of(points), of(expected));
    let name = figure.name.clone();
    vec![run, name, from.into(), decimal(average), decimal(minimum), decimal(maximum), decimal(last), points]
}

fn statement_table(statements: &Statements) -> Markup {
    let caption = format!("Statements of row {} by the time they added, without literals", statements.row);
    let heads = titles(&["#Added ms", "#Calls", "#Mean ms", "#Rows", "Statement"]);
    let line = |one: &crate::results::gathered::statements::Statement| {
        let mut text: String = one.text.chars().take(LONGEST_STATEMENT).collect();
        if text.len() < one.text.len() {
            text.push('…');
        }
        #[allow(clippy::cast_precision_loss)] // counts
        let (calls, rows) = (human(one.calls as f64), human(one.rows as f64));
        vec![human(one.added_ms), calls, human(one.mean_ms), rows, text]
    };
    let lines: Vec<Vec<String>> = statements.top.iter().take(10).map(line).collect();
    html! {
        @if !lines.is_empty() { (table(&caption, &heads, &lines)) }
        @if let Some(problem) = &statements.problem { p.muted { (problem) } }
    }
}

/// The plan's own table, where it has headings of its own, and every figure of every row.
pub fn rows(results: &Results) -> Markup {
    let own = results.spec().map(|spec| spec.columns).filter(|columns| !columns.is_empty());
    html! {
        @if let Some(columns) = own { (headed(results, &columns)) }
        (every_row(results))
    }
}

fn headed(results: &Results, columns: &[Column]) -> Markup {
    let head = |column: &Column| format!("{}{}", if is_figure(column) { "#" } else { "" }, column.title);
    let cell = |column: &Column, row: &Row| {
        let metric = column.metric.as_deref().filter(|_| is_figure(column));
        let figure = metric.and_then(|metric| own_figure(row, metric, Worst::Largest, None));
        figure.or_else(|| plain(column, row)).unwrap_or_else(|| "-".into())
    };
    let lines: Vec<Vec<String>> =
        results.plain_rows().map(|row| columns.iter().map(|column| cell(column, row)).collect()).collect();
    table("The plan's own table; - is not available", &columns.iter().map(head).collect::<Vec<_>>(), &lines)
}

/// All rows with all figures that any of them has.
fn every_row(results: &Results) -> Markup {
    let rows: Vec<&Row> = results.plain_rows().collect();
    let mut columns: Vec<(String, Vec<String>)> =
        vec![("#Run".into(), rows.iter().map(|r| r.row.to_string()).collect())];
    let names: Vec<&str> = rows.first().map(|r| r.set.iter().map(|s| s.name.as_str()).collect()).unwrap_or_default();
    for name in names {
        let cell = |row: &&Row| row.set.iter().find(|set| set.name == name).map_or("-".into(), |set| set.value.clone());
        columns.push((format!("#{name}"), rows.iter().map(cell).collect()));
    }
    let mut metrics: Vec<(String, String, Worst)> =
        FIGURES.iter().map(|(title, metric, worst)| (format!("#{title}"), (*metric).to_owned(), *worst)).collect();
    for target in rows.iter().flat_map(|row| &row.targets).map(|target| &target.name.0) {
        for (title, figure) in [
            ("CPU % of limit", "cpuMaxPercent"),
            ("memory % of limit", "memoryMaxPercent"),
            ("memory MiB", "memoryMaxMiB"),
            ("memory growth % a minute", "memorySlopePercentPerMinute"),
        ] {
            let metric = format!("targets.{target}.{figure}");
            if !metrics.iter().any(|(_, known, _)| *known == metric) {
                metrics.push((format!("#{target} {title}"), metric, Worst::Largest));
            }
        }
    }
    for (title, metric, worst) in metrics {
        let cells: Vec<Option<f64>> = rows.iter().map(|row| value(&metric, row, worst).ok()).collect();
        if cells.iter().any(Option::is_some) {
            columns.push((title, cells.into_iter().map(shown).collect()));
        }
    }
    let said = |row: &&Row| match (row.verdict, &row.reason) {
        (Some(verdict), Some(reason)) => format!("{verdict:?} ({reason})"),
        (Some(verdict), None) => format!("{verdict:?}"),
        _ => "-".into(),
    };
    columns.push(("Verdict".into(), rows.iter().map(said).collect()));
    let observed = |row: &&Row| if row.observations.is_empty() { "-".into() } else { row.observations.join("; ") };
    columns.push(("Observations".into(), rows.iter().map(observed).collect()));
    let heads: Vec<String> = columns.iter().map(|(title, _)| title.clone()).collect();
    let lines: Vec<Vec<String>> =
        (0..rows.len()).map(|at| columns.iter().map(|(_, cells)| cells[at].clone()).collect()).collect();
    table("Every row; - is not available, never 0", &heads, &lines)
}

/// What must be equal before two runs may be compared.
pub fn fingerprint(results: &Results) -> Markup {
    let mut lines = vec![vec!["plan".into(), results.plan.hash.clone()]];
    if let Some(fingerprint) = &results.fingerprint {
        lines.extend(crate::report::compare::fields(fingerprint).into_iter().map(|(name, value)| vec![name, value]));
    }
    table("Two runs are comparable where all of this is equal", &titles(&["What", "Value"]), &lines)
}
