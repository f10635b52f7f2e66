//! The Job of an act: one pod, made once, never again. It is created suspended and runs only when it is let go.

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};

use super::names::RunName;
use super::pod::{Agent, PodContext, sha256, template};
use crate::api::Action;

/// Command of the pods that run a statement or send a request.
pub const ACT: &str = "act";
/// Annotation of a Job that is a copy: name of its CronJob.
pub const CRON_JOB: &str = "loadtest.dev/cron-job";

/// The Job of an act that our own pod does, in at most `seconds`; it is given `plan`.
pub fn act_job(context: &PodContext<'_>, action: &Action, part: &str, plan: &str, seconds: i64) -> Job {
    let agent = Agent {
        command: ACT,
        part: part.into(),
        plan: context.run.act_plan(part),
        digest: sha256(plan),
        seconds: u64::try_from(seconds).unwrap_or(0),
        resources: json!({"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "250m", "memory": "128Mi"}}),
        annotations: BTreeMap::new(),
        action: Some(action),
    };
    let job = json!({
        "metadata": {
            "name": context.run.act(part),
            "namespace": context.run.namespace,
            "labels": context.run.labels(part),
            "ownerReferences": [context.run.owner()],
        },
        "spec": {"suspend": true, "backoffLimit": 0, "completions": 1, "parallelism": 1,
            "template": template(context, &agent)},
    });
    super::pod_object(job)
}

/// The Job that a CronJob makes, as an act: its pods as they are, but one of them, once, and for at most `seconds`. Its labels are
/// on the Job alone: the pods are those of the CronJob's author.
///
/// # Errors
/// A sentence: it makes several pods.
pub fn copied_job(run: &RunName, part: &str, cron_job: &str, spec: &JobSpec, seconds: i64) -> Result<Job, String> {
    let several = [spec.completions, spec.parallelism].into_iter().flatten().any(|n| n > 1);
    if several {
        return Err(format!("CronJob {cron_job} makes Jobs of several pods; an action runs one"));
    }
    let mut template = spec.template.clone();
    let pod = template.spec.get_or_insert_default();
    pod.restart_policy = Some("Never".into());
    pod.active_deadline_seconds = Some(pod.active_deadline_seconds.map_or(seconds, |own| own.min(seconds)));
    Ok(Job {
        metadata: ObjectMeta {
            name: Some(run.act(part)),
            namespace: Some(run.namespace.clone()),
            labels: Some(run.labels(part)),
            annotations: Some(BTreeMap::from([(CRON_JOB.into(), cron_job.into())])),
            owner_references: Some(vec![run.owner()]),
            ..ObjectMeta::default()
        },
        spec: Some(JobSpec {
            suspend: Some(true),
            backoff_limit: Some(0),
            completions: Some(1),
            parallelism: Some(1),
            template,
            ..JobSpec::default()
        }),
        status: None,
    })
}

/// Lets a Job go, if it is still that one.
pub fn release_job_patch(uid: &str) -> Value {
    json!([
        {"op": "replace", "path": "/metadata/uid", "value": uid},
        {"op": "replace", "path": "/spec/suspend", "value": false},
    ])
}
