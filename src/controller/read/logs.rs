//! Log measurements: counts matching lines in the logs of a target's pods, as they stream, capped.

use std::time::Duration;

use futures::AsyncReadExt;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::LogParams;
use regex::Regex;

use super::targets::pods_of;
use crate::api::LogMeasurement;
use crate::controller::session::Session;
use crate::evidence::cluster::logs::LineCounter;
use crate::results::measurements::LogCount;

/// Most bytes of one container's log.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// Longest that one container's log is read.
const LONGEST: Duration = Duration::from_secs(60);

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

/// Matching lines over all pods of the target; a log that can't be read in full is no count.
async fn of_target(session: &Session<'_>, log: &LogMeasurement, window: (i64, i64)) -> Result<u64, String> {
    let regex = Regex::new(&log.regex).map_err(|e| e.to_string())?;
    let target = session.test.spec.targets.iter().find(|target| target.name.0 == log.target.0);
    let target = target.ok_or_else(|| format!("there is no target {}", log.target.0))?;
    let (_, facts, pods) = pods_of(session, target).await.map_err(|e| e.message())?;
    let mut count = 0;
    for pod in &pods {
        let Some(fact) = facts.iter().find(|fact| fact.name == pod.name_any()) else { continue };
        let only = target.container.as_deref();
        for container in fact.containers.iter().filter(|c| only.is_none_or(|name| name == c.name)) {
            // A restarted container's lines from before are in its previous log; only the last one is kept.
            for previous in [true, false].into_iter().filter(|previous| !previous || container.restarts > 0) {
                count += stream(session, pod, &container.name, previous, &regex, window).await?;
            }
        }
    }
    Ok(count)
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
