//! Whether a test could start, looked at live and before anything is changed.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::api::PostParams;

use super::check::{Check, No, failed, not_yet, refused};
use super::queue::{Ahead, ahead};
use super::{preflight_target, quota};
use crate::api::Reason;
use crate::build::{generator_job, observer_job};
use crate::controller::io::call;
use crate::controller::session::Session;
use crate::controller::write::act_job;
use crate::controller::write::job::pod_context;
use crate::lifecycle::{Live, Millis, Preflight};
use crate::plan::{Destination, act_part, destination, is_allowed};

/// So long an answer is good while another test holds a target, milliseconds: what that one leaves is not known yet.
const HELD: Millis = 10_000;

/// Looks at everything, once a run, and while another test holds a target now and then; a final answer is remembered.
pub async fn read(session: &mut Session<'_>) {
    let remembered = session.memory.preflight.clone().filter(|_| session.now() < session.memory.preflight_until);
    if let Some((answer, note)) = remembered {
        session.seen.preflight = answer;
        session.note = note;
        return;
    }
    let answer = check(session).await;
    let (answer, note) = match answer {
        Ok(held) => {
            session.memory.preflight_until = if held { session.now() + HELD } else { Millis::MAX };
            (Preflight::Ok, String::new())
        }
        Err(no) => {
            session.memory.preflight_until = Millis::MAX;
            (no.answer, no.note)
        }
    };
    session.seen.preflight = Live::Fresh(answer);
    session.note.clone_from(&note);
    if answer == Preflight::NotYet(Reason::LimitReached) {
        session.memory.not_yet_since = 0;
    } else if session.memory.not_yet_since == 0 {
        session.memory.not_yet_since = session.now();
    }
    session.seen.not_yet_since = session.memory.not_yet_since;
    if !matches!(answer, Preflight::NotYet(_)) {
        session.memory.preflight = Some((Live::Fresh(answer), note));
    }
}

/// Whether another test holds a target; everything else is in order.
async fn check(session: &mut Session<'_>) -> Result<bool, No> {
    slots(session).await?;
    urls(session).await?;
    config_maps(session).await?;
    let mut held = false;
    for target in &session.test.spec.targets {
        held |= preflight_target::check(session, target).await?;
    }
    super::routes::preflight(session).await?;
    jobs(session).await?;
    quota::check(session).await.map_err(|note| refused(Reason::QuotaExceeded, note))?;
    super::evidence::preflight(session).await.map_err(|(reason, note)| refused(reason, note))?;
    Ok(held)
}

/// The namespace runs as many tests as it may: those that began earlier go first.
async fn slots(session: &mut Session<'_>) -> Check {
    let queue = session.context.queue(&session.namespace());
    let places = queue.places(&session.api()).await;
    let places = places.map_err(|e| failed("listing the LoadTests of the namespace", &e))?;
    let Ahead { running, waiting } = ahead(&places, &session.uid(), session.state.started_at);
    let most = session.context.config.limits.max_concurrent_tests;
    if running + waiting >= most {
        session.seen.ahead = u32::try_from(running + waiting - most).unwrap_or(u32::MAX);
        let note = format!(
            "{running} tests run in this namespace and {waiting} wait before this one; this operator allows {most} at the same time"
        );
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
    let actions = spec.actions.iter().enumerate();
    let actions =
        actions.filter_map(|(i, action)| Some((format!("spec.actions[{i}].http.url"), &action.http.as_ref()?.url)));
    for (path, address) in loads.chain(measurements).chain(actions) {
        url(session, &path, address).await?;
    }
    Ok(())
}

/// Where a URL of the manifest leads.
pub async fn url(session: &Session<'_>, path: &str, url: &str) -> Check {
    match destination(url, &session.namespace()) {
        Err(why) => Err(refused(Reason::UrlNotAllowed, format!("{path}: {why}"))),
        Ok(Destination::Host(host)) if is_allowed(&host, &session.context.config.allowed_hosts) => Ok(()),
        Ok(Destination::Host(host)) => {
            let note = format!(
                "{path}: {host} is neither a Service of namespace {} nor on this operator's list of allowed hosts (chart value config.allowedHosts)",
                session.namespace()
            );
            Err(refused(Reason::UrlNotAllowed, note))
        }
        Ok(Destination::Service(name)) => service(session, path, &name).await,
    }
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

/// ConfigMaps with CA certificates, values of variables and files to upload.
async fn config_maps(session: &Session<'_>) -> Check {
    let spec = &session.test.spec;
    let loads = spec.loads.iter().filter_map(|load| load.tls.as_ref());
    let measurements = spec.measurements.iter().filter_map(|m| m.http.as_ref()?.tls.as_ref());
    let authorities = loads.chain(measurements).filter_map(|tls| tls.ca_from.as_ref());
    let authorities = authorities.map(|ca| (&ca.config_map_key_ref, "tls.caFrom"));
    let parts = spec.loads.iter().flat_map(|load| &load.steps).flat_map(|step| &step.upload);
    let uploads = parts.filter_map(|part| Some((part.config_map_key_ref.as_ref()?, "upload")));
    let vars = spec.vars.iter().filter_map(|var| Some((var.value_from.as_ref()?.config_map_key_ref.as_ref()?, "vars")));
    for (key, what) in authorities.chain(vars).chain(uploads) {
        let found = call(session.api::<ConfigMap>().get_opt(&key.name.0)).await;
        let found = found.map_err(|e| failed("reading a ConfigMap", &e))?;
        let has = found.is_some_and(|map| {
            map.data.is_some_and(|data| data.contains_key(&key.key.0))
                || map.binary_data.is_some_and(|data| data.contains_key(&key.key.0))
        });
        if !has {
            let note = format!("there is no ConfigMap {} with key {} for {what}", key.name.0, key.key.0);
            return Err(not_yet(Reason::ConfigMapMissing, note));
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
        jobs.push(observer_job(&context, "", 60));
    }
    for action in &session.test.spec.actions {
        if action.target().is_none() {
            jobs.push(act_job::of_action(session, action, &act_part(Some(1), 1), "").await?);
        }
    }
    let params = PostParams { dry_run: true, ..PostParams::default() };
    for job in jobs {
        match call(session.api::<Job>().create(&params, &job)).await {
            Err(error) if error.code() == Some(422) => {
                let note = format!("the Jobs' pods can't be made (spec.pods, spec.actions): {}", error.message());
                return Err(refused(Reason::InvalidSpec, note));
            }
            Err(error) if error.code() == Some(403) => return Err(failed("trying to create a Job", &error)),
            _ => {}
        }
    }
    Ok(())
}
