//! `table.md`: headline, table, thresholds.

use crate::api::{Row, Threshold, Verdict};
use crate::results::figures::note::markdown as escaped;
use crate::results::judged::judge::carries_late_figures;
use crate::results::judged::threshold::{Judgement, is_late, judge, limit_value};
use crate::results::judged::verdict::whole_test_judgements;
use crate::results::shown::table::table;

use super::ReportInput;
use super::junit::{limits, words};

/// What a person reads first.
pub fn markdown(input: &ReportInput) -> String {
    let mut out = format!(
        "# Load test {}/{}, run {}: {}\n\n{}\n\n",
        input.namespace,
        input.name,
        input.run,
        match input.outcome.verdict {
            Verdict::Passed => "Passed".to_owned(),
            other => format!("{other:?} ({})", input.outcome.reason),
        },
        escaped(&input.outcome.message)
    );
    if let (Some(from), Some(to)) = (input.started_at, input.finished_at) {
        out += &format!("{from} to {to}.\n\n");
    }
    if input.test.rows.is_empty() {
        return out + "No row was done.\n";
    }
    out += &table(&input.table());
    if !input.plan.spec.thresholds.is_empty() {
        out += "\n## Thresholds\n\n| Threshold | Outcome | Where |\n|---|---|---|\n";
        for threshold in &input.plan.spec.thresholds {
            let (outcome, place) = judged(input, threshold);
            out += &format!("| {} | {} | {} |\n", escaped(&limits(threshold)), escaped(&outcome), escaped(&place));
        }
    }
    out
}

/// The worst of a threshold's judgements and where it was made.
fn judged(input: &ReportInput, threshold: &Threshold) -> (String, String) {
    if let Some((_, judgement)) = whole_test_judgements(&input.test).iter().find(|(t, _)| *t == threshold) {
        return (outcome(judgement, threshold), "whole test".into());
    }
    let asked = |r: &&Row| !is_late(&threshold.metric) || carries_late_figures(r);
    let all: Vec<(i32, Judgement)> =
        input.test.rows.iter().filter(asked).map(|r| (r.row, judge(threshold, r))).collect();
    let worst = farthest(&all, threshold)
        .or_else(|| all.iter().find(|(_, j)| matches!(j, Judgement::Missing(_))))
        .or_else(|| all.first());
    match worst {
        None => ("-".into(), "-".into()),
        Some((_, Judgement::Held(_))) => ("held".into(), format!("{} rows", all.len())),
        Some((row, judgement)) => (outcome(judgement, threshold), format!("row {row}")),
    }
}

/// The row whose breach is the worst; of equal ones the first.
fn farthest<'a>(all: &'a [(i32, Judgement)], threshold: &Threshold) -> Option<&'a (i32, Judgement)> {
    let beyond = |judgement: &Judgement| match judgement {
        Judgement::Breached(breach) => {
            let sign = if breach.limit.starts_with("min ") { -1.0 } else { 1.0 };
            let limit = if sign < 0.0 { &threshold.min } else { &threshold.max };
            Some(sign * (breach.observed.parse::<f64>().ok()? - limit.as_ref().and_then(limit_value)?))
        }
        _ => None,
    };
    let breached = all.iter().filter_map(|one| Some((one, beyond(&one.1)?)));
    breached.reduce(|worst, next| if next.1 > worst.1 { next } else { worst }).map(|(one, _)| one)
}

fn outcome(judgement: &Judgement, threshold: &Threshold) -> String {
    match judgement {
        Judgement::Missing(_) if threshold.optional => format!("skipped, {}", words(judgement)),
        judgement => words(judgement),
    }
}
