//! The row's Job and its pods, read live.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ContainerStatus, Event, Pod};
use kube::ResourceExt;
use kube::api::ListParams;

use crate::api::{Instant, Reason, RowStep};
use crate::build::{ACT, GENERATE, GRANTED_AT, OBSERVE, ROW_LABEL, RUN_LABEL, START_AT, STOP_AT};
use crate::controller::io::{call, live};
use crate::controller::session::Session;
use crate::lifecycle::{JobSeen, Live, Millis, PodsSeen, Uid};
use crate::results::gathered::line::line;
use crate::results::gathered::record::Termination;

/// How long a pod may stay unschedulable, or not be created, before that is an answer; seconds.
const PATIENCE: i64 = 10;

/// A pod that changed so recently is not armed yet, milliseconds. Its kubelet may still be at work on that change, and then
/// shows the pod an annotation that is written now only with its next look around, a minute or more later.
const QUIET: Millis = 2_000;

/// The Job that has the row's name.
pub async fn read_job(session: &mut Session<'_>) {
    let name = session.run().row(session.state.row.into());
    let job = live(call(session.api::<Job>().get(&name)).await);
    if let (Live::Missing, Some(why)) = (&job, &session.memory.job_refused) {
        session.note.clone_from(why);
    }
    let (label, owner) = (session.run().label(), session.uid());
    session.seen.job = job.map(|job| {
        let owned = job.owner_references().iter().any(|o| o.uid == owner && o.controller == Some(true));
        let ours = owned && job.labels().get(RUN_LABEL) == Some(&label);
        if !ours {
            session.note = format!("a Job named {name} is there already and belongs to somebody else");
        }
        let uid = session.hash(&job.uid().unwrap_or_default());
        JobSeen { uid, ours, terminating: job.metadata.deletion_timestamp.is_some() }
    });
}

/// The pods with the label of the run and of `part` (a row's number, or `observe`).
pub fn of_part(session: &Session<'_>, part: &str) -> ListParams {
    let run = session.run().label();
    ListParams::default().labels(&format!("{RUN_LABEL}={run},{ROW_LABEL}={part}"))
}

/// The pods of the row.
pub async fn read(session: &mut Session<'_>) {
    let params = of_part(session, &session.state.row.to_string());
    let pods = match live(call(session.api::<Pod>().list(&params)).await) {
        Live::Fresh(list) => list.items,
        other => {
            session.seen.pods = other.map(|_| PodsSeen::default());
            return;
        }
    };
    let mut seen = PodsSeen::default();
    let mut order: Vec<&Pod> = pods.iter().collect();
    // Of two pods of one index the first made counts.
    order.sort_by_key(|pod| (index(pod), pod.creation_timestamp()));
    let mut indexes = Vec::new();
    let quiet = quiet(session, &pods);
    for pod in order {
        let uid = session.hash(&pod.uid().unwrap_or_default());
        if is_armed(pod) && quiet.contains(&uid) && !indexes.contains(&index(pod)) {
            indexes.push(index(pod));
            seen.armed.push(uid);
        }
        if let Some(at) = told_at(pod) {
            seen.granted.push((uid, at));
        }
        seen.alive += u32::from(!has_ended(pod));
    }
    let gone = confirm(session, &pods);
    seen.unconfirmed = gone;
    seen.stopped = pods.iter().filter(|pod| !has_ended(pod)).all(|pod| pod.annotations().contains_key(STOP_AT));
    if let Some((reason, note)) = trouble(&pods, session.now()) {
        seen.trouble = Some(reason);
        session.note = note;
    } else {
        let wanted: i32 = session.row().map_or(0, |row| row.loads.iter().map(|load| load.generators).sum());
        session.note = format!("{} of {wanted} generators are armed", seen.armed.len());
        if pods.len() < usize::try_from(wanted).unwrap_or(0)
            && let Some(why) = not_created(session).await
        {
            seen.trouble = Some(Reason::GeneratorQuota);
            session.note = why;
        }
    }
    session.pods = pods;
    session.seen.pods = Live::Fresh(seen);
}

/// When a pod was told its start last; `None`: it was not told.
fn told_at(pod: &Pod) -> Option<Millis> {
    let annotations = pod.annotations();
    annotations.get(START_AT)?;
    let at = annotations.get(GRANTED_AT).and_then(|at| at.parse().map(Instant).ok());
    Some(at.map_or(Millis::MIN, Instant::as_millis))
}

/// The pods that have not changed for [`QUIET`], as far as this process has looked.
fn quiet(session: &mut Session<'_>, pods: &[Pod]) -> Vec<Uid> {
    let (now, before) = (session.now(), std::mem::take(&mut session.memory.versions));
    let looked = pods.iter().filter_map(|pod| Some((pod.uid()?, pod.resource_version()?)));
    for (uid, version) in looked {
        let since = before.get(&uid).filter(|(known, _)| *known == version).map_or(now, |(_, since)| *since);
        session.memory.versions.insert(uid, (version, since));
    }
    let since = session.memory.versions.iter().filter(|(_, (_, since))| now - since >= QUIET);
    since.map(|(uid, _)| Uid::of(uid)).collect()
}

/// Remembers which pods were seen ended; counts the granted ones that vanished without that.
fn confirm(session: &mut Session<'_>, pods: &[Pod]) -> u32 {
    let ended = pods.iter().filter(|pod| has_ended(pod)).filter_map(ResourceExt::uid);
    session.memory.ended.extend(ended);
    let collected = !matches!(session.state.step, RowStep::Starting | RowStep::Loading | RowStep::Collecting);
    if session.state.fire.is_none() || collected {
        return 0;
    }
    let known: Vec<_> = session.memory.ended.iter().cloned().chain(pods.iter().filter_map(ResourceExt::uid)).collect();
    let known: Vec<_> = known.iter().map(|uid| Uid::of(uid)).collect();
    let gone = session.state.armed.iter().filter(|pod| !known.contains(pod)).count();
    u32::try_from(gone).unwrap_or(u32::MAX)
}

/// Completion index of a generator pod.
pub fn index(pod: &Pod) -> u32 {
    let text = pod.annotations().get("batch.kubernetes.io/job-completion-index");
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Started (its startup probe holds) and running.
pub fn is_armed(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_none()
        && statuses(pod).any(|s| s.started == Some(true) && s.state.as_ref().is_some_and(|s| s.running.is_some()))
}

/// Our container will not send any more. Other containers (an injected sidecar) don't count.
pub fn has_ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed")) || terminated(pod).is_some()
}

/// How our container ended: exit code, reason and termination message.
pub fn terminated(pod: &Pod) -> Option<(i32, String, String)> {
    let ended = statuses(pod).find_map(|s| s.state.as_ref()?.terminated.clone())?;
    Some((ended.exit_code, ended.reason.unwrap_or_default(), ended.message.unwrap_or_default()))
}

/// When our container began, milliseconds since the epoch.
pub fn started_at(pod: &Pod) -> Option<Millis> {
    let state = statuses(pod).find_map(|status| status.state.as_ref())?;
    let ended = state.terminated.as_ref().and_then(|ended| ended.started_at.clone());
    let began = ended.or_else(|| state.running.as_ref()?.started_at.clone());
    began.map(|at| at.0.as_millisecond())
}

/// Name of our container: others may have put theirs beside it, or before it.
pub fn own_container(pod: &Pod) -> Option<String> {
    let containers = &pod.spec.as_ref()?.containers;
    let ours = containers.iter().find(|container| [GENERATE, OBSERVE, ACT].contains(&container.name.as_str()));
    ours.or(containers.first()).map(|container| container.name.clone())
}

/// Status of our container.
fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let ours = own_container(pod);
    let all = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    all.filter(move |status| ours.as_ref().is_none_or(|name| *name == status.name))
}

/// Why agents' pods won't work out, with a sentence.
pub fn trouble(pods: &[Pod], now: Millis) -> Option<(Reason, String)> {
    let images: std::collections::BTreeSet<&str> =
        pods.iter().filter(|pod| is_armed(pod)).flat_map(statuses).map(|s| s.image_id.as_str()).collect();
    if images.len() > 1 {
        let images = images.into_iter().collect::<Vec<_>>().join(" and ");
        return Some((Reason::GeneratorImage, format!("the pods run different images: {images}")));
    }
    pods.iter()
        .find_map(|pod| pod_trouble(pod, now).map(|(reason, why)| (reason, format!("{}: {why}", pod.name_any()))))
}

fn pod_trouble(pod: &Pod, now: Millis) -> Option<(Reason, String)> {
    if let Some((code, reason, message)) = terminated(pod) {
        return Some(ended_early(code, &reason, &message));
    }
    for status in statuses(pod) {
        let Some(waiting) = status.state.as_ref().and_then(|s| s.waiting.as_ref()) else { continue };
        let message = waiting.message.clone().unwrap_or_default();
        match waiting.reason.as_deref().unwrap_or_default() {
            "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull" => {
                return Some((Reason::GeneratorImage, message));
            }
            "CreateContainerConfigError" => {
                let reason =
                    if message.contains("configmap") { Reason::ConfigMapMissing } else { Reason::SecretMissing };
                return Some((reason, message));
            }
            _ => {}
        }
    }
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let unscheduled = conditions.iter().find(|c| c.type_ == "PodScheduled" && c.status == "False")?;
    let age = now / 1000 - pod.creation_timestamp()?.0.as_second();
    let why = unscheduled.message.as_deref().unwrap_or("no node has room").trim_end_matches('.');
    let hint = "spec.pods says what each generator asks for";
    (age > PATIENCE).then(|| (Reason::GeneratorUnschedulable, format!("{why}; {hint}")))
}

/// Why a pod that ended before it was granted anything did so.
pub fn ended_early(code: i32, reason: &str, message: &str) -> (Reason, String) {
    if reason == "OOMKilled" {
        return (Reason::GeneratorOutOfMemory, "it was killed for using more memory than it may".into());
    }
    let said: Option<Termination> = line(message);
    let word = said.as_ref().and_then(|said| Reason::parse(said.reason.as_deref()?));
    match (word, said.and_then(|said| said.message)) {
        (Some(word), sentence) => (word, sentence.unwrap_or_default()),
        (None, Some(sentence)) => (Reason::GeneratorLost, sentence),
        (None, None) => (Reason::GeneratorLost, format!("it ended with exit code {code} ({reason})")),
    }
}

/// What the Job controller says when it can't create pods; its status shows nothing (measured on Kubernetes 1.37).
async fn not_created(session: &Session<'_>) -> Option<String> {
    let name = session.run().row(session.state.row.into());
    let params = ListParams::default().fields(&format!("reason=FailedCreate,involvedObject.name={name}"));
    let events = call(session.api::<Event>().list(&params)).await.ok()?;
    let newest = events.items.into_iter().max_by_key(|event| event.creation_timestamp())?;
    let age = session.now() / 1000 - newest.creation_timestamp()?.0.as_second();
    (age > PATIENCE).then(|| newest.message.unwrap_or_else(|| "its pods can't be created".into()))
}
