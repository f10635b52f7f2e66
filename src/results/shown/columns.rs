//! The plan's own headings: `spec.columns`, one cell a row, for people and for programs.

use crate::api::{Column, LimitSource, Row};

use super::summary::is_capped;
use crate::results::figures::decimal::{decimal, human, human_count};
use crate::results::figures::note::{markdown, shortened};
use crate::results::judged::metric::{Worst, value};

/// A figure as people read it, with what belongs to it; `None`: it is missing. `limit`: most connections, and where that is known from.
pub fn figure(row: &Row, metric: &str, worst: Worst, limit: Option<(i32, LimitSource)>) -> Option<String> {
    let text = human(value(metric, row, worst).ok()?);
    Some(match (metric, limit) {
        ("database.connections.maximum", Some((limit, _))) => format!("{text} of {}", human_count(limit.into())),
        ("tasksPerSecond" | "requests.perSecond", _) if is_capped(row) => format!("at least {text}"),
        _ => text,
    })
}

/// A cell of the table in Markdown. `longest`: characters of the observations.
pub fn cell(column: &Column, row: &Row, limit: Option<(i32, LimitSource)>, longest: usize) -> Option<String> {
    match (&column.text, column.metric.as_deref().unwrap_or_default()) {
        (Some(text), _) => Some(markdown(text)),
        (None, "observations") => words("observations", row).map(|text| markdown(&shortened(&text, longest))),
        (None, metric) if is_figure(column) => figure(row, metric, Worst::Largest, limit),
        (None, metric) => words(metric, row).map(|text| markdown(&text)),
    }
}

/// The same as a program reads it: numbers as they are, texts as they are.
pub fn plain(column: &Column, row: &Row) -> Option<String> {
    match (&column.text, column.metric.as_deref().unwrap_or_default()) {
        (Some(text), _) => Some(text.clone()),
        (None, metric) if is_figure(column) => Some(decimal(value(metric, row, Worst::Largest).ok()?)?.0),
        (None, metric) => words(metric, row),
    }
}

/// A number: it is aligned to the right, and rows of the same point have a median of it.
pub fn is_figure(column: &Column) -> bool {
    let word = |metric: &String| {
        metric.starts_with("set.") || ["run", "verdict", "reason", "observations"].contains(&metric.as_str())
    };
    column.metric.as_ref().is_some_and(|metric| !word(metric))
}

/// What of a row is no figure.
fn words(metric: &str, row: &Row) -> Option<String> {
    match metric {
        "run" => Some(row.row.to_string()),
        "verdict" => row.verdict.map(|verdict| format!("{verdict:?}")),
        "reason" => row.reason.clone(),
        "observations" => Some(row.observations.join("; ")).filter(|text| !text.is_empty()),
        _ => {
            let name = metric.strip_prefix("set.")?;
            row.set.iter().find(|set| set.name == name).map(|set| set.value.clone())
        }
    }
}
