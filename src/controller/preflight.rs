//! Whether a test could start, looked at live and before anything is changed.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::Api;
use kube::ResourceExt;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams, PostParams};
use serde_json::Value;

use super::apply::pod_context;
use super::io::{CallError, call};
use super::quota;
use super::session::{Session, now};
use super::targets::{pods_of, workloads};
use crate::api::{LoadTest, Phase, Reason, Target, WhenManaged};
use crate::build::{claim_patch, current, generator_job, observer_job, same, size_patch, wanted};
use crate::lifecycle::{Live, Preflight};
use crate::plan::{Destination, destination, is_allowed};

/// Why it can't start now.
struct No {
    answer: Preflight,
    note: String,
}

type Check = Result<(), No>;

fn refused(reason: Reason, note: impl Into<String>) -> No {
    No { answer: Preflight::Refused(reason), note: note.into() }
}

fn not_yet(reason: Reason, note: impl Into<String>) -> No {
    No { answer: Preflight::NotYet(reason), note: note.into() }
}

/// A call that failed: no right is final, all else may pass.
fn failed(doing: &str, error: &CallError) -> No {
    let note = format!("{doing}: {}", error.message());
    match error.code() {
        Some(403) => refused(Reason::Forbidden, note),
        _ => not_yet(Reason::ApiUnavailable, note),
    }
}

/// Looks at everything, once a run; a final answer is remembered.
pub async fn read(session: &mut Session<'_>) {
    if let Some((answer, note)) = session.memory.preflight.clone() {
        session.seen.preflight = answer;
        session.note = note;
        return;
    }
    let answer = check(session).await;
    let (answer, note) = match answer {
        Ok(()) => (Preflight::Ok, String::new()),
        Err(no) => (no.answer, no.note),
    };
    session.seen.preflight = Live::Fresh(answer);
    session.note.clone_from(&note);
    if answer == Preflight::NotYet(Reason::LimitReached) {
        session.memory.not_yet_since = 0;
    } else if session.memory.not_yet_since == 0 {
        session.memory.not_yet_since = now();
    }
    session.seen.not_yet_since = session.memory.not_yet_since;
    if !matches!(answer, Preflight::NotYet(_)) {
        session.memory.preflight = Some((Live::Fresh(answer), note));
    }
}

async fn check(session: &Session<'_>) -> Check {
    slots(session).await?;
    urls(session).await?;
    certificates(session).await?;
    for target in &session.test.spec.targets {
        self::target(session, target).await?;
    }
    jobs(session).await?;
    quota::check(session).await.map_err(|note| refused(Reason::QuotaExceeded, note))?;
    super::evidence::preflight(session).await.map_err(|(reason, note)| refused(reason, note))
}

/// The namespace runs as many tests as it may: those that began earlier go first.
async fn slots(session: &Session<'_>) -> Check {
    let tests = call(session.api::<LoadTest>().list(&ListParams::default())).await;
    let tests = tests.map_err(|e| failed("listing the LoadTests of the namespace", &e))?;
    let busy = |test: &&LoadTest| {
        let status = test.status.as_ref();
        let run = status.and_then(|s| s.run.as_ref());
        let phase = status.and_then(|s| s.phase);
        let began = run.and_then(|run| run.started_at).map(crate::api::Instant::as_millis).unwrap_or(i64::MAX);
        let earlier = (began, test.uid()) < (session.state.started_at, session.test.uid());
        test.uid() != session.test.uid()
            && match phase {
                Some(Phase::Running | Phase::Restoring) => true,
                // Of those that wait as well, the earlier ones go first.
                Some(Phase::Claiming) => earlier,
                _ => false,
            }
    };
    let (others, most) = (tests.iter().filter(busy).count(), session.context.config.limits.max_concurrent_tests);
    if others >= most {
        let note = format!("{others} tests run in this namespace; this operator allows {most} at the same time");
        return Err(not_yet(Reason::LimitReached, note));
    }
    Ok(())
}

/// Each URL leads to a Service of the namespace, or to a host that the operator allows.
async fn urls(session: &Session<'_>) -> Check {
    let spec = &session.test.spec;
    let loads = spec.loads.iter().enumerate().map(|(i, load)| (format!("spec.loads[{i}].url"), &load.url));
    let measurements = spec
        .measurements
        .iter()
        .enumerate()
        .filter_map(|(i, m)| m.http.as_ref().map(|http| (format!("spec.measurements[{i}].http.url"), &http.url)));
    for (path, url) in loads.chain(measurements) {
        match destination(url, &session.namespace()) {
            Err(why) => return Err(refused(Reason::UrlNotAllowed, format!("{path}: {why}"))),
            Ok(Destination::Host(host)) if is_allowed(&host, &session.context.config.allowed_hosts) => {}
            Ok(Destination::Host(host)) => {
                let note = format!(
                    "{path}: {host} is neither a Service of namespace {} nor on this operator's list of allowed hosts (chart value config.allowedHosts)",
                    session.namespace()
                );
                return Err(refused(Reason::UrlNotAllowed, note));
            }
            Ok(Destination::Service(name)) => service(session, &path, &name).await?,
        }
    }
    Ok(())
}

async fn service(session: &Session<'_>, path: &str, name: &str) -> Check {
    let service = call(session.api::<Service>().get_opt(name)).await.map_err(|e| failed("reading a Service", &e))?;
    let Some(service) = service else {
        let note = format!("{path}: there is no Service {name} in namespace {}", session.namespace());
        return Err(not_yet(Reason::ServiceNotFound, note));
    };
    if service.spec.and_then(|spec| spec.type_).as_deref() == Some("ExternalName") {
        let note = format!("{path}: Service {name} is an ExternalName; name the host and have it allowed instead");
        return Err(refused(Reason::UrlNotAllowed, note));
    }
    Ok(())
}

/// ConfigMaps with CA certificates.
async fn certificates(session: &Session<'_>) -> Check {
    let spec = &session.test.spec;
    let loads = spec.loads.iter().filter_map(|load| load.tls.as_ref());
    let measurements = spec.measurements.iter().filter_map(|m| m.http.as_ref()?.tls.as_ref());
    for ca in loads.chain(measurements).filter_map(|tls| tls.ca_from.as_ref()) {
        let key = &ca.config_map_key_ref;
        let found = call(session.api::<ConfigMap>().get_opt(&key.name.0)).await;
        let found = found.map_err(|e| failed("reading a ConfigMap", &e))?;
        let has = found.is_some_and(|map| map.data.is_some_and(|data| data.contains_key(&key.key.0)));
        if !has {
            let note = format!("there is no ConfigMap {} with key {} for tls.caFrom", key.name.0, key.key.0);
            return Err(not_yet(Reason::ConfigMapMissing, note));
        }
    }
    Ok(())
}

/// One workload: there, ready, not paused, and sized by nobody else.
async fn target(session: &Session<'_>, target: &Target) -> Check {
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
    ready(session, target, &workload, &what).await
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
    sizes.dedup();
    let fields = sizes.first().map(|size| size.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    let until = crate::api::Instant::from_millis(0);
    let claim = claim_patch(workload, &session.run(), target.container.as_deref(), &fields, until)
        .map_err(|e| refused(Reason::InvalidSpec, format!("target {}: {e}", target.name.0)))?;
    let claimed = patched(workload, &claim);
    for size in sizes {
        let patch = size_patch(&claimed, &size).map_err(|e| refused(Reason::InvalidSpec, e.to_string()))?;
        let both: Vec<Value> = [&claim, &patch].into_iter().filter_map(Value::as_array).flatten().cloned().collect();
        let patch: json_patch::Patch = serde_json::from_value(both.into()).unwrap_or_default();
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

/// The Jobs are sent once as a dry run: what the API server won't take is said before anything is changed.
async fn jobs(session: &Session<'_>) -> Check {
    let Some(row) = session.plan.as_ref().and_then(|plan| plan.rows.first()) else { return Ok(()) };
    let run = session.run();
    let context = pod_context(session, &run, &[]);
    let mut jobs = vec![generator_job(&context, row, "", 60)];
    if session.view.observer {
        jobs.push(observer_job(&context, 60));
    }
    let params = PostParams { dry_run: true, ..PostParams::default() };
    for job in jobs {
        match call(session.api::<Job>().create(&params, &job)).await {
            Err(error) if error.code() == Some(422) => {
                let note = format!("the row's pods can't be made from spec.pods: {}", error.message());
                return Err(refused(Reason::InvalidSpec, note));
            }
            Err(error) if error.code() == Some(403) => return Err(failed("trying to create a Job", &error)),
            _ => {}
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
