//! `table.md`: headline, table, thresholds.

use crate::api::{Row, Threshold, Verdict};
use crate::results::figures::note::markdown as escaped;
use crate::results::judged::judge::carries_late_figures;
use crate::results::judged::threshold::{Judgement, is_late, judge};
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
    let worst = all
        .iter()
        .find(|(_, j)| matches!(j, Judgement::Breached(_)))
        .or_else(|| all.iter().find(|(_, j)| matches!(j, Judgement::Missing(_))))
        .or_else(|| all.first());
    match worst {
        None => ("-".into(), "-".into()),
        Some((_, Judgement::Held(_))) => ("held".into(), format!("{} rows", all.len())),
        Some((row, judgement)) => (outcome(judgement, threshold), format!("row {row}")),
    }
}

fn outcome(judgement: &Judgement, threshold: &Threshold) -> String {
    match judgement {
        Judgement::Missing(_) if threshold.optional => format!("skipped, {}", words(judgement)),
        judgement => words(judgement),
    }
}
