//! What a quota counts of a workload: pods, and requests and limits of CPU and memory.
//!
//! Which resources a quota counts: <https://kubernetes.io/docs/concepts/policy/resource-quotas/>.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::Quantity;

/// By a quota's resource (`pods`, `requests.cpu`, `limits.memory` …), in thousandths of a pod, a core, a byte.
pub type Demand = BTreeMap<String, i128>;

/// What all pods of a workload take, without init containers.
pub fn of_workload(workload: &Value) -> Demand {
    let pods = i128::from(workload["spec"]["replicas"].as_i64().unwrap_or(1));
    let mut demand = Demand::from([("pods".to_owned(), pods * 1000)]);
    let containers = workload["spec"]["template"]["spec"]["containers"].as_array();
    for resources in containers.into_iter().flatten().map(|container| &container["resources"]) {
        for name in ["cpu", "memory"] {
            let amount = |kind: &str| resources[kind][name].as_str().and_then(Quantity::parse).map(Quantity::millis);
            let limit = amount("limits");
            // A pod without a request requests its limit.
            for (kind, amount) in [("requests", amount("requests").or(limit)), ("limits", limit)] {
                *demand.entry(format!("{kind}.{name}")).or_default() += pods * amount.unwrap_or(0);
            }
        }
    }
    demand
}

/// Adds `more` to `demand`, `times` times.
pub fn add(demand: &mut Demand, more: &Demand, times: i128) {
    for (resource, amount) in more {
        *demand.entry(resource.clone()).or_default() += times * amount;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn workload(replicas: i64, resources: &Value) -> Value {
        let sidecar = json!({"requests": {"cpu": "10m"}});
        json!({"spec": {"replicas": replicas, "template": {"spec": {"containers": [{"resources": resources}, {"resources": sidecar}]}}}})
    }

    #[test]
    fn every_pod_and_container_counts() {
        let demand =
            of_workload(&workload(3, &json!({"requests": {"cpu": "0.5"}, "limits": {"cpu": "1", "memory": "1Ki"}})));
        let wanted = [
            ("limits.cpu", 3000),
            ("limits.memory", 3 * 1024 * 1000),
            ("pods", 3000),
            ("requests.cpu", 1530),
            ("requests.memory", 3 * 1024 * 1000),
        ];
        assert_eq!(demand, wanted.map(|(resource, amount)| (resource.to_owned(), amount)).into());
    }

    #[test]
    fn growth_is_what_comes_to_what_is_there() {
        let size = |replicas, cpu: &str| of_workload(&workload(replicas, &json!({"requests": {"cpu": cpu}})));
        let mut growth = size(4, "250m");
        add(&mut growth, &size(1, "1"), -1);
        assert_eq!((growth["pods"], growth["requests.cpu"]), (3000, 4 * 260 - 1010));
    }
}
