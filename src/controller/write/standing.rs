//! The standing rule, applied: claims and Jobs of runs that are not active are removed, also when their LoadTest is gone.

use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, Preconditions, PropagationPolicy};
use kube::core::DeserializeGuard;
use kube::{Api, Client, ResourceExt};
use tracing::{info, warn};

use crate::api::{Glance, WorkloadKind};
use crate::build::{CLAIM, ROW_LABEL, RUN_LABEL, release_patch};
use crate::controller::context::Context;
use crate::controller::io::{CallError, call};
use crate::controller::read::targets::workloads;
use crate::lifecycle::{Active, StandingVerdict, is_of, standing};
use crate::runtime::health::Health;

/// How often everything is looked at.
const EVERY: Duration = Duration::from_secs(30);
/// The same while a right is missing: the process is not ready before it has it.
const AGAIN: Duration = Duration::from_secs(3);

/// Looks again and again, for ever. A right that is missing is missing to every run as well: it makes the process not ready.
pub async fn watch(context: &Context, health: &Health) {
    let mut ticks = tokio::time::interval(EVERY);
    let namespaces: Vec<_> = context.namespaces().into_iter().map(|namespace| (namespace, health.part())).collect();
    loop {
        ticks.tick().await;
        let mut left = 0;
        for (namespace, part) in &namespaces {
            match sweep(context, namespace.as_deref()).await {
                Ok(claims) => {
                    left += claims;
                    part.works();
                }
                Err(error) => match error.remedy() {
                    Some(remedy) => {
                        part.waits(remedy);
                        ticks.reset_after(AGAIN);
                    }
                    None => warn!(namespace, error = error.message(), "claims and Jobs could not be looked at"),
                },
            }
        }
        context.metrics.claims_left(left);
    }
}

/// One look at a namespace, or at all of them: how many claims should be gone and are not.
async fn sweep(context: &Context, namespace: Option<&str>) -> Result<usize, CallError> {
    // What carries a label is listed before the LoadTests: a run is recorded before its first claim, so the list that
    // comes later knows every run whose claim was seen.
    let mut claimed = Vec::new();
    for kind in [WorkloadKind::Deployment, WorkloadKind::StatefulSet] {
        let found = call(all(&context.client, namespace, kind).list(&ListParams::default().labels(CLAIM))).await?;
        claimed.extend(found.items.into_iter().map(|workload| (kind, workload)));
    }
    let jobs: Api<Job> = match namespace {
        Some(namespace) => Api::namespaced(context.client.clone(), namespace),
        None => Api::all(context.client.clone()),
    };
    let jobs = call(jobs.list(&ListParams::default().labels(RUN_LABEL))).await?;
    if claimed.is_empty() && jobs.items.is_empty() {
        return Ok(0);
    }
    let tests: Api<DeserializeGuard<Glance>> = match namespace {
        Some(namespace) => Api::namespaced(context.client.clone(), namespace),
        None => Api::all(context.client.clone()),
    };
    let (mut active, mut unreadable) = (Vec::new(), Vec::new());
    for test in call(tests.list(&not_finished())).await? {
        match &test.0 {
            Ok(glance) => active.extend(Active::of(&glance.uid().unwrap_or_default(), &glance.status)),
            Err(error) => unreadable.extend(error.metadata.uid.clone()),
        }
    }
    // Of one that can't be read nobody knows whether it runs: it keeps what it has.
    let remove = |label: &str, part: Option<&str>| {
        standing(&active, label, part) == StandingVerdict::Remove && !unreadable.iter().any(|uid| is_of(label, uid))
    };
    let mut left = 0;
    for (kind, workload) in claimed {
        let label = workload.labels().get(CLAIM).cloned().unwrap_or_default();
        if remove(&label, None) && !release(context, kind, &workload).await {
            left += 1;
        }
    }
    for job in jobs {
        let label = job.labels().get(RUN_LABEL).cloned().unwrap_or_default();
        let part = job.labels().get(ROW_LABEL).map(String::as_str);
        if is_ours(&job) && remove(&label, part) && job.metadata.deletion_timestamp.is_none() {
            delete(context, &job).await;
        }
    }
    Ok(left)
}

/// A LoadTest owns it. The label alone anybody may write, also on a copy of one of our Jobs.
fn is_ours(job: &Job) -> bool {
    job.owner_references()
        .iter()
        .any(|owner| owner.kind == "LoadTest" && owner.api_version.starts_with("loadtest.dev/"))
}

/// LoadTests that may have something: however many are finished, they are not sent.
pub fn not_finished() -> ListParams {
    ListParams::default().fields("status.phase!=Finished")
}

fn all(client: &Client, namespace: Option<&str>, kind: WorkloadKind) -> Api<DynamicObject> {
    match namespace {
        Some(namespace) => workloads(client, namespace, kind),
        None => crate::controller::read::targets::everywhere(client, kind),
    }
}

/// Puts a workload back; whether that is done.
async fn release(context: &Context, kind: WorkloadKind, workload: &DynamicObject) -> bool {
    let (namespace, name) = (workload.namespace().unwrap_or_default(), workload.name_any());
    let live = workloads(&context.client, &namespace, kind);
    let Ok(fresh) = call(live.get(&name)).await else { return false };
    if fresh.labels().get(CLAIM) != workload.labels().get(CLAIM) {
        return true; // claimed anew since it was listed
    }
    let fresh = serde_json::to_value(fresh).unwrap_or_default();
    let released = match release_patch(&fresh) {
        Ok(release) => serde_json::from_value::<json_patch::Patch>(release.patch).ok(),
        Err(error) => {
            warn!(namespace, name, %error, "a claim of no active run can't be read, so it stays");
            None
        }
    };
    let Some(patch) = released else { return false };
    match call(live.patch(&name, &PatchParams::default(), &Patch::Json::<()>(patch))).await {
        Ok(_) => info!(namespace, name, "a claim of no active run was released, and the workload put back"),
        Err(error) => {
            warn!(namespace, name, error = error.message(), "a claim of no active run could not be released");
            return false;
        }
    }
    true
}

async fn delete(context: &Context, job: &Job) {
    let (namespace, name) = (job.namespace().unwrap_or_default(), job.name_any());
    let api: Api<Job> = Api::namespaced(context.client.clone(), &namespace);
    let params = DeleteParams {
        propagation_policy: Some(PropagationPolicy::Background),
        preconditions: Some(Preconditions { uid: job.uid(), resource_version: None }),
        ..DeleteParams::default()
    };
    match call(api.delete(&name, &params)).await {
        Ok(_) => info!(namespace, name, "a Job of no active row was deleted"),
        Err(error) => warn!(namespace, name, error = error.message(), "a Job of no active row could not be deleted"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_job_that_only_carries_the_label_is_nobody_s_to_delete() {
        let job = |owners: serde_json::Value| -> Job {
            let labels = json!({RUN_LABEL: "gone.1"});
            serde_json::from_value(json!({"metadata": {"name": "j", "labels": labels, "ownerReferences": owners}}))
                .expect("a Job")
        };
        let owner = |kind: &str, version: &str| json!([{"apiVersion": version, "kind": kind, "name": "a", "uid": "u"}]);
        assert!(is_ours(&job(owner("LoadTest", "loadtest.dev/v1alpha1"))));
        assert!(!is_ours(&job(json!([]))));
        assert!(!is_ours(&job(owner("CronJob", "batch/v1"))));
        assert!(!is_ours(&job(owner("LoadTest", "other.dev/v1"))));
    }
}
