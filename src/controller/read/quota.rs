//! Whether the namespace's quotas leave room for the agents' pods and for what the targets grow by.

use k8s_openapi::api::core::v1::ResourceQuota;
use kube::api::ListParams;

use super::targets::workloads;
use crate::build::sized;
use crate::controller::io::call;
use crate::controller::session::Session;
use crate::evidence::cluster::demand::{Demand, add, of_workload};
use crate::evidence::cluster::quota::{agents, lacking};

/// Fails with a sentence that names the quota, what is needed and what is left. Quotas that can't be read are no reason
/// to refuse: the pods' creation will tell.
pub async fn check(session: &Session<'_>) -> Result<(), String> {
    let Ok(quotas) = call(session.api::<ResourceQuota>().list(&ListParams::default())).await else { return Ok(()) };
    if quotas.items.is_empty() {
        return Ok(());
    }
    let (need, grows) = need(session, &growths(session).await);
    let whose = match grows {
        true => "the generators of a row, the observer and what the targets grow by",
        false => "the generators of a row and the observer",
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

/// What the neediest row needs of each resource, and whether its targets grow.
fn need(session: &Session<'_>, growths: &[Demand]) -> (Demand, bool) {
    let mut need = Demand::new();
    for (index, row) in session.view.rows.iter().enumerate() {
        let mut of_row = growths.get(index).cloned().unwrap_or_default();
        add(&mut of_row, &agents(&session.test.spec, row.generators, session.view.observer), 1);
        for (resource, amount) in of_row {
            let most = need.entry(resource).or_insert(amount);
            *most = amount.max(*most);
        }
    }
    (need, growths.iter().any(|growth| growth.values().any(|amount| *amount > 0)))
}
