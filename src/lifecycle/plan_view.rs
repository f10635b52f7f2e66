//! What of the plan decisions rest on.

use super::state::{ACT_LEAD, ActKind, ActView, Millis, PlanView, RowView};
use crate::api::{Action, When};
use crate::plan::{self, Act, Plan, load_input, worst_case_seconds};

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
                acts: views(plan, &row.actions, plan::acts(&plan.spec, row)),
                generators: row.loads.iter().map(|load| u32::try_from(load.generators).unwrap_or(1).max(1)).sum(),
                worst_case: i64::try_from(worst).unwrap_or(i64::MAX / 4).saturating_mul(1000).min(i64::MAX / 4),
            }
        });
        let sampled = spec.measurements.iter().any(|m| m.http.is_some() || m.sql.is_some());
        let database = spec.database.as_ref();
        Self {
            rows: rows.collect(),
            before: views(plan, &spec.actions, plan::run_acts(spec, When::BeforeRun)),
            after: views(plan, &spec.actions, plan::run_acts(spec, When::AfterRun)),
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

/// These acts, their targets by the order in which they are claimed.
fn views(plan: &Plan, actions: &[Action], acts: Vec<Act>) -> Vec<ActView> {
    let sized = plan.sized();
    let view = |act: Act| {
        let action = actions.get(act.action)?;
        let named = || {
            let name = action.target().map(|name| &name.0);
            sized.iter().position(|target| Some(&target.name.0) == name)
        };
        let kind = match (&action.scale, &action.delete_pods, &action.restart) {
            (Some(_), ..) if act.undo => ActKind::ScaleBack { target: named()? },
            (Some(scale), ..) => {
                ActKind::Scale { target: named()?, replicas: u16::try_from(scale.replicas).unwrap_or(0) }
            }
            (None, Some(_), _) => ActKind::DeletePods { target: named()? },
            (None, None, Some(_)) => ActKind::Restart { target: named()? },
            // A pod of ours can wait for its time; what a CronJob makes begins at once.
            (None, None, None) if act.at_ms.is_some() && action.is_asked() => ActKind::Job { lead: ACT_LEAD },
            (None, None, None) => ActKind::Job { lead: 0 },
        };
        Some(ActView { when: act.when, at: act.at_ms, kind, timeout: seconds(action.timeout_seconds) })
    };
    acts.into_iter().filter_map(view).collect()
}

fn seconds(n: i32) -> Millis {
    Millis::from(n) * 1000
}
