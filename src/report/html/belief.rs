//! The belief strip: what a row's result rests on, a cell for each question. A question that was not asked is told as such.

use maud::{Markup, html};

use crate::api::{LoadFigures, LoadTestSpec, Row, RowVerdict};
use crate::results::figures::decimal::{human, human_count};
use crate::results::judged::metric::{LEAST_COVERAGE_PERCENT, Worst, value};

use super::super::Results;

/// What is known about a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Good,
    /// Worth a look.
    Look,
    /// It makes the row Invalid.
    Bad,
    NotAsked,
}

/// An answer with its words.
pub type Cell = (Answer, String);

/// The questions, in the order of the strip.
pub const QUESTIONS: [&str; 8] = [
    "Sent on schedule",
    "Clocks agree",
    "In-flight cap",
    "Targets untouched",
    "Restarts",
    "Evidence",
    "Steady",
    "Enough answers",
];

/// The answers about a row, in the order of [`QUESTIONS`].
pub fn answers(row: &Row, spec: Option<&LoadTestSpec>, local: bool) -> [Cell; 8] {
    [
        schedule(row),
        clocks(row, local),
        cap(row, spec),
        untouched(row, spec, local),
        restarts(row),
        evidence(row),
        steady(row),
        enough(row),
    ]
}

fn not_asked(why: &str) -> Cell {
    (Answer::NotAsked, why.into())
}

/// The row is Invalid for one of these reasons.
fn invalid(row: &Row, reasons: &[&str]) -> bool {
    row.verdict == Some(RowVerdict::Invalid) && row.reason.as_deref().is_some_and(|reason| reasons.contains(&reason))
}

fn figure(row: &Row, metric: &str) -> Option<f64> {
    value(metric, row, Worst::Largest).ok()
}

fn schedule(row: &Row) -> Cell {
    let (Some(late), Some(sent)) = (figure(row, "requests.late"), figure(row, "requests.sent")) else {
        return not_asked("no request is known");
    };
    let worst = figure(row, "lateness.maxMs").map(|ms| format!(", at most {} ms late", human(ms)));
    let of = match late > sent {
        true => format!("{} late or not sent, {} sent", human(late), human(sent)),
        false => format!("{} of {} late", human(late), human(sent)),
    };
    let text = of + &worst.unwrap_or_default();
    match (invalid(row, &["GeneratorSaturated"]), late > 0.0) {
        (true, _) => (Answer::Bad, text),
        (_, true) => (Answer::Look, text),
        _ => (Answer::Good, text),
    }
}

fn clocks(row: &Row, local: bool) -> Cell {
    if local {
        return not_asked("one machine");
    }
    if invalid(row, &["ClockSkew", "StartMissed"]) {
        return (Answer::Bad, row.reason.clone().unwrap_or_default());
    }
    match row.started_at {
        Some(_) => (Answer::Good, "within 1 s".into()),
        None => not_asked("nothing was sent"),
    }
}

fn cap(row: &Row, spec: Option<&LoadTestSpec>) -> Cell {
    // A sweep may give the rate.
    let offered = |load: &LoadFigures| load.requests.as_ref().is_some_and(|all| all.offered_per_second.is_some());
    let rated = row.loads.iter().any(offered);
    if !rated && spec.is_some_and(|spec| spec.loads.iter().all(|load| load.rate.is_none())) {
        return not_asked("clients have none");
    }
    match figure(row, "requests.capped") {
        Some(0.0) => (Answer::Good, "not reached".into()),
        Some(n) => (Answer::Look, format!("{} requests held back", human(n))),
        None => not_asked("not known"),
    }
}

fn untouched(row: &Row, spec: Option<&LoadTestSpec>, local: bool) -> Cell {
    if invalid(row, &["TargetDisturbed", "TargetReplaced", "DatabaseRestarted"]) {
        return (Answer::Bad, row.reason.clone().unwrap_or_default());
    }
    if local {
        return not_asked("no cluster");
    }
    match spec.map(|spec| spec.targets.len()) {
        Some(0) => not_asked("no target is named"),
        _ if row.load_ended_at.is_none() => not_asked("nothing was sent"),
        _ => (Answer::Good, "nobody else changed them".into()),
    }
}

fn restarts(row: &Row) -> Cell {
    let known: Vec<i32> = row.targets.iter().filter_map(|target| target.restarts).collect();
    if known.is_empty() {
        return not_asked("not known");
    }
    let killed: i32 = row.targets.iter().filter_map(|target| target.oom_kills).sum();
    match known.iter().sum::<i32>() {
        0 => (Answer::Good, "none".into()),
        n if killed > 0 => (Answer::Look, format!("{n}, of them {killed} out of memory")),
        n => (Answer::Look, n.to_string()),
    }
}

/// The worst coverage of what was sampled.
fn evidence(row: &Row) -> Cell {
    let sampled = row.database.iter().map(|figure| (figure.name.as_str(), &figure.statistics));
    let measured = row.measurements.iter().map(|figure| (figure.name.0.as_str(), &figure.statistics));
    let covered = sampled.chain(measured).filter_map(|(name, statistics)| {
        let (points, expected) = (statistics.points?, statistics.expected.filter(|expected| *expected > 0)?);
        Some((name, i64::from(points) * 100 / i64::from(expected)))
    });
    match covered.min_by_key(|(_, percent)| *percent) {
        None => not_asked("nothing was sampled"),
        Some((_, percent)) if percent >= 100 => (Answer::Good, "100 % of the points".into()),
        Some((name, percent)) if percent >= LEAST_COVERAGE_PERCENT => {
            (Answer::Good, format!("{percent} % of the points ({name})"))
        }
        Some((name, percent)) => {
            let answer = if invalid(row, &["EvidenceMissing"]) { Answer::Bad } else { Answer::Look };
            (answer, format!("{percent} % of the points ({name})"))
        }
    }
}

/// As the row's observations say it ([`crate::results::figures::drift`]).
fn steady(row: &Row) -> Cell {
    let said = row.observations.iter().find(|text| text.contains(" still grew") || text.contains(" still fell"));
    match (said, row.loads.iter().any(|load| load.latency.is_some())) {
        (Some(text), _) => (Answer::Look, text.clone()),
        (None, true) => (Answer::Good, "no drift seen".into()),
        (None, false) => not_asked("no answer was good"),
    }
}

fn enough(row: &Row) -> Cell {
    let Some(ok) = figure(row, "requests.ok") else { return not_asked("not known") };
    #[allow(clippy::cast_possible_truncation)] // a count
    let answers = human_count(ok as i64);
    let highest = ["p99", "p95", "p90", "p50"].into_iter().find(|p| figure(row, &format!("latency.{p}Ms")).is_some());
    match highest {
        Some("p99") => (Answer::Good, format!("{answers} good answers, p99 known")),
        Some(p) => (Answer::Look, format!("{answers} good answers: known up to {p}")),
        None => (Answer::Look, format!("{answers} good answers: only the largest latency is known")),
    }
}

/// The strip: a line a row, a column a question.
pub fn strip(results: &Results) -> Markup {
    let spec = results.spec();
    html! {
        div.scroll tabindex="0" role="region" aria-label="What each row's result rests on" {
            table {
                caption { "✓ holds · ! look at it · ✗ makes the row Invalid · – not asked" }
                thead { tr { th scope="col" { "Run" } @for question in QUESTIONS { th scope="col" { (question) } } } }
                tbody {
                    @for row in results.plain_rows() {
                        tr {
                            th.n scope="row" { (row.row) }
                            @for (answer, text) in answers(row, spec.as_ref(), results.is_local()) {
                                td class=(if answer == Answer::NotAsked { "cell none" } else { "cell" }) { (mark(answer)) " " (text) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn mark(answer: Answer) -> Markup {
    let (class, sign, word) = match answer {
        Answer::Good => ("mark good", "✓", "holds:"),
        Answer::Look => ("mark warn", "!", "look:"),
        Answer::Bad => ("mark bad", "✗", "bad:"),
        Answer::NotAsked => ("mark none", "–", "not asked:"),
    };
    html! { span class=(class) role="img" aria-label=(word) { (sign) } }
}
