//! The Job of the observer: one pod for the whole test.

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::Job;
use serde_json::json;

use super::names::OBSERVE;
use super::pod::{Agent, PodContext, sha256, template};

/// The observer's Job, which is given `plan`; its pod ends by itself after `seconds`.
pub fn observer_job(context: &PodContext<'_>, plan: &str, seconds: u64) -> Job {
    let agent = Agent {
        command: OBSERVE,
        part: OBSERVE.into(),
        plan: context.run.observer_plan(),
        digest: sha256(plan),
        seconds,
        resources: json!({"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "250m", "memory": "128Mi"}}),
        annotations: BTreeMap::new(),
        action: None,
    };
    let job = json!({
        "metadata": {
            "name": context.run.observer(),
            "namespace": context.run.namespace,
            "labels": context.run.labels(OBSERVE),
            "ownerReferences": [context.run.owner()],
        },
        "spec": {"backoffLimit": 0, "completions": 1, "parallelism": 1, "template": template(context, &agent)},
    });
    super::pod_object(job)
}
