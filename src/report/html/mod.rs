//! The report as one HTML file: no network, no script, for screen and paper, by day and by night.
//!
//! Order: the verdict, whether it can be believed, the answer, why, detail.

mod acts;
mod axis;
mod belief;
mod capacity;
mod chart;
mod palette;
mod say;
mod tables;
mod timeline;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::results::{ResultRow, Results};

/// Largest file, bytes.
pub const MOST_BYTES: usize = 500_000;
/// What the parts around the charts of the rows may not grow beyond, so that there is room for some.
const FOR_CHARTS: usize = 120_000;

const PARTS: [(&str, &str); 9] = [
    ("believe", "Can it be believed?"),
    ("capacity", "How much it takes"),
    ("limited", "What limited it"),
    ("rows", "What happened when"),
    ("tasks", "Was all the work done?"),
    ("database", "Database"),
    ("full", "Every row"),
    ("fingerprint", "Fingerprint"),
    ("plan", "Plan"),
];

/// What a person would say, by its title: the answer, what kept it from more, and what both rest on.
pub fn sentences(results: &Results) -> [(&'static str, String); 3] {
    [("ANSWER", say::answer(results)), ("LIMITED BY", say::limited(results)), ("BELIEVE", say::belief(results))]
}

/// The file, at most [`MOST_BYTES`]: where not all rows' charts fit, the first rows have theirs, and it says which don't.
pub fn html(results: &Results) -> String {
    let data = data(results).filter(|data| page(results, &[], data).len() + FOR_CHARTS < MOST_BYTES);
    let data = data.unwrap_or_default();
    let limit = results.fingerprint.as_ref().and_then(|f| f.database.as_ref()).and_then(|d| d.connection_limit);
    let mut room = MOST_BYTES.saturating_sub(page(results, &[], &data).len() + 2_000);
    let mut charts = Vec::new();
    for row in results.rows.iter().filter_map(|row| Some((row, row.details.as_ref()?))) {
        let text = of_row(row.0, timeline::charts(row.1, limit, charts.is_empty())).into_string();
        if text.len() > room {
            break;
        }
        room -= text.len();
        charts.push(text);
    }
    page(results, &charts, &data)
}

fn page(results: &Results, charts: &[String], data: &str) -> String {
    let title = format!("Load test {}, run {}: {:?}", results.name(), results.test.run, results.verdict);
    let parts = [
        html! { (belief::strip(results)) },
        capacity::panels(results),
        tables::limited(results),
        timelines(results, charts),
        html! { (tables::tasks(results)) (tables::outages(results)) },
        tables::database(results),
        tables::rows(results),
        tables::fingerprint(results),
        plan(results),
    ];
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                // Whoever reads it asks nobody for anything.
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { (title) }
                style { (PreEscaped(palette::style())) }
            }
            body {
                (headline(results))
                main {
                    @for ((id, title), part) in PARTS.iter().zip(&parts) {
                        section aria-labelledby=(id) { h2 id=(id) { (title) } (part) }
                    }
                }
                @if !data.is_empty() { script type="application/json" id="results" { (PreEscaped(data)) } }
            }
        }
    };
    // A terminal that the file is shown on obeys none of it.
    page.into_string().replace(|c: char| c.is_control() && c != '\n', " ")
}

fn headline(results: &Results) -> Markup {
    let verdict = format!("{:?}", results.verdict);
    let at = |instant: Option<crate::api::Instant>| instant.map_or_else(|| "-".into(), |at| at.to_string());
    html! {
        header {
            h1 {
                "Load test " (results.name()) ", run " (results.test.run) ": "
                span class=(format!("verdict {verdict}")) { (verdict) @if results.reason != "ThresholdsMet" { " (" (results.reason) ")" } }
            }
            p.muted {
                (at(results.started_at)) " to " (at(results.finished_at)) ", "
                (results.rows.len()) " of " (results.plan.rows) " rows done"
                @if let Some(id) = &results.test.run_id { ", runId " (id) }
            }
            @for (title, sentence) in sentences(results) { p.say { @if title == "LIMITED BY" { "Limited by: " } (sentence) } }
            p { (results.message) }
            (tables::thresholds(results))
            nav aria-label="Parts of the report" { ul { @for (id, title) in PARTS { li { a href=(format!("#{id}")) { (title) } } } } }
        }
    }
}

fn of_row(row: &ResultRow, charts: Markup) -> Markup {
    let set: Vec<String> = row.row.set.iter().map(|set| format!("{} {}", set.name, set.value)).collect();
    html! { h3 { "Row " (row.row.row) @if !set.is_empty() { ": " (set.join(", ")) } } (charts) }
}

fn timelines(results: &Results, charts: &[String]) -> Markup {
    let known: Vec<i32> = results.rows.iter().filter(|row| row.details.is_some()).map(|row| row.row.row).collect();
    let left_out = &known[charts.len().min(known.len())..];
    html! {
        @for chart in charts { (PreEscaped(chart)) }
        @if known.is_empty() { p.muted { "No row's timeline is at hand." } }
        @if let (Some(first), Some(last)) = (left_out.first(), left_out.last()) {
            p { "The charts of rows " (first) " to " (last) " are left out so that this file stays small; " code { "--row " (first) } " makes a report of that row alone." }
        }
    }
}

fn plan(results: &Results) -> Markup {
    let spec = serde_json::to_string_pretty(&results.plan.spec).unwrap_or_default();
    html! {
        p.muted { "The spec as it was planned from; header values, credentials, bodies, values of variables and query strings are left out." }
        details { summary { "spec, JSON" } pre { code { (spec) } } }
    }
}

/// What a program may read out of the file: results.json without histograms and timelines.
fn data(results: &Results) -> Option<String> {
    let mut plain = results.clone();
    plain.rows.iter_mut().for_each(|row| row.details = None);
    // Nothing in it may end the script element.
    serde_json::to_string(&plain).ok().map(|text| text.replace('<', "\\u003c"))
}

#[cfg(test)]
mod tests;
