//! Whether the namespace's quotas leave room for the agents' pods.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceQuota;
use kube::ResourceExt;
use kube::api::ListParams;

use crate::api::Quantity;
use crate::controller::io::call;
use crate::controller::session::Session;

/// The observer's pod, as `build` makes it: requests and limits of CPU and memory.
const OBSERVER: [(&str, &str); 4] =
    [("requests.cpu", "50m"), ("requests.memory", "64Mi"), ("limits.cpu", "250m"), ("limits.memory", "128Mi")];

/// Fails with a sentence that names the quota, what is needed and what is left. Quotas that can't be read are no reason
/// to refuse: the pods' creation will tell.
pub async fn check(session: &Session<'_>) -> Result<(), String> {
    let Ok(quotas) = call(session.api::<ResourceQuota>().list(&ListParams::default())).await else { return Ok(()) };
    let need = need(session);
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
                    "quota {name} leaves {} of {resource}, but the generators of a row and the observer need {}",
                    human(&key, left),
                    human(&key, *need)
                ));
            }
        }
    }
    Ok(())
}

/// Thousandths of what the pods of the widest row need.
fn need(session: &Session<'_>) -> BTreeMap<String, i128> {
    let pods = session.test.spec.pods.clone().unwrap_or_default();
    let generators = session.view.rows.iter().map(|row| i128::from(row.generators)).max().unwrap_or(0);
    let observers = i128::from(session.view.observer);
    let millis = |text: &str| Quantity::parse(text).map_or(0, Quantity::millis);
    let (cpu, memory) = (millis(&pods.cpu.0.to_string()), millis(&pods.memory.0.to_string()));
    let mut need = BTreeMap::from([
        ("pods".to_owned(), (generators + observers) * 1000),
        ("requests.cpu".to_owned(), cpu * generators),
        ("limits.cpu".to_owned(), cpu * generators),
        ("requests.memory".to_owned(), memory * generators),
        ("limits.memory".to_owned(), memory * generators),
    ]);
    for (resource, amount) in OBSERVER {
        *need.entry(resource.to_owned()).or_default() += observers * millis(amount);
    }
    need
}

fn human(resource: &str, millis: i128) -> String {
    match resource {
        r if r.ends_with("cpu") => format!("{millis}m"),
        r if r.ends_with("memory") => format!("{} MiB", millis / 1000 / 1024 / 1024),
        _ => (millis / 1000).to_string(),
    }
}
