//! The two sentences that a person would say: the answer, and what it rests on. Nothing in them that no figure says.

use super::super::Results;
use super::belief::{Answer, QUESTIONS, answers};
use super::capacity::{Curve, curve};
use crate::api::{Reason, RowVerdict};
use crate::results::figures::decimal::{human, number};
use crate::results::figures::note::plural;
use crate::results::judged::metric::{Worst, value};
use crate::results::shown::limited::{Limit, ONE_CLIENT, gave_out};
use crate::results::shown::summary::summary;

/// So near to the highest rate counts as no less.
const AS_GOOD_AS: f64 = 0.95;

/// What the test found.
pub fn answer(results: &Results) -> String {
    let rows: Vec<_> = results.plain_rows().cloned().collect();
    let Some(best) = summary(&rows) else {
        let why = Reason::parse(&results.reason).map_or("", Reason::meaning);
        return format!("No row shows a rate that can be relied on. {why}").trim_end().to_owned();
    };
    let row = best.row.unwrap_or_default();
    let set = rows.iter().find(|one| one.row == row).map(|one| {
        let all: Vec<String> = one.set.iter().map(|set| format!("{} {}", set.name, set.value)).collect();
        all.join(", ")
    });
    let place = match set.filter(|set| !set.is_empty()) {
        Some(set) => format!(" with {set} (row {row})"),
        None if rows.len() > 1 => format!(" in row {row}"),
        None => String::new(),
    };
    if let Some(nothing) = all_failed(results, row) {
        return format!("No request was answered well{place}: {nothing}.");
    }
    let failed = best.failed_percent.as_ref().and_then(number).filter(|percent| *percent > 0.0);
    let failed = failed.map(|percent| format!(" {} % of its requests failed.", human(percent))).unwrap_or_default();
    let rate = best.rate.unwrap_or_default();
    let knee = curve(results).and_then(|curve| knee(&curve)).unwrap_or_default();
    if rows.len() == 1 {
        return format!("It did {rate}{place}{}.{failed}", latency(results, row));
    }
    format!("The highest rate was {rate}{place}{}.{failed}{knee}", latency(results, row))
}

/// "150 of 150 requests failed", of a row that sent some and had no good answer.
fn all_failed(results: &Results, row: i32) -> Option<String> {
    let row = results.plain_rows().find(|one| one.row == row)?;
    let figure = |metric| value(metric, row, Worst::Largest).ok();
    let (sent, ok, failed) = (figure("requests.sent")?, figure("requests.ok")?, figure("requests.failed")?);
    (ok == 0.0 && failed > 0.0).then(|| format!("{} of {} requests failed", human(failed), human(sent)))
}

fn latency(results: &Results, row: i32) -> String {
    let Some(row) = results.plain_rows().find(|one| one.row == row) else { return String::new() };
    // How fast the work was taken in says nothing about how fast it was done.
    if row.measured_until.is_some() && row.processed_per_second.is_some() {
        return String::new();
    }
    let figure = |metric| value(metric, row, Worst::Largest).ok().map(human);
    match (figure("latency.p50Ms"), figure("latency.p99Ms"), figure("latency.maxMs")) {
        (Some(p50), Some(p99), _) => {
            format!(", answered in {p50} ms at the median and {p99} ms at the 99th percentile")
        }
        (_, _, Some(max)) => format!(", the slowest answer after {max} ms"),
        _ => String::new(),
    }
}

/// From which load on more of it brought next to nothing; only where one setting was swept and three rows or more prove something.
fn knee(curve: &Curve) -> Option<String> {
    let mut valid = curve.places();
    valid.retain(|place| place.others.is_empty());
    let (last, most) = (valid.last()?, valid.iter().map(|p| p.rate).reduce(f64::max)?);
    let enough = valid.iter().find(|point| point.rate >= most * AS_GOOD_AS)?;
    if valid.len() < 3 {
        return None;
    }
    let name = &curve.axis;
    Some(if enough.x < last.x {
        let change = (most / enough.rate - 1.0) * 100.0;
        let added = if change < 0.5 { "nothing".into() } else { format!("at most {} %", human(change)) };
        format!(" From {name} {} on, more of it added {added}.", human(enough.x))
    } else {
        format!(" It still grew at the largest {name} that was tried, {}.", human(last.x))
    })
}

/// What gave out first: in the first row in which a figure says so.
pub fn limited(results: &Results) -> String {
    let spec = results.spec();
    let all: Vec<_> = results.plain_rows().map(|row| (row, gave_out(row, spec.as_ref()))).collect();
    // A single client limits a sweep only where there never were more.
    let alone = all.iter().all(|(_, limits)| limits.iter().any(|one| one.what == ONE_CLIENT));
    let speaks = |limits: &[Limit]| limits.first().is_some_and(|first| alone || first.what != ONE_CLIENT);
    let Some((row, limits)) = all.into_iter().find(|(_, limits)| speaks(limits)) else {
        return "- (no figure that is there was at its limit)".into();
    };
    let mut text = format!("{}: {}", limits[0].what, limits[0].evidence);
    if results.plan.rows > 1 {
        let set: Vec<String> = row.set.iter().map(|set| format!("{} {}", set.name, set.value)).collect();
        text += &format!(" (row {}{}{})", row.row, if set.is_empty() { "" } else { ", " }, set.join(", "));
    }
    let others: Vec<&str> = limits[1..].iter().map(|one| one.what.as_str()).collect();
    if others.is_empty() { text + "." } else { format!("{text}; beside it {}.", others.join(", ")) }
}

/// How far the answer can be relied on.
pub fn belief(results: &Results) -> String {
    let rows: Vec<_> = results.plain_rows().collect();
    let valid = rows.iter().filter(|row| matches!(row.verdict, Some(RowVerdict::Passed | RowVerdict::Failed))).count();
    if rows.is_empty() {
        return "No row was done.".into();
    }
    let planned = results.plan.rows;
    let mut text = format!("{valid} of {} prove something", plural(planned as u64, "row", "rows"));
    if planned == 1 {
        text = match rows[0].verdict {
            Some(RowVerdict::Passed) => "The row is valid".into(),
            Some(RowVerdict::Failed) => "The row is valid, and it failed".into(),
            _ => "The row proves nothing".into(),
        };
    }
    let spec = results.spec();
    let strip: Vec<_> = rows.iter().map(|row| answers(row, spec.as_ref(), results.is_local())).collect();
    let open: Vec<String> = (0..QUESTIONS.len())
        .filter_map(|question| {
            let doubtful = strip.iter().filter(|row| matches!(row[question].0, Answer::Look | Answer::Bad)).count();
            let (name, rows) = (QUESTIONS[question].to_lowercase(), plural(doubtful as u64, "row", "rows"));
            (doubtful > 0).then(|| format!("{name} ({rows})"))
        })
        .collect();
    let late = rows.iter().filter_map(|row| value("lateness.maxMs", row, Worst::Largest).ok()).reduce(f64::max);
    let late = late.map(|ms| format!("; no request was sent more than {} ms late", human(ms))).unwrap_or_default();
    if open.is_empty() {
        format!("{text}{late}; nothing that was asked speaks against it.")
    } else {
        format!("{text}{late}; look at: {}.", open.join(", "))
    }
}
