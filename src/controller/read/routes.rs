//! Where the Services under load lead: before the start by their selectors, before a row and after it by their endpoints.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::ListParams;

use super::check::{Check, failed, refused};
use super::targets::workloads;
use crate::api::{Reason, Target};
use crate::controller::io::{CallError, call};
use crate::controller::session::Session;
use crate::evidence::cluster::pods::PodFact;
use crate::evidence::cluster::route::{Route, in_words, route, selects, strangers};
use crate::plan::{Destination, destination};
use crate::results::row_input::Fact;

/// A Service that bears a target's name must select its pods: else the load would meet something else.
pub async fn preflight(session: &Session<'_>) -> Check {
    for (name, selector) in services(session).await.map_err(|e| failed("reading a Service", &e))? {
        let Some(selector) = selector else { continue };
        let bears = |target: &&Target| target.name.0 == name || target.workload_ref.name.0 == name;
        let Some(target) = session.test.spec.targets.iter().find(bears) else { continue };
        let reference = &target.workload_ref;
        let api = workloads(&session.context.client, &session.namespace(), reference.kind);
        let found = call(api.get(&reference.name.0)).await.map_err(|e| failed("reading a target", &e))?;
        let labels = &serde_json::to_value(&found).unwrap_or_default()["spec"]["template"]["metadata"]["labels"];
        let labels: BTreeMap<String, String> = serde_json::from_value(labels.clone()).unwrap_or_default();
        if !selects(&selector, &labels) {
            let note = format!(
                "Service {name} selects pods with {}, and those of {} {} have {}: the load would not reach target {}",
                in_words(&selector),
                reference.kind.as_str(),
                reference.name.0,
                in_words(&labels),
                target.name.0
            );
            return Err(refused(Reason::ServiceMismatch, note));
        }
    }
    Ok(())
}

/// Why a Service of a load's URL does not yet name exactly the pods of the target it selects.
pub async fn unproved(session: &mut Session<'_>) -> Option<String> {
    let unread = |name: &str, error: CallError| Some(format!("where {name} leads can't be read: {}", error.message()));
    let services = match services(session).await {
        Ok(services) => services,
        Err(error) => return unread("a Service", error),
    };
    for name in services.into_iter().filter_map(|(name, selector)| selector.map(|_| name)) {
        let named = match endpoints(session, &name).await {
            Ok(named) => named,
            Err(error) => return unread(&format!("Service {name}"), error),
        };
        let serving: Vec<(&str, &[PodFact])> =
            session.serving.iter().map(|(target, _, pods)| (target.as_str(), pods.as_slice())).collect();
        match route(&name, &named, &serving) {
            Route::Partly(why) => return Some(why),
            Route::Past => drop(session.memory.routes.remove(&name)),
            Route::Fits if named.is_empty() => {}
            Route::Fits => drop(session.memory.routes.insert(name)),
        }
    }
    None
}

/// Whether the Services still lead where they led when the load began; `pods` are those of all targets, before and after it.
///
/// # Errors
/// That can't be read now.
pub async fn facts(session: &Session<'_>, pods: &BTreeMap<String, Vec<PodFact>>) -> Result<Vec<Fact>, CallError> {
    let targets: Vec<(&str, &[PodFact])> = pods.iter().map(|(name, pods)| (name.as_str(), pods.as_slice())).collect();
    let mut facts = Vec::new();
    if targets.is_empty() {
        return Ok(facts);
    }
    for (name, selector) in services(session).await? {
        if selector.is_none() {
            let message = format!("Service {name} was deleted, or lost its selector, while the load ran");
            let led = session.memory.routes.contains(&name);
            facts.extend(led.then_some(Fact { reason: Some(Reason::TargetDisturbed), message }));
            continue;
        }
        let named = endpoints(session, &name).await?;
        let Some(n) = strangers(&named, &targets) else { continue };
        if session.memory.routes.contains(&name) || n < named.len() {
            let message = format!("Service {name} came to lead to {n} pods that are no target's while the load ran");
            facts.push(Fact { reason: Some(Reason::TargetDisturbed), message });
        } else {
            let message = format!("Service {name}, which the load goes to, leads to no pod of a target");
            facts.push(Fact { reason: None, message });
        }
    }
    Ok(facts)
}

/// A Service's selector; `None`: it has none, or is gone.
type Selector = Option<BTreeMap<String, String>>;

/// The Services that the loads of the row (or of the test, before the first) go to, each once.
async fn services(session: &Session<'_>) -> Result<BTreeMap<String, Selector>, CallError> {
    let loads = session.row().map_or(&session.test.spec.loads, |row| &row.loads);
    let mut found = BTreeMap::new();
    for load in loads.clone() {
        let Ok(Destination::Service(name)) = destination(&load.url, &session.namespace()) else { continue };
        if found.contains_key(&name) {
            continue;
        }
        let service = call(session.api::<Service>().get_opt(&name)).await?;
        let selector = service.and_then(|service| service.spec?.selector).filter(|selector| !selector.is_empty());
        found.insert(name, selector);
    }
    Ok(found)
}

/// Uids of the pods that a Service names as ready.
async fn endpoints(session: &Session<'_>, service: &str) -> Result<Vec<String>, CallError> {
    let params = ListParams::default().labels(&format!("kubernetes.io/service-name={service}"));
    let slices = call(session.api::<EndpointSlice>().list(&params)).await?;
    let endpoints = slices.items.iter().flat_map(|slice| slice.endpoints.iter().flatten());
    let ready = endpoints.filter(|e| e.conditions.as_ref().and_then(|c| c.ready).unwrap_or(true));
    Ok(ready.filter_map(|e| e.target_ref.as_ref()?.uid.clone()).collect())
}
