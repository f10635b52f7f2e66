//! Whether each target could be sized as the rows want: there, ready, sized by nobody else, and its sizes accepted by a dry run.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kube::Api;
use kube::ResourceExt;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams};
use serde_json::Value;

use super::check::{Check, No, failed, not_yet, refused};
use super::targets::{pods_of, workloads};
use crate::api::{Reason, Target, WhenManaged};
use crate::build::{CLAIM, Field, claim_patch, current, rehearsal, same, size_patch, wanted};
use crate::controller::io::call;
use crate::controller::session::Session;

/// One workload: there, ready, not paused, and sized by nobody else. True: another test holds it, so that whether its pods are
/// ready is looked at when it is free.
pub async fn check(session: &Session<'_>, target: &Target) -> Result<bool, No> {
    let reference = &target.workload_ref;
    let what = format!("{} {}", reference.kind.as_str(), reference.name.0);
    let api = workloads(&session.context.client, &session.namespace(), reference.kind);
    let found = call(api.get_opt(&reference.name.0)).await.map_err(|e| failed("reading a target", &e))?;
    let Some(found) = found else {
        return Err(not_yet(
            Reason::TargetNotFound,
            format!("there is no {what} in namespace {}", session.namespace()),
        ));
    };
    let workload = serde_json::to_value(&found).unwrap_or_default();
    if workload["spec"]["paused"] == true {
        return Err(refused(Reason::TargetPaused, format!("{what} is paused; resume its rollout")));
    }
    if session.sized.contains(&target.name.0) {
        if target.when_managed == WhenManaged::Refuse {
            managed(session, target, &workload, &what).await?;
        }
        rehearse(session, target, &api, &workload, &what).await?;
    }
    let claim = workload["metadata"]["labels"][CLAIM].as_str();
    if claim.is_some_and(|claim| claim != session.run().label()) {
        return Ok(true);
    }
    ready(session, target, &workload, &what).await?;
    Ok(false)
}

/// What an autoscaler or an owner also sets, we would fight over.
async fn managed(session: &Session<'_>, target: &Target, workload: &Value, what: &str) -> Check {
    let owner = workload["metadata"]["ownerReferences"]
        .as_array()
        .and_then(|owners| owners.iter().find(|o| o["controller"] == true));
    if let Some(owner) = owner {
        let note = format!(
            "{what} belongs to {} {}, which would set it back; write whenManaged: Override to try all the same",
            owner["kind"].as_str().unwrap_or("an object"),
            owner["name"].as_str().unwrap_or_default()
        );
        return Err(refused(Reason::TargetHasOwner, note));
    }
    let autoscaler = autoscaler(session, target).await?;
    match autoscaler {
        Some(name) => {
            let note = format!("{name} also sets {what}; pause it, or write whenManaged: Override");
            Err(refused(Reason::TargetHasAutoscaler, note))
        }
        None => Ok(()),
    }
}

/// The HorizontalPodAutoscaler or KEDA ScaledObject that points at a target.
async fn autoscaler(session: &Session<'_>, target: &Target) -> Result<Option<String>, No> {
    let reference = &target.workload_ref;
    let hpas = call(session.api::<HorizontalPodAutoscaler>().list(&ListParams::default())).await;
    for hpa in hpas.map_err(|e| failed("listing HorizontalPodAutoscalers", &e))? {
        let points = &hpa.spec.scale_target_ref;
        if points.kind == reference.kind.as_str() && points.name == reference.name.0 {
            return Ok(Some(format!("HorizontalPodAutoscaler {}", hpa.name_any())));
        }
    }
    let keda = ApiResource::from_gvk(&GroupVersionKind::gvk("keda.sh", "v1alpha1", "ScaledObject"));
    let api: Api<DynamicObject> = Api::namespaced_with(session.context.client.clone(), &session.namespace(), &keda);
    let objects = match call(api.list(&ListParams::default())).await {
        Ok(list) => list.items,
        Err(error) if error.code() == Some(404) => Vec::new(), // KEDA is not installed
        Err(error) => return Err(failed("listing ScaledObjects", &error)),
    };
    let points = |object: &&DynamicObject| {
        let reference_of = &object.data["spec"]["scaleTargetRef"];
        reference_of["name"] == reference.name.0.as_str()
            && reference_of["kind"].as_str().unwrap_or("Deployment") == reference.kind.as_str()
    };
    Ok(objects.iter().find(points).map(|object| format!("ScaledObject {}", object.name_any())))
}

/// Each size the rows want is sent once as a dry run, with the claim it will have.
async fn rehearse(
    session: &Session<'_>,
    target: &Target,
    api: &Api<DynamicObject>,
    workload: &Value,
    what: &str,
) -> Check {
    let Some(plan) = &session.plan else { return Ok(()) };
    let mut sizes: Vec<_> = plan.rows.iter().filter_map(|row| row.target(&target.name.0)).map(wanted).collect();
    let of_row = sizes.first().cloned().unwrap_or_default();
    sizes.extend(plan.scales(&target.name.0).into_iter().map(|replicas| {
        let mut size = of_row.clone();
        size.insert(Field::Replicas, Some(replicas.into()));
        size
    }));
    let mut distinct = Vec::new();
    for size in sizes {
        if !distinct.contains(&size) {
            distinct.push(size);
        }
    }
    let fields = session.fields(&target.name.0);
    let until = crate::api::Instant::from_millis(0);
    let claim = claim_patch(workload, &session.run(), target.container.as_deref(), &fields, until)
        .map_err(|e| refused(Reason::InvalidSpec, format!("target {}: {e}", target.name.0)))?;
    let claimed = patched(workload, &claim);
    for size in distinct {
        let patch = size_patch(&claimed, &size).map_err(|e| refused(Reason::InvalidSpec, e.to_string()))?;
        let both = rehearsal(workload, &claim, &patch);
        let patch: json_patch::Patch = serde_json::from_value(both).unwrap_or_default();
        let params = PatchParams { dry_run: true, ..PatchParams::default() };
        let answer = call(api.patch(&target.workload_ref.name.0, &params, &Patch::Json::<()>(patch))).await;
        let answer = match answer {
            Ok(answer) => serde_json::to_value(answer).unwrap_or_default(),
            Err(error) if error.code() == Some(409) => continue, // changed meanwhile: the real write will see
            Err(error) if error.code() == Some(422) => {
                return Err(refused(Reason::InvalidSpec, format!("{what} can't have this size: {}", error.message())));
            }
            Err(error) => return Err(failed(&format!("trying the size of {what}"), &error)),
        };
        let Some(index) = crate::build::container_index(&answer, target.container.as_deref()) else { continue };
        let stored = current(&answer, index, size.keys());
        if let Some((field, _)) =
            size.iter().find(|(field, value)| !same(field, stored.get(*field).and_then(Option::as_ref), value.as_ref()))
        {
            let note = format!(
                "the API server stores another {} for {what} than asked for (a mutating webhook?)",
                String::from(field.clone())
            );
            return Err(refused(Reason::TargetMutated, note));
        }
    }
    Ok(())
}

/// What a patch will make of a workload.
fn patched(workload: &Value, patch: &Value) -> Value {
    let mut patched = workload.clone();
    if let Ok(patch) = serde_json::from_value::<json_patch::Patch>(patch.clone()) {
        // A patch that does not fit is refused by the API server with its reason.
        let _ = json_patch::patch(&mut patched, &patch);
    }
    patched
}

/// The workload is up before anything is changed; a target that is to be resized from nothing is, too.
async fn ready(session: &Session<'_>, target: &Target, workload: &Value, what: &str) -> Check {
    let wanted = workload["spec"]["replicas"].as_i64().unwrap_or(1);
    let answer = pods_of(session, target).await;
    let (_, pods, _) = answer.map_err(|e| failed("listing the pods of a target", &e))?;
    let ready = pods.iter().filter(|pod| pod.ready && !pod.terminating).count();
    if i64::try_from(ready).unwrap_or(i64::MAX) < wanted {
        let why = pods.iter().find_map(|pod| pod.trouble.clone()).map(|why| format!(": {why}")).unwrap_or_default();
        return Err(not_yet(Reason::TargetNotReady, format!("{ready} of {wanted} pods of {what} are ready{why}")));
    }
    Ok(())
}
