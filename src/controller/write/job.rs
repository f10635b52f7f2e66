//! Jobs of the operator's own pods: made with what they read, and deleted.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{DeleteParams, PostParams, Preconditions, PropagationPolicy};

use super::decided::Decided;
use crate::build::{PodContext, generator_job, observer_job, plan_config_map};
use crate::controller::error::PassError;
use crate::controller::io::call;
use crate::controller::read::targets::workloads;
use crate::controller::session::Session;
use crate::lifecycle::{ARMING, CREATING, GRACE, Uid, lead};
use crate::plan::{generator_input, observer_input};

/// The observer's Job and what it reads.
///
/// # Errors
/// The API server refused or did not answer; so with all of them.
pub async fn observer(session: &mut Session<'_>) -> Result<(), PassError> {
    let Some(plan) = &session.plan else { return Ok(()) };
    let Some(input) = observer_input(plan, &session.identity()) else { return Ok(()) };
    let run = session.run();
    let text = serde_json::to_string(&input).map_err(|e| PassError::Status(e.to_string()))?;
    let seconds = (session.view.total + 2 * ARMING) / 1000;
    let job = observer_job(&pod_context(session, &run, &[]), &text, u64::try_from(seconds).unwrap_or(0));
    create(&session.api::<ConfigMap>(), &plan_config_map(&run, None, text), "creating the observer's ConfigMap")
        .await?;
    let answer = create(&session.api::<Job>(), &job, "creating the observer's Job").await;
    refused(session, answer)
}

/// The row's generators and what they read.
pub async fn generators(session: &mut Session<'_>, decided: Decided) -> Result<(), PassError> {
    let (Some(plan), Some(row)) = (&session.plan, session.row()) else { return Ok(()) };
    let run = session.run();
    let input = generator_input(plan, row, &session.identity());
    let text = serde_json::to_string(&input).map_err(|e| PassError::Status(e.to_string()))?;
    let view = session.view.rows.get(usize::from(session.state.row).saturating_sub(1));
    let view = view.ok_or_else(|| PassError::Status("the row is not in the plan".into()))?;
    let millis = CREATING + ARMING + lead(view.generators) + view.worst_case.min(session.view.total) + 2 * GRACE;
    let avoid = targets_labels(session).await;
    let job = generator_job(&pod_context(session, &run, &avoid), row, &text, u64::try_from(millis / 1000).unwrap_or(0));
    create(
        &session.api::<ConfigMap>(),
        &plan_config_map(&run, Some(row.number), text),
        "creating the plan's ConfigMap",
    )
    .await?;
    if decided.is_stale() {
        return Ok(());
    }
    let answer = create(&session.once::<Job>(), &job, "creating the generator Job").await;
    refused(session, answer)
}

/// Remembers why a Job can't be made: when it is given up, that is what a person has to know.
fn refused(session: &mut Session<'_>, answer: Result<(), PassError>) -> Result<(), PassError> {
    session.memory.job_refused = answer.as_ref().err().map(ToString::to_string);
    session.remember();
    answer
}

/// Deletes a Job with its pods; with `uid`, only that one.
pub(super) async fn delete(session: &Session<'_>, name: &str, uid: Option<Uid>) -> Result<(), PassError> {
    let uid = uid.and_then(|uid| session.uids.get(&uid).cloned());
    let params = DeleteParams {
        propagation_policy: Some(PropagationPolicy::Background),
        preconditions: uid.map(|uid| Preconditions { uid: Some(uid), resource_version: None }),
        ..DeleteParams::default()
    };
    match call(session.api::<Job>().delete(name, &params)).await {
        Err(error) if error.code() == Some(404) => Ok(()),
        answer => answer.map(drop).map_err(PassError::call("deleting a Job")),
    }
}

/// Creates an object; one of that name that is there already is looked at in the next pass.
pub(super) async fn create<K>(api: &Api<K>, object: &K, doing: &'static str) -> Result<(), PassError>
where
    K: kube::Resource + Clone + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned,
{
    match call(api.create(&PostParams::default(), object)).await {
        Err(error) if error.already_exists() => Ok(()),
        answer => answer.map(drop).map_err(PassError::call(doing)),
    }
}

/// What agents' pods are made from.
pub fn pod_context<'a>(
    session: &'a Session<'_>,
    run: &'a crate::build::RunName,
    avoid: &'a [std::collections::BTreeMap<String, String>],
) -> PodContext<'a> {
    let image = session.test.status.as_ref().and_then(|s| s.run.as_ref()?.image.as_deref());
    PodContext { run, image: image.unwrap_or(&session.context.image), spec: &session.test.spec, avoid }
}

/// Labels of the targets' pods: generators avoid their nodes where they can.
async fn targets_labels(session: &Session<'_>) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut all = Vec::new();
    for target in &session.test.spec.targets {
        let reference = &target.workload_ref;
        let api = workloads(&session.context.client, &session.namespace(), reference.kind);
        if let Ok(found) = call(api.get(&reference.name.0)).await {
            let labels = found.data["spec"]["selector"]["matchLabels"].clone();
            all.extend(serde_json::from_value(labels).ok());
        }
    }
    all
}
