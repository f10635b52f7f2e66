//! Calls to the API server, each with a timeout, as answers that decisions understand.

use std::future::Future;
use std::time::Duration;

use kube::{Client, Config, Error};
use thiserror::Error;

use super::counted::counted;
use super::metrics::Metrics;
use crate::lifecycle::Live;

/// kube retries some answers for minutes by itself; nothing here waits that long.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection on which a request has brought nothing for so long is given up: a list that is never answered would keep the
/// watch from ever going on. Longer than the minute between two bookmarks of an idle watch.
pub const READ_TIMEOUT: Duration = Duration::from_secs(90);

/// The two ways to call the API server.
#[derive(Clone)]
pub struct Clients {
    /// With kube's retries of 429, 503 and 504.
    pub patient: Client,
    /// Without: what fails is decided anew.
    pub once: Client,
}

impl Clients {
    /// Of the cluster that this process is in, or that its kubeconfig names; asks nobody.
    ///
    /// # Errors
    /// A sentence: there is no cluster.
    pub async fn infer(metrics: &Metrics) -> Result<Self, String> {
        let no_cluster = |error: &dyn std::fmt::Display| format!("no Kubernetes cluster: {error}");
        let mut config = Config::infer().await.map_err(|error| no_cluster(&error))?;
        config.connect_timeout = Some(CALL_TIMEOUT);
        config.read_timeout = Some(READ_TIMEOUT);
        // Counted from the request: a connection may have been idle before it.
        config.reset_reader_on_write = true;
        let mut once = config.clone();
        once.default_retry = false;
        let client = |config| counted(config, metrics).map_err(|error| no_cluster(&error));
        Ok(Self { patient: client(config)?, once: client(once)? })
    }
}

/// Why a call brought nothing.
#[derive(Debug, Error)]
pub enum CallError {
    #[error("the Kubernetes API did not answer in {} s", CALL_TIMEOUT.as_secs())]
    Timeout,
    /// Boxed: kube's error is large. Of an answer only what it says to people is shown.
    #[error("{}", shown(.0))]
    Kube(Box<Error>),
}

fn shown(error: &Error) -> String {
    match error {
        Error::Api(status) => format!("{} ({})", status.message, status.code),
        other => other.to_string(),
    }
}

impl CallError {
    /// The HTTP status, when the API server answered.
    pub fn code(&self) -> Option<u16> {
        match self {
            CallError::Kube(error) => match error.as_ref() {
                Error::Api(status) => Some(status.code),
                _ => None,
            },
            CallError::Timeout => None,
        }
    }

    /// The name is taken. Not every 409 says that: a quota that was written meanwhile answers a create with 409 too.
    pub fn already_exists(&self) -> bool {
        match self {
            CallError::Kube(error) => matches!(error.as_ref(), Error::Api(status) if status.is_already_exists()),
            CallError::Timeout => false,
        }
    }

    /// A right is missing. For half a minute after a resource definition was made, an API server that checks owners
    /// (OwnerReferencesPermissionEnforcement, as OpenShift has it) does not know the kind yet and answers 403 too: that passes.
    pub fn forbidden(&self) -> bool {
        self.code() == Some(403) && !self.message().contains("cannot find RESTMapping")
    }

    /// What a person has to do, where a list of a kind is refused for good; `None`: it may pass by itself.
    pub fn remedy(&self) -> Option<String> {
        match self.code() {
            Some(404) => Some(
                "the resource definition loadtests.loadtest.dev is not there: install the chart with crds.enabled=true, \
                or apply crds/loadtests.yaml"
                    .into(),
            ),
            _ if self.forbidden() => {
                Some(format!("a right is missing, which the chart gives (helm upgrade puts it back): {}", self.message()))
            }
            _ => None,
        }
    }

    /// What the API server said, for people.
    pub fn message(&self) -> String {
        match self {
            CallError::Kube(error) => match error.as_ref() {
                Error::Api(status) => status.message.clone(),
                other => other.to_string(),
            },
            CallError::Timeout => self.to_string(),
        }
    }
}

/// Waits for a call at most [`CALL_TIMEOUT`].
///
/// # Errors
/// The API server refused, or did not answer in time.
pub async fn call<T>(future: impl Future<Output = kube::Result<T>>) -> Result<T, CallError> {
    match tokio::time::timeout(CALL_TIMEOUT, future).await {
        Ok(answer) => answer.map_err(|error| CallError::Kube(Box::new(error))),
        Err(_) => Err(CallError::Timeout),
    }
}

/// What a read found.
pub fn live<T>(answer: Result<T, CallError>) -> Live<T> {
    match answer {
        Ok(value) => Live::Fresh(value),
        Err(error) => match error.code() {
            Some(404) => Live::Missing,
            Some(403) => Live::Denied,
            _ => Live::Unreachable,
        },
    }
}
