//! Follows the logs that a test counts while a row loads, drains and settles: `pods/log` shows a container's newest file only, and
//! the kubelet rotates files away without a word.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::AsyncReadExt;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::ResourceExt;
use kube::api::LogParams;
use regex::Regex;
use tokio::task::JoinHandle;

use super::log::{Log, too_long};
use super::logs;
use super::matching::Matching;
use super::targets::pods_of;
use crate::api::{Measurement, Phase, Target};
use crate::controller::session::Session;
use crate::evidence::cluster::log_reach::{Reach, reach};
use crate::evidence::cluster::log_tally::{Mark, Tally};
use crate::evidence::cluster::logs::Counted;
use crate::plan::pattern;

/// How often containers that are no longer followed are looked for, milliseconds.
const EVERY: i64 = 3_000;
/// Longest that a log is opened.
const OPENING: Duration = Duration::from_secs(10);

/// One container's log, followed for one measurement. Ends with its last owner.
#[derive(Debug)]
pub struct Follower {
    tally: Arc<Mutex<Tally>>,
    task: JoinHandle<()>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Follower {
    fn new(log: Log, regex: Regex, tally: Tally) -> Self {
        let tally = Arc::new(Mutex::new(tally));
        let task = tokio::spawn(follow(log, regex, Arc::clone(&tally)));
        Self { tally, task }
    }

    /// What was counted so far.
    fn tally(&self) -> Tally {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was counted before `end`.
    ///
    /// # Errors
    /// A sentence: lines may be missing.
    pub fn until(&self, end: Timestamp) -> Result<Mark, String> {
        self.tally().until(end)
    }
}

/// Counts what is written until the container ends, or the connection.
async fn follow(log: Log, regex: Regex, tally: Arc<Mutex<Tally>>) {
    let locked = || tally.lock().unwrap_or_else(PoisonError::into_inner);
    let before = locked().last;
    let params = LogParams { follow: true, ..log.params(before.next) };
    let opened = tokio::time::timeout(OPENING, log.api.log_stream(&log.pod, &params)).await;
    let Ok(Ok(mut stream)) = opened else { return };
    let mut matching = Matching::new(&log.pod, &regex, (before.next, Timestamp::MAX));
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read) = stream.read(&mut buffer).await
        && read > 0
    {
        let more = match matching.push(&buffer[..read]).await {
            Ok((next, more)) => {
                matching = next;
                more
            }
            Err(why) => {
                locked().lost = Some(why);
                return;
            }
        };
        if !more {
            locked().lost = Some(too_long(&log.pod));
            return;
        }
        let seen = matching.so_far();
        if let Some(last) = seen.last {
            locked().advance(last, before.matches + seen.matches);
        }
    }
}

/// Begins to follow what is not followed yet, as soon as the row's start is set and so before it, and goes on where a log broke off;
/// looks every few seconds.
pub async fn keep_up(session: &mut Session<'_>) {
    if session.state.phase != Phase::Running {
        session.memory.followed.clear();
        return;
    }
    let start = session.state.fire.map(|fire| fire.start_at);
    let now = session.now();
    if (start.is_none() && session.memory.followed.is_empty()) || now - session.memory.followed_at < EVERY {
        return;
    }
    session.memory.followed_at = now;
    let spec = session.test.spec.clone();
    for target in &spec.targets {
        let of_target =
            |measurement: &&Measurement| measurement.log.as_ref().is_some_and(|log| log.target.0 == target.name.0);
        let measurements: Vec<&Measurement> = spec.measurements.iter().filter(of_target).collect();
        if measurements.is_empty() {
            continue;
        }
        let Ok((_, _, pods)) = pods_of(session, target).await else { continue };
        for measurement in measurements {
            of_measurement(session, measurement, (target, &pods), start).await;
        }
    }
    session.remember();
}

async fn of_measurement(
    session: &mut Session<'_>,
    measurement: &Measurement,
    (target, pods): (&Target, &[Pod]),
    start: Option<i64>,
) {
    let Some(Ok(regex)) = measurement.log.as_ref().map(|log| pattern(&log.regex)) else { return };
    let name = measurement.name.0.as_str();
    for pod in pods {
        for container in logs::containers(pod, target) {
            let key = key(name, pod, container);
            let before = session.memory.followed.get(&key);
            if before.is_some_and(|follower| !follower.task.is_finished()) {
                continue;
            }
            let tally = match (before, start.and_then(|start| Timestamp::from_millisecond(start).ok())) {
                (Some(follower), _) => resumed(session, follower.tally(), pod, container, &regex).await,
                (None, Some(start)) => begun(session, start, pod, container).await,
                (None, None) => None,
            };
            if let Some(tally) = tally {
                let log = Log::of(session, pod, container);
                let follower = Follower::new(log, regex.clone(), tally);
                session.memory.followed.insert(key, Arc::new(follower));
            }
        }
    }
}

/// Of which measurement, pod and container.
pub fn key(measurement: &str, pod: &Pod, container: &ContainerStatus) -> String {
    format!("{measurement}/{}/{}", pod.name_any(), container.name)
}

/// A tally from the row's start; none when the current log does not reach back so far: the count at the end says so.
async fn begun(session: &Session<'_>, start: Timestamp, pod: &Pod, container: &ContainerStatus) -> Option<Tally> {
    let log = Log::of(session, pod, container);
    let silent = logs::was_silent(session, pod, container);
    let whole = reach(container, start.as_millisecond()) == Reach::Current
        && log.gap(false, start, silent).await.is_ok_and(|gap| gap.is_none());
    whole.then(|| Tally::new(start, container.restart_count))
}

/// A tally that broke off, brought up to the log that is open now; none when that can't be read yet.
async fn resumed(
    session: &Session<'_>,
    mut tally: Tally,
    pod: &Pod,
    container: &ContainerStatus,
    regex: &Regex,
) -> Option<Tally> {
    let log = Log::of(session, pod, container);
    let from = tally.last.next;
    let restarts = container.restart_count - tally.restarts;
    if restarts <= 1 {
        let silent = !tally.has_lines() && logs::was_silent(session, pod, container);
        tally.lost = tally.lost.or(log.gap(restarts == 1, from, silent).await.ok()?);
    }
    match restarts {
        0 => {}
        1 => match log.count(true, regex, (from, Timestamp::MAX)).await {
            Ok(Counted { last: Some(last), matches, .. }) => tally.advance(last, tally.last.matches + matches),
            Ok(_) => {}
            Err(why) => tally.lost = tally.lost.or(Some(why)),
        },
        _ => tally.lost = Some(format!("container {} restarted more than once while nobody read it", container.name)),
    }
    tally.restarts = container.restart_count;
    Some(tally)
}
