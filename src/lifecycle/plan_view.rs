//! What of the plan decisions rest on.

use super::state::{ActKind, ActView, Millis, PlanView, RowView};
use crate::plan::{self, Act, Plan, PlannedRow, load_input, worst_case_seconds};

impl PlanView {
    /// Of a plan. `longest`: what the operator allows a whole test to take.
    pub fn of(plan: &Plan, longest: Option<Millis>) -> Self {
        let spec = &plan.spec;
        let settle = spec.settle.clone().unwrap_or_default();
        let deadlines = spec.deadlines.clone().unwrap_or_default();
        let total = seconds(deadlines.total_seconds);
        let rows = plan.rows.iter().map(|row| {
            let worst = row.loads.iter().map(|load| worst_case_seconds(&load_input(load))).max().unwrap_or(0);
            RowView {
                acts: acts(plan, row),
                generators: row.loads.iter().map(|load| u32::try_from(load.generators).unwrap_or(1).max(1)).sum(),
                worst_case: i64::try_from(worst).unwrap_or(i64::MAX / 4).saturating_mul(1000).min(i64::MAX / 4),
            }
        });
        let sampled = spec.measurements.iter().any(|m| m.http.is_some() || m.sql.is_some());
        let database = spec.database.as_ref();
        Self {
            rows: rows.collect(),
            sized: plan.sized().len(),
            observer: sampled || database.is_some_and(|d| d.postgres.is_some()),
            drain: settle.until.is_some(),
            drain_timeout: seconds(settle.timeout_seconds),
            settle: seconds(settle.seconds),
            queue: seconds(deadlines.queue_seconds),
            prepare: seconds(deadlines.prepare_seconds),
            total: longest.map_or(total, |longest| total.min(longest)),
            evidence: if database.is_some_and(|d| d.rds.is_some()) { seconds(deadlines.evidence_seconds) } else { 0 },
        }
    }
}

/// The acts of a row, their targets by the order in which they are claimed.
fn acts(plan: &Plan, row: &PlannedRow) -> Vec<ActView> {
    let sized = plan.sized();
    let view = |act: Act| {
        let action = &plan.spec.actions[act.action];
        let target = sized.iter().position(|target| Some(&target.name.0) == action.target().map(|name| &name.0))?;
        let kind = match (&action.scale, &action.delete_pods) {
            (Some(_), _) if act.undo => ActKind::ScaleBack { target },
            (Some(scale), _) => ActKind::Scale { target, replicas: u16::try_from(scale.replicas).unwrap_or(0) },
            (None, Some(_)) => ActKind::DeletePods { target },
            (None, None) => ActKind::Restart { target },
        };
        Some(ActView { at: act.at_ms, kind, timeout: seconds(action.timeout_seconds) })
    };
    plan::acts(&plan.spec, row).into_iter().filter_map(view).collect()
}

fn seconds(n: i32) -> Millis {
    Millis::from(n) * 1000
}
