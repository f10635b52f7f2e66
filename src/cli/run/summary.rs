//! PURE: the figures of one row that a table has no room for.

use crate::api::{Decimal, Latency, LoadFigures, Row};
use crate::results::figures::decimal::{human, human_count, number};
use crate::results::shown::detail::{LoadDetail, RowDetail, StepDetail};

/// All loads of a row with their percentiles, answers, failures and steps.
pub fn summary(row: &Row, detail: &RowDetail) -> String {
    let mut out = String::new();
    for load in &row.loads {
        out += &of_load(load);
        out += &detail.loads.iter().find(|detail| detail.name == load.name.0).map(answers).unwrap_or_default();
    }
    out
}

fn of_load(load: &LoadFigures) -> String {
    let mut out = format!("{}\n", load.name.0);
    if let Some(requests) = &load.requests {
        let known = |count: &Option<crate::api::Count>| count.map_or_else(|| "-".into(), |n| human_count(n.0));
        let mut text = format!(
            "{} sent, {} ok, {} failed, {} late",
            known(&requests.sent),
            known(&requests.ok),
            known(&requests.failed),
            known(&requests.late)
        );
        if let Some(seconds) = &load.seconds {
            let rate = shown(requests.per_second.as_ref());
            text += &format!("; {rate}/s, the last answer after {} s", shown(Some(seconds)));
        }
        out += &line("requests", &text);
    }
    let all = [("response ms", &load.latency), ("service ms", &load.service)];
    for (title, latency) in all.iter().filter_map(|(title, latency)| Some((title, latency.as_ref()?))) {
        out += &line(title, &percentiles(latency));
    }
    if let Some(late) = &load.lateness {
        let text = format!(
            "p50 {}  p99 {}  max {}",
            shown(late.p50_ms.as_ref()),
            shown(late.p99_ms.as_ref()),
            shown(late.max_ms.as_ref())
        );
        out += &line("sent late ms", &text);
    }
    out
}

fn percentiles(latency: &Latency) -> String {
    let figures = [
        ("mean", &latency.mean_ms),
        ("p50", &latency.p50_ms),
        ("p90", &latency.p90_ms),
        ("p95", &latency.p95_ms),
        ("p99", &latency.p99_ms),
        ("max", &latency.max_ms),
    ];
    figures.map(|(title, figure)| format!("{title} {}", shown(figure.as_ref()))).join("  ")
}

fn answers(load: &LoadDetail) -> String {
    let mut out = String::new();
    let count = |n: &u64| human_count(i64::try_from(*n).unwrap_or(i64::MAX));
    if !load.statuses.is_empty() {
        let all: Vec<String> = load.statuses.iter().map(|(status, n)| format!("{status}: {}", count(n))).collect();
        out += &line("answers", &all.join("  "));
    }
    let other = load.failures.iter().filter(|(class, _)| !class.starts_with("status "));
    let other: Vec<String> = other.map(|(class, n)| format!("{class}: {}", count(n))).collect();
    if !other.is_empty() {
        out += &line("failures", &other.join("  "));
    }
    if load.steps.len() > 1 {
        load.steps.iter().for_each(|one| out += &step(one));
    }
    out
}

fn step(step: &StepDetail) -> String {
    let count = |n: u64| human_count(i64::try_from(n).unwrap_or(i64::MAX));
    let mut text = format!("{} ok, {} failed", count(step.counts.ok), count(step.counts.failed));
    if let Some(service) = &step.service {
        text += &format!("; service ms {}", percentiles(service));
    }
    line(&format!("step {}", step.counts.name), &text)
}

fn line(title: &str, text: &str) -> String {
    format!("  {title:<13} {text}\n")
}

fn shown(figure: Option<&Decimal>) -> String {
    figure.and_then(number).map_or_else(|| "-".into(), human)
}
