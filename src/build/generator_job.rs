//! The Job that sends one row: one pod an index, none of them ever made again.

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::Job;
use serde_json::json;

use super::names::GENERATE;
use super::pod::{Agent, PodContext, sha256, template};
use crate::plan::PlannedRow;

/// Annotation of a Job: hash of the plan its pods are given.
pub const PLAN_HASH: &str = "loadtest.dev/plan-hash";

/// The generator Job of `row`, which takes at most `seconds` from its creation.
///
/// `backoffLimitPerIndex: 0` and no Job-level deadline: one failed pod of three would delete the other two with their
/// logs, and a Job deadline deletes pods and logs (measured on Kubernetes 1.37).
pub fn generator_job(context: &PodContext<'_>, row: &PlannedRow, plan: &str, seconds: u64) -> Job {
    let generators: i32 = row.loads.iter().map(|load| load.generators.max(1)).sum();
    let pods = context.spec.pods.clone().unwrap_or_default();
    let amount = json!({"cpu": pods.cpu.0.to_string(), "memory": pods.memory.0.to_string()});
    let part = row.number.to_string();
    let agent = Agent {
        command: GENERATE,
        part: part.clone(),
        plan: context.run.row_plan(row.number),
        digest: sha256(plan),
        seconds,
        resources: json!({"requests": amount, "limits": amount}),
        annotations: BTreeMap::new(),
        action: None,
    };
    let job = json!({
        "metadata": {
            "name": context.run.row(row.number),
            "namespace": context.run.namespace,
            "labels": context.run.labels(&part),
            "annotations": {PLAN_HASH: sha256(plan)},
            "ownerReferences": [context.run.owner()],
        },
        "spec": {
            "completionMode": "Indexed",
            "completions": generators,
            "parallelism": generators,
            "backoffLimitPerIndex": 0,
            "maxFailedIndexes": generators,
            "podReplacementPolicy": "Failed",
            "template": template(context, &agent),
        },
    });
    super::pod_object(job)
}
