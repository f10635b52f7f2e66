//! Whether a namespace's quotas leave room.

use k8s_openapi::api::core::v1::ResourceQuota;

use super::demand::{Demand, add};
use crate::api::{LoadTestSpec, Quantity};

/// The observer's pod, as `build` makes it: requests and limits of CPU and memory.
const OBSERVER: [(&str, &str); 4] =
    [("requests.cpu", "50m"), ("requests.memory", "64Mi"), ("limits.cpu", "250m"), ("limits.memory", "128Mi")];

/// What the pods of a row take: so many generators, and the observer where there is one.
pub fn agents(spec: &LoadTestSpec, generators: u32, observer: bool) -> Demand {
    let pods = spec.pods.clone().unwrap_or_default();
    let millis = |text: &str| Quantity::parse(text).map_or(0, Quantity::millis);
    let (cpu, memory) = (millis(&pods.cpu.0.to_string()), millis(&pods.memory.0.to_string()));
    let mut generator = Demand::from([("pods".to_owned(), 1000)]);
    for kind in ["requests", "limits"] {
        generator.extend([(format!("{kind}.cpu"), cpu), (format!("{kind}.memory"), memory)]);
    }
    let mut of_observer = Demand::from([("pods".to_owned(), 1000)]);
    of_observer.extend(OBSERVER.map(|(resource, amount)| (resource.to_owned(), millis(amount))));
    let mut all = Demand::new();
    add(&mut all, &generator, i128::from(generators));
    add(&mut all, &of_observer, i128::from(observer));
    all
}

/// The first quota that leaves less than `need`, a sentence; `whose`: of what it is the need.
pub fn lacking(quotas: &[ResourceQuota], need: &Demand, whose: &str) -> Option<String> {
    // A quota with scopes counts only some pods.
    let counts = |quota: &&ResourceQuota| {
        !quota.spec.as_ref().is_some_and(|spec| spec.scopes.is_some() || spec.scope_selector.is_some())
    };
    quotas.iter().filter(counts).find_map(|quota| {
        let name = quota.metadata.name.as_deref().unwrap_or_default();
        let status = quota.status.clone().unwrap_or_default();
        let used = status.used.unwrap_or_default();
        status.hard.unwrap_or_default().into_iter().find_map(|(resource, hard)| {
            let plain = resource == "cpu" || resource == "memory";
            let key = if plain { format!("requests.{resource}") } else { resource.clone() };
            let need = need.get(&key)?;
            let amount = |text: Option<&String>| text.and_then(|t| Quantity::parse(t)).map_or(0, Quantity::millis);
            let left = amount(Some(&hard.0)) - amount(used.get(&resource).map(|q| &q.0));
            (*need > left).then(|| {
                let (left, need) = (human(&key, left), human(&key, *need));
                format!("quota {name} leaves {left} of {resource}, but {whose} need {need}")
            })
        })
    })
}

fn human(resource: &str, millis: i128) -> String {
    match resource {
        r if r.ends_with("cpu") => format!("{millis}m"),
        r if r.ends_with("memory") => format!("{} MiB", millis / 1000 / 1024 / 1024),
        _ => (millis / 1000).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn quota(hard: &str, used: &str) -> ResourceQuota {
        let json = json!({"metadata": {"name": "team"}, "status": {"hard": {"cpu": hard}, "used": {"cpu": used}}});
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_quota_that_leaves_too_little_is_named_with_what_is_left_and_what_is_needed() {
        let need = Demand::from([("requests.cpu".to_owned(), 600)]);
        assert_eq!(lacking(&[quota("2", "1400m")], &need, "the pods"), None);
        let said = lacking(&[quota("2", "1500m")], &need, "the pods").unwrap();
        assert_eq!(said, "quota team leaves 500m of cpu, but the pods need 600m");
    }
}
