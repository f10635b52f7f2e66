//! Whether the namespace's quotas leave room for the agents' pods and for what the targets grow by.

use k8s_openapi::api::core::v1::ResourceQuota;
use kube::api::ListParams;

use super::targets::workloads;
use crate::build::sized;
use crate::controller::io::call;
use crate::controller::session::Session;
use crate::controller::write::act_job;
use crate::evidence::cluster::demand::{Demand, add, of_workload};
use crate::evidence::cluster::quota::{agents, lacking};

/// Fails with a sentence that names the quota, what is needed and what is left. Quotas that can't be read are no reason
/// to refuse: the pods' creation will tell.
pub async fn check(session: &Session<'_>) -> Result<(), String> {
    let Ok(quotas) = call(session.api::<ResourceQuota>().list(&ListParams::default())).await else { return Ok(()) };
    if quotas.items.is_empty() {
        return Ok(());
    }
    let act = act(session).await;
    let (need, grows) = need(session, &growths(session).await, &act);
    let whose = match grows {
        true if act.is_empty() => "the generators of a row, the observer and what the targets grow by",
        true => "the generators of a row, the observer, the pod of an action and what the targets grow by",
        false if act.is_empty() => "the generators of a row and the observer",
        false => "the generators of a row, the observer and the pod of an action",
    };
    lacking(&quotas.items, &need, whose).map_or(Ok(()), Err)
}

/// What each row needs more of for its targets than they take now, in the order of the rows. Targets that can't be read count
/// for nothing.
async fn growths(session: &Session<'_>) -> Vec<Demand> {
    let Some(plan) = &session.plan else { return Vec::new() };
    let mut growths = vec![Demand::new(); plan.rows.len()];
    for target in plan.sized() {
        let api = workloads(&session.context.client, &session.namespace(), target.workload_ref.kind);
        let Ok(Some(found)) = call(api.get_opt(&target.workload_ref.name.0)).await else { continue };
        let workload = serde_json::to_value(found).unwrap_or_default();
        let now = of_workload(&workload);
        for (row, growth) in plan.rows.iter().zip(&mut growths) {
            let Some(then) = row.target(&target.name.0).and_then(|target| sized(&workload, target)) else {
                continue;
            };
            add(growth, &of_workload(&then), 1);
            add(growth, &now, -1);
        }
    }
    growths
}

/// The most of each resource that the pod of an action takes. A CronJob that can't be read counts for nothing.
async fn act(session: &Session<'_>) -> Demand {
    let mut most = Demand::new();
    for action in session.test.spec.actions.iter().filter(|action| action.target().is_none()) {
        let Ok(job) = act_job::of_action(session, action, "", "").await else { continue };
        let of_job = of_workload(&serde_json::json!({"spec": job.spec}));
        most.extend(of_job.into_iter().filter(|(name, amount)| most.get(name) < Some(amount)).collect::<Vec<_>>());
    }
    most
}

/// What the neediest row needs of each resource, and whether its targets grow.
fn need(session: &Session<'_>, growths: &[Demand], act: &Demand) -> (Demand, bool) {
    let mut need = Demand::new();
    for (index, row) in session.view.rows.iter().enumerate() {
        let mut of_row = growths.get(index).cloned().unwrap_or_default();
        add(&mut of_row, &agents(&session.test.spec, row.generators, session.view.observer), 1);
        add(&mut of_row, act, 1);
        for (resource, amount) in of_row {
            let most = need.entry(resource).or_insert(amount);
            *most = amount.max(*most);
        }
    }
    (need, growths.iter().any(|growth| growth.values().any(|amount| *amount > 0)))
}
