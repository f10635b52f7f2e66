//! A workload as people name it, and what in the cluster also sets it.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::{Api, ResourceExt};
use serde_json::Value;

use super::{Place, Said};
use crate::api::WorkloadKind;
use crate::cli::exit;

/// `deployment/NAME` or `statefulset/NAME`, as kubectl writes them.
///
/// # Errors
/// It is of another kind; what to write, a sentence.
pub fn named(workload: &str) -> Result<(WorkloadKind, &str), String> {
    let (kind, name) = workload.split_once('/').unwrap_or(("", workload));
    match kind.split('.').next().unwrap_or_default() {
        "deploy" | "deployment" | "deployments" => Ok((WorkloadKind::Deployment, name)),
        "sts" | "statefulset" | "statefulsets" => Ok((WorkloadKind::StatefulSet, name)),
        _ => Err(format!("{workload:?}: write deployment/NAME or statefulset/NAME")),
    }
}

/// The resource of a kind.
pub fn resource(kind: WorkloadKind) -> ApiResource {
    match kind {
        WorkloadKind::Deployment => ApiResource::erase::<Deployment>(&()),
        WorkloadKind::StatefulSet => ApiResource::erase::<StatefulSet>(&()),
    }
}

/// The workload as JSON; `None`: there is none of that name.
///
/// # Errors
/// Nobody could be asked, or the right to read it is missing.
pub async fn workload(place: &Place, kind: WorkloadKind, name: &str) -> Result<Option<Value>, Said> {
    let api: Api<DynamicObject> = Api::namespaced_with(place.client.clone(), &place.namespace, &resource(kind));
    let found = api.get_opt(name).await.map_err(|error| place.why(kind.as_str(), name, &error))?;
    Ok(found.map(|found| serde_json::to_value(found).unwrap_or(Value::Null)))
}

/// What else sets the size of a workload: `HorizontalPodAutoscaler api`, or the object that it belongs to. Autoscalers that can't be
/// read are passed over.
pub async fn managers(place: &Place, kind: WorkloadKind, workload: &Value) -> Vec<String> {
    let name = workload["metadata"]["name"].as_str().unwrap_or_default();
    let mut found = Vec::new();
    if let Ok(hpas) = place.api::<HorizontalPodAutoscaler>().list(&ListParams::default()).await {
        let ours = hpas.items.iter().filter(|hpa| {
            let points = &hpa.spec.scale_target_ref;
            points.kind == kind.as_str() && points.name == name
        });
        found.extend(ours.map(|hpa| format!("HorizontalPodAutoscaler {}", hpa.name_any())));
    }
    let owners = workload["metadata"]["ownerReferences"].as_array();
    let owner = owners.and_then(|owners| owners.iter().find(|owner| owner["controller"] == true));
    found.extend(owner.map(|owner| {
        let text = |field: &str| owner[field].as_str().unwrap_or("-").to_owned();
        format!("{} {}", text("kind"), text("name"))
    }));
    found
}

/// A workload that must be there.
///
/// # Errors
/// There is none.
pub fn absent(place: &Place, kind: WorkloadKind, name: &str) -> Said {
    let namespace = &place.namespace;
    let text = format!(
        "no {} {name} in namespace {namespace}; kubectl get deployments,statefulsets -n {namespace} lists what is there",
        kind.as_str()
    );
    Said { text, code: exit::USAGE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workloads_are_named_as_kubectl_names_them() {
        for (text, kind) in
            [("deploy/api", "Deployment"), ("deployment.apps/api", "Deployment"), ("sts/api", "StatefulSet")]
        {
            let (found, name) = named(text).unwrap();
            assert_eq!((found.as_str(), name), (kind, "api"));
        }
        for text in ["api", "pod/api", "/api"] {
            assert!(named(text).unwrap_err().contains("deployment/NAME"), "{text}");
        }
    }
}
