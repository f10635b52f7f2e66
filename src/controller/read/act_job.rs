//! The Job of the act at hand, and what its pod said.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::ListParams;

use super::pods::{has_ended, started_at, terminated, trouble};
use super::preflight;
use crate::api::Reason;
use crate::build::{CRON_JOB, RUN_LABEL};
use crate::controller::io::{call, live};
use crate::controller::planned::planned;
use crate::controller::session::Session;
use crate::lifecycle::{ActJobSeen, ActStage, Live, Preflight};
use crate::results::gathered::act_said::ActSaid;
use crate::results::gathered::line::line;

/// The act's Job.
pub async fn read(session: &mut Session<'_>) {
    let (acting, known) = (session.state.acting, session.state.act_job);
    if !acting && known.is_some() && session.memory.act_gone == known {
        session.seen.act_job = Live::Missing;
        return;
    }
    let name = session.run().act(&session.act_part());
    let found = live(call(session.api::<Job>().get(&name)).await);
    session.seen.act_job = match found {
        Live::Fresh(job) => Live::Fresh(look(session, &job).await),
        Live::Missing if acting && known.is_none() => may_be_made(session, &name).await,
        other => {
            session.note = match &other {
                Live::Missing => "its Job was deleted by somebody else".into(),
                Live::Denied => "its Job may not be read".into(),
                _ => "its Job could not be read".into(),
            };
            other.map(|_| unreachable_job())
        }
    };
    let gone = match &session.seen.act_job {
        Live::Missing => true,
        Live::Fresh(job) => job.terminating,
        _ => false,
    };
    if !acting && gone {
        session.memory.act_gone = known;
    }
}

/// Only for [`Live::map`] of what holds no value.
fn unreachable_job() -> ActJobSeen {
    ActJobSeen { uid: crate::lifecycle::Uid(0), ours: false, terminating: true, stage: ActStage::Failed }
}

/// There is none yet: what keeps it from being made for good is said at once. A run that was refused for a URL ends with its acts
/// after the run, too, so the URL is looked at again.
async fn may_be_made(session: &mut Session<'_>, name: &str) -> Live<ActJobSeen> {
    if let Some((_, why)) = session.memory.act_refused.as_ref().filter(|(of, _)| of == name) {
        session.note.clone_from(why);
        return Live::Denied;
    }
    let action = planned(session, session.state.act).map(|(act, action)| (act.action, action.clone()));
    let Some((at, url)) = action.and_then(|(at, action)| Some((at, action.http?.url))) else { return Live::Missing };
    match preflight::url(session, &format!("spec.actions[{at}].http.url"), &url).await {
        Ok(()) => Live::Missing,
        Err(no) => {
            session.note = no.note;
            let passes = matches!(no.answer, Preflight::NotYet(Reason::ApiUnavailable));
            if passes { Live::Unreachable } else { Live::Denied }
        }
    }
}

async fn look(session: &mut Session<'_>, job: &Job) -> ActJobSeen {
    let owner = session.uid();
    let owned = job.owner_references().iter().any(|o| o.uid == owner && o.controller == Some(true));
    let ours = owned && job.labels().get(RUN_LABEL) == Some(&session.run().label());
    let terminating = job.metadata.deletion_timestamp.is_some();
    if !ours {
        session.note = format!("a Job named {} is there already and belongs to somebody else", job.name_any());
    } else if terminating {
        session.note = "its Job was deleted by somebody else".into();
    }
    let uid = session.hash(&job.uid().unwrap_or_default());
    let held = job.spec.as_ref().is_some_and(|spec| spec.suspend == Some(true));
    let stage = match ours && !terminating && session.state.acting {
        true if held => ActStage::Held,
        true => stage(session, job).await,
        false => ActStage::Runs,
    };
    ActJobSeen { uid, ours, terminating, stage }
}

/// How far the pod of a Job is that was let go. A Job that has no pod any more tells by its conditions.
async fn stage(session: &mut Session<'_>, job: &Job) -> ActStage {
    let label = format!("batch.kubernetes.io/controller-uid={}", job.uid().unwrap_or_default());
    let pods = call(session.api::<Pod>().list(&ListParams::default().labels(&label))).await;
    let pods = pods.map(|list| list.items).unwrap_or_default();
    let copied = job.annotations().contains_key(CRON_JOB);
    if let Some(pod) = pods.iter().find(|pod| has_ended(pod)) {
        return ended(session, pod, copied);
    }
    let is = |kind: &str| {
        let mut conditions = job.status.iter().flat_map(|status| status.conditions.iter().flatten());
        conditions.find(|c| c.type_ == kind && c.status == "True")
    };
    if is("Complete").is_some() {
        return ActStage::Done;
    }
    if let Some(failed) = is("Failed") {
        let why = failed.reason.as_deref().unwrap_or("no reason given");
        session.note = format!("its Job failed ({why})");
        return ActStage::Failed;
    }
    session.note = "its pod has not ended yet".into();
    match trouble(&pods, session.now()) {
        Some((Reason::GeneratorUnschedulable, _)) => {
            session.note = "no node has room for its pod".into();
            ActStage::Runs
        }
        Some((_, why)) => {
            session.note = why;
            ActStage::Failed
        }
        None => ActStage::Runs,
    }
}

/// What a foreign pod says may hold anything, so only how it ended is told of it.
fn ended(session: &mut Session<'_>, pod: &Pod, copied: bool) -> ActStage {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    let (code, reason, message) = terminated(pod).unwrap_or((-1, String::new(), String::new()));
    let said = if copied { ActSaid::default() } else { line(&message).unwrap_or_default() };
    session.act_ran_at = said.ran_at_ms.or_else(|| started_at(pod).filter(|_| copied));
    if phase == Some("Succeeded") || code == 0 && phase != Some("Failed") {
        return ActStage::Done;
    }
    let why = pod.status.as_ref().and_then(|status| status.reason.clone()).unwrap_or(reason);
    session.note = match said.message {
        Some(message) => message,
        None if why == "DeadlineExceeded" => "its pod took longer than timeoutSeconds".into(),
        None => format!("its pod ended with exit code {code} ({why})"),
    };
    ActStage::Failed
}
