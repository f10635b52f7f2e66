//! Log measurements: counts matching lines in the logs of a target's pods, as they stream, capped.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::AsyncReadExt;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::ResourceExt;
use kube::api::LogParams;
use regex::Regex;

use super::targets::pods_of;
use crate::api::{LogMeasurement, Target};
use crate::controller::io::call;
use crate::controller::session::Session;
use crate::evidence::cluster::log_reach::{Reach, reach, rotated};
use crate::evidence::cluster::logs::LineCounter;
use crate::results::figures::measurements::LogCount;

/// Most bytes of one container's log.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// Longest that one container's log is read.
const LONGEST: Duration = Duration::from_secs(60);
/// So much of a log's beginning holds the instant of its first line.
const BEGINNING: i64 = 64;

/// Counts all log measurements in a window, milliseconds since the epoch.
pub async fn count(session: &Session<'_>, window: (i64, i64)) -> Vec<LogCount> {
    let mut counts = Vec::new();
    for measurement in &session.test.spec.measurements {
        let Some(log) = &measurement.log else { continue };
        let name = measurement.name.0.clone();
        counts.push(match of_target(session, log, window).await {
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
                if beginning(session, pod, &container.name).await.is_ok_and(|text| text.is_empty()) {
                    silent.insert(format!("{}/{}", pod.name_any(), container.name));
                }
            }
        }
    }
    silent
}

fn target<'a>(session: &'a Session<'_>, log: &LogMeasurement) -> Option<&'a Target> {
    session.test.spec.targets.iter().find(|target| target.name.0 == log.target.0)
}

/// The containers whose logs count: the target's, or all.
fn containers<'a>(pod: &'a Pod, target: &Target) -> impl Iterator<Item = &'a ContainerStatus> {
    let only = target.container.clone();
    let all = pod.status.iter().flat_map(|s| s.init_container_statuses.iter().chain(&s.container_statuses).flatten());
    all.filter(move |container| only.as_ref().is_none_or(|name| *name == container.name))
}

/// Matching lines over all pods of the target; a log that can't be read in full is no count.
async fn of_target(session: &Session<'_>, log: &LogMeasurement, window: (i64, i64)) -> Result<u64, String> {
    let regex = Regex::new(&log.regex).map_err(|e| e.to_string())?;
    let target = target(session, log).ok_or_else(|| format!("there is no target {}", log.target.0))?;
    let (_, facts, pods) = pods_of(session, target).await.map_err(|e| e.message())?;
    let before = session.memory.pods.get(&target.name.0).map(Vec::as_slice).unwrap_or_default();
    if let Some(gone) = before.iter().find(|pod| !facts.iter().any(|now| now.uid == pod.uid)) {
        return Err(format!("pod {} is gone, and its log with it", gone.name));
    }
    let mut count = 0;
    for pod in pods.iter().filter(|pod| facts.iter().any(|fact| fact.name == pod.name_any())) {
        for container in containers(pod, target) {
            count += of_container(session, pod, container, &regex, window).await?;
        }
    }
    Ok(count)
}

async fn of_container(
    session: &Session<'_>,
    pod: &Pod,
    container: &ContainerStatus,
    regex: &Regex,
    window: (i64, i64),
) -> Result<u64, String> {
    let (name, of) = (&container.name, pod.name_any());
    let mut count = 0;
    match reach(container, window.0) {
        Reach::Lost(why) => return Err(format!("{of}: {why}")),
        Reach::Previous => count += stream(session, pod, name, true, regex, window).await?,
        Reach::Current => {
            let silent = session.memory.silent.contains(&format!("{of}/{name}"));
            let first = beginning(session, pod, name).await?;
            if let Some(why) = rotated(first.lines().next().unwrap_or_default(), window.0, silent) {
                return Err(format!("the log of {of}: {why}"));
            }
        }
    }
    Ok(count + stream(session, pod, name, false, regex, window).await?)
}

/// The first bytes of a container's current log; empty: it said nothing.
async fn beginning(session: &Session<'_>, pod: &Pod, container: &str) -> Result<String, String> {
    let params = LogParams {
        container: Some(container.into()),
        timestamps: true,
        limit_bytes: Some(BEGINNING),
        ..LogParams::default()
    };
    call(session.api::<Pod>().logs(&pod.name_any(), &params)).await.map_err(|e| e.message())
}

async fn stream(
    session: &Session<'_>,
    pod: &Pod,
    container: &str,
    previous: bool,
    regex: &Regex,
    window: (i64, i64),
) -> Result<u64, String> {
    let name = pod.name_any();
    let params = LogParams {
        container: Some(container.into()),
        previous,
        timestamps: true,
        since_time: jiff::Timestamp::from_millisecond(window.0).ok().filter(|_| !previous),
        ..LogParams::default()
    };
    let read = async {
        let mut stream = session.api::<Pod>().log_stream(&name, &params).await.map_err(|e| e.to_string())?;
        let mut counter = LineCounter::new(regex, Some(window), MOST_BYTES);
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = stream.read(&mut buffer).await.map_err(|e| e.to_string())?;
            if read == 0 || !counter.push(&buffer[..read]) {
                break;
            }
        }
        let counted = counter.finish();
        if counted.truncated {
            return Err(format!("the log of {name} is longer than {} MiB", MOST_BYTES / 1024 / 1024));
        }
        Ok(counted.matches)
    };
    match tokio::time::timeout(LONGEST, read).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("reading the log of {name} took longer than {} s", LONGEST.as_secs())),
    }
}
