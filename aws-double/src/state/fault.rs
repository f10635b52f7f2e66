//! What can go wrong with a call.

use serde::{Deserialize, Serialize};

use super::Service;

/// What happens instead of (or to) the true answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum FaultKind {
    /// An error of the service, in its protocol.
    #[serde(rename_all = "camelCase")]
    Error {
        /// The code, for example `Throttling`.
        code: String,
        /// The HTTP status.
        status: u16,
        /// The message.
        message: String,
        /// Value of `x-amz-retry-after`, in milliseconds.
        #[serde(default)]
        retry_after_ms: Option<u64>,
    },
    /// The true answer, so many milliseconds late.
    Delay(u64),
    /// The connection is reset before the answer.
    Reset,
    /// The true answer, cut after so many bytes (with a matching content-length).
    Truncate(usize),
    /// An HTML page with this status, as a proxy sends it.
    Html(u16),
}

impl FaultKind {
    /// An error of the service.
    pub fn error(code: &str, status: u16, message: &str) -> Self {
        Self::Error { code: code.to_owned(), status, message: message.to_owned(), retry_after_ms: None }
    }
}

/// A fault and the calls it acts on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// Only on this service.
    #[serde(default)]
    pub service: Option<Service>,
    /// Only on this operation.
    #[serde(default)]
    pub operation: Option<String>,
    /// Let so many fitting calls through first.
    #[serde(default)]
    pub after: u32,
    /// Then act on so many; for ever when not set.
    #[serde(default)]
    pub times: Option<u32>,
}

impl Fault {
    /// A fault on every call, for ever.
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, service: None, operation: None, after: 0, times: None }
    }

    /// Only on this service.
    pub fn on(mut self, service: Service) -> Self {
        self.service = Some(service);
        self
    }

    /// Only on this operation.
    pub fn operation(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }

    /// Only so many times.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Only after so many fitting calls.
    pub fn after(mut self, calls: u32) -> Self {
        self.after = calls;
        self
    }

    /// Counts a call; its kind when it acts on it.
    pub(crate) fn act(&mut self, service: Service, operation: &str) -> Option<FaultKind> {
        let fits = self.service.is_none_or(|wanted| wanted == service)
            && self.operation.as_deref().is_none_or(|wanted| wanted == operation);
        if !fits || self.times == Some(0) {
            return None;
        }
        if self.after > 0 {
            self.after -= 1;
            return None;
        }
        self.times = self.times.map(|left| left - 1);
        Some(self.kind.clone())
    }
}
