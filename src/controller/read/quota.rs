//! Whether the namespace's quotas leave room for the agents' pods and for what the targets grow by.

use k8s_openapi::api::core::v1::ResourceQuota;
use kube::ResourceExt;
use kube::api::ListParams;

use super::preflight_target::resized;
use super::targets::workloads;
use crate::api::Quantity;
use crate::controller::io::call;
use crate::controller::session::Session;
use crate::evidence::cluster::demand::{Demand, add, of_workload};

/// The observer's pod, as `build` makes it: requests and limits of CPU and memory.
const OBSERVER: [(&str, &str); 4] =
    [("requests.cpu", "50m"), ("requests.memory", "64Mi"), ("limits.cpu", "250m"), ("limits.memory", "128Mi")];

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
    for quota in quotas {
        // A quota with scopes counts only some pods.
        if quota.spec.as_ref().is_some_and(|s| s.scopes.is_some() || s.scope_selector.is_some()) {
            continue;
        }
        let name = quota.name_any();
        let status = quota.status.unwrap_or_default();
        let used = status.used.unwrap_or_default();
        for (resource, hard) in status.hard.unwrap_or_default() {
            let key = if resource == "cpu" || resource == "memory" {
                format!("requests.{resource}")
            } else {
                resource.clone()
            };
            let Some(need) = need.get(&key) else { continue };
            let amount = |text: Option<&String>| text.and_then(|t| Quantity::parse(t)).map_or(0, Quantity::millis);
            let left = amount(Some(&hard.0)) - amount(used.get(&resource).map(|q| &q.0));
            if *need > left {
                return Err(format!(
                    "quota {name} leaves {} of {resource}, but {whose} need {}",
                    human(&key, left),
                    human(&key, *need)
                ));
            }
        }
    }
    Ok(())
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
            let Some(then) = row.target(&target.name.0).and_then(|target| resized(session, target, &workload)) else {
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
    let pods = session.test.spec.pods.clone().unwrap_or_default();
    let millis = |text: &str| Quantity::parse(text).map_or(0, Quantity::millis);
    let (cpu, memory) = (millis(&pods.cpu.0.to_string()), millis(&pods.memory.0.to_string()));
    let mut generator = Demand::from([("pods".to_owned(), 1000)]);
    for kind in ["requests", "limits"] {
        generator.extend([(format!("{kind}.cpu"), cpu), (format!("{kind}.memory"), memory)]);
    }
    let mut observer = Demand::from([("pods".to_owned(), 1000)]);
    observer.extend(OBSERVER.map(|(resource, amount)| (resource.to_owned(), millis(amount))));
    let mut need = Demand::new();
    for (index, row) in session.view.rows.iter().enumerate() {
        let mut of_row = growths.get(index).cloned().unwrap_or_default();
        add(&mut of_row, &generator, i128::from(row.generators));
        add(&mut of_row, &observer, i128::from(session.view.observer));
        for (resource, amount) in of_row {
            let most = need.entry(resource).or_insert(amount);
            *most = amount.max(*most);
        }
    }
    (need, growths.iter().any(|growth| growth.values().any(|amount| *amount > 0)))
}

fn human(resource: &str, millis: i128) -> String {
    match resource {
        r if r.ends_with("cpu") => format!("{millis}m"),
        r if r.ends_with("memory") => format!("{} MiB", millis / 1000 / 1024 / 1024),
        _ => (millis / 1000).to_string(),
    }
}
