//! Log measurements: counts matching lines in the logs of a target's pods, capped: what was followed while it was written, and the rest.

use std::collections::BTreeSet;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::ResourceExt;
use regex::Regex;

use super::follow;
use super::log::Log;
use super::targets::pods_of;
use crate::api::{LogMeasurement, Target};
use crate::controller::session::Session;
use crate::evidence::cluster::log_reach::{Reach, reach};
use crate::evidence::cluster::log_tally::Mark;
use crate::plan::pattern;
use crate::results::figures::measurements::LogCount;

/// Counts all log measurements in a window, milliseconds since the epoch, the end exclusive.
pub async fn count(session: &Session<'_>, (start, end): (i64, i64)) -> Vec<LogCount> {
    let mut counts = Vec::new();
    let instant = |ms| Timestamp::from_millisecond(ms).unwrap_or_default();
    let window = (instant(start), instant(end));
    for measurement in &session.test.spec.measurements {
        let Some(log) = &measurement.log else { continue };
        let name = measurement.name.0.clone();
        counts.push(match of_target(session, &name, log, window).await {
            Ok(count) => LogCount { name, count: Some(count), problem: None },
            Err(problem) => LogCount { name, count: None, problem: Some(problem) },
        });
    }
    counts
}

/// Containers (`pod/container`) of the targets whose logs are counted, and that have said nothing so far.
pub async fn silent(session: &Session<'_>) -> BTreeSet<String> {
    let mut silent = BTreeSet::new();
    for measurement in &session.test.spec.measurements {
        let Some(target) = measurement.log.as_ref().and_then(|log| target(session, log)) else { continue };
        let Ok((_, _, pods)) = pods_of(session, target).await else { continue };
        for pod in &pods {
            for container in containers(pod, target) {
                if Log::of(session, pod, container).beginning(false).await.is_ok_and(|text| text.is_empty()) {
                    silent.insert(format!("{}/{}", pod.name_any(), container.name));
                }
            }
        }
    }
    silent
}

/// The target whose log it is.
pub fn target<'a>(session: &'a Session<'_>, log: &LogMeasurement) -> Option<&'a Target> {
    session.test.spec.targets.iter().find(|target| target.name.0 == log.target.0)
}

/// The containers whose logs count: the target's, or all.
pub fn containers<'a>(pod: &'a Pod, target: &Target) -> impl Iterator<Item = &'a ContainerStatus> {
    let only = target.container.clone();
    let all = pod.status.iter().flat_map(|s| s.init_container_statuses.iter().chain(&s.container_statuses).flatten());
    all.filter(move |container| only.as_ref().is_none_or(|name| *name == container.name))
}

/// Matching lines over all pods of the target; a log that can't be read in full is no count.
async fn of_target(
    session: &Session<'_>,
    name: &str,
    log: &LogMeasurement,
    (start, end): (Timestamp, Timestamp),
) -> Result<u64, String> {
    let regex = pattern(&log.regex)?;
    let target = target(session, log).ok_or_else(|| format!("there is no target {}", log.target.0))?;
    let (_, facts, pods) = pods_of(session, target).await.map_err(|e| e.message())?;
    let before = session.memory.pods.get(&target.name.0).map(Vec::as_slice).unwrap_or_default();
    if let Some(gone) = before.iter().find(|pod| !facts.iter().any(|now| now.uid == pod.uid)) {
        return Err(format!("pod {} is gone, and its log with it", gone.name));
    }
    let mut count = 0;
    for pod in pods.iter().filter(|pod| facts.iter().any(|fact| fact.name == pod.name_any())) {
        for container in containers(pod, target) {
            let followed = session.memory.followed.get(&follow::key(name, pod, container));
            let done = followed.map_or(Ok(Mark { next: start, matches: 0 }), |follower| follower.until(end))?;
            count += done.matches + of_container(session, pod, container, &regex, (done.next, end)).await?;
        }
    }
    Ok(count)
}

async fn of_container(
    session: &Session<'_>,
    pod: &Pod,
    container: &ContainerStatus,
    regex: &Regex,
    (start, end): (Timestamp, Timestamp),
) -> Result<u64, String> {
    let log = Log::of(session, pod, container);
    let previous = match reach(container, start.as_millisecond()) {
        Reach::Lost(why) => return Err(format!("{}: {why}", log.pod)),
        Reach::Previous => true,
        Reach::Current => false,
    };
    if let Some(why) = log.gap(previous, start, was_silent(session, pod, container)).await? {
        return Err(why);
    }
    let before = if previous { log.count(true, regex, (start, end)).await?.matches } else { 0 };
    Ok(before + log.count(false, regex, (start, end)).await?.matches)
}

/// Had the container said nothing before the load?
pub fn was_silent(session: &Session<'_>, pod: &Pod, container: &ContainerStatus) -> bool {
    session.memory.silent.contains(&format!("{}/{}", pod.name_any(), container.name))
}
