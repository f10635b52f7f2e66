//! What a threshold says about a row: it holds, it is breached, or the figure is missing.

use super::metric::{CLOUDWATCH_FIGURES, Worst, database, value};
use crate::api::{Breach, DatabaseFigure, Decimal, Limit, LoadTestSpec, Row, Threshold};
use crate::results::figures::decimal::decimal;

/// What became of one threshold.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// It held; what was seen (of several loads, the worst).
    Held(Decimal),
    /// It did not.
    Breached(Breach),
    /// The figure is missing; why, a sentence without the metric's name.
    Missing(String),
}

/// A figure of CloudWatch, which may be judged later than the row.
pub fn is_late(metric: &str) -> bool {
    let name = metric.strip_prefix("database.").and_then(|m| m.split('.').next());
    name.is_some_and(|n| CLOUDWATCH_FIGURES.contains(&n))
}

/// True when this threshold is about failed requests of that load, so that the default (none may fail) is off.
pub fn allows_failures(threshold: &Threshold, load: &str) -> bool {
    let metric = match threshold.metric.strip_prefix("loads.") {
        None => threshold.metric.as_str(),
        Some(rest) => match rest.strip_prefix(load).and_then(|r| r.strip_prefix('.')) {
            Some(metric) => metric,
            None => return false,
        },
    };
    matches!(metric, "requests.failed" | "requests.failedPercent")
}

/// True when a threshold of the spec is about tasksUnaccounted.
pub fn judges_unaccounted(spec: &LoadTestSpec) -> bool {
    spec.thresholds.iter().any(|t| t.metric == "tasksUnaccounted")
}

/// Judges a threshold on a row.
pub fn judge(threshold: &Threshold, row: &Row) -> Judgement {
    judge_by(threshold, |worst| value(&threshold.metric, row, worst))
}

/// Judges a threshold on a figure of the database for the whole test.
pub fn judge_test(threshold: &Threshold, figures: &[DatabaseFigure]) -> Judgement {
    judge_by(threshold, |_| {
        let rest = threshold.metric.strip_prefix("database.").ok_or("it is no figure of the database")?;
        database(rest, figures)
    })
}

fn judge_by(threshold: &Threshold, value: impl Fn(Worst) -> Result<f64, String>) -> Judgement {
    let bounds = [(&threshold.max, Worst::Largest, "max"), (&threshold.min, Worst::Smallest, "min")];
    let mut held = None;
    for (limit, worst, word) in bounds {
        let Some(limit) = limit else { continue };
        let Some(allowed) = limit_value(limit) else {
            return Judgement::Missing("its limit is no number".into());
        };
        let seen = match value(worst) {
            Ok(seen) => seen,
            Err(why) => return Judgement::Missing(why),
        };
        let Some(observed) = decimal(seen) else {
            return Judgement::Missing("it is no number".into());
        };
        let holds = if worst == Worst::Largest { seen <= allowed } else { seen >= allowed };
        if !holds {
            return Judgement::Breached(Breach {
                metric: threshold.metric.chars().take(128).collect(),
                observed: observed.0,
                limit: format!("{word} {}", limit.0).chars().take(32).collect(),
            });
        }
        held = Some(observed);
    }
    held.map_or_else(|| Judgement::Missing("it has neither max nor min".into()), Judgement::Held)
}

/// The number of a limit.
pub fn limit_value(limit: &Limit) -> Option<f64> {
    limit.0.to_string().parse().ok().filter(|v: &f64| v.is_finite())
}
