//! One container's log, as the API server hands it out.

use std::time::Duration;

use futures::AsyncReadExt;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::api::LogParams;
use kube::{Api, ResourceExt};
use regex::Regex;

use super::matching::Matching;
use crate::controller::io::call;
use crate::controller::session::Session;
use crate::evidence::cluster::log_reach::rotated;
use crate::evidence::cluster::logs::Counted;

/// Most bytes of one container's log.
pub const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// Longest that one container's log is read.
const LONGEST: Duration = Duration::from_secs(60);
/// So much of a log's beginning holds the instant of its first line.
const BEGINNING: i64 = 64;

/// The log of one container.
pub struct Log {
    pub api: Api<Pod>,
    pub pod: String,
    container: String,
}

impl Log {
    /// Of a pod's container.
    pub fn of(session: &Session<'_>, pod: &Pod, container: &ContainerStatus) -> Self {
        Self { api: session.api(), pod: pod.name_any(), container: container.name.clone() }
    }

    /// Asks for the lines since an instant, each with its own, and some from before: on the way the instant is rounded to a second.
    pub fn params(&self, from: Timestamp) -> LogParams {
        LogParams {
            container: Some(self.container.clone()),
            timestamps: true,
            since_time: from.checked_sub(jiff::SignedDuration::from_secs(1)).ok(),
            ..LogParams::default()
        }
    }

    /// Why the log, or with `previous` that of the container before its last restart, may lack lines since an instant, as a sentence;
    /// `None`: it reaches back so far. `silent`: it was empty then.
    ///
    /// # Errors
    /// A sentence: it can't be read.
    pub async fn gap(&self, previous: bool, from: Timestamp, silent: bool) -> Result<Option<String>, String> {
        let beginning = self.beginning(previous).await?;
        let gap = rotated(beginning.lines().next().unwrap_or_default(), from.as_millisecond(), silent);
        Ok(gap.map(|why| format!("the log of {}: {why}", self.pod)))
    }

    /// Its first bytes; empty: it says nothing.
    ///
    /// # Errors
    /// A sentence: it can't be read.
    pub async fn beginning(&self, previous: bool) -> Result<String, String> {
        let params = LogParams {
            container: Some(self.container.clone()),
            timestamps: true,
            previous,
            limit_bytes: Some(BEGINNING),
            ..LogParams::default()
        };
        call(self.api.logs(&self.pod, &params)).await.map_err(|e| e.message())
    }

    /// Counts the lines in a window, of the current log or of that of the container before its last restart.
    ///
    /// # Errors
    /// A sentence: it can't be read, or not in full.
    pub async fn count(
        &self,
        previous: bool,
        regex: &Regex,
        window: (Timestamp, Timestamp),
    ) -> Result<Counted, String> {
        let mut params = LogParams { previous, ..self.params(window.0) };
        params.since_time = params.since_time.filter(|_| !previous);
        let read = async {
            let mut stream = self.api.log_stream(&self.pod, &params).await.map_err(|e| e.to_string())?;
            let mut matching = Matching::new(&self.pod, regex, window);
            let mut buffer = vec![0; 64 * 1024];
            loop {
                let read = stream.read(&mut buffer).await.map_err(|e| e.to_string())?;
                if read == 0 {
                    break;
                }
                let (next, more) = matching.push(&buffer[..read]).await?;
                matching = next;
                if !more {
                    break;
                }
            }
            let counted = matching.finish();
            if counted.truncated { Err(too_long(&self.pod)) } else { Ok(counted) }
        };
        match tokio::time::timeout(LONGEST, read).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("reading the log of {} took longer than {} s", self.pod, LONGEST.as_secs())),
        }
    }
}

/// Why a log gives no count.
pub fn too_long(pod: &str) -> String {
    format!("the log of {pod} is longer than {} MiB", MOST_BYTES / 1024 / 1024)
}
