//! Other numbers to watch.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::load::{BasicAuth, Header, Tls};
use super::rules::exactly_one;
use super::shared::*;

/// A number to watch.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = exactly_one(&["http", "sql", "log"]))]
pub struct Measurement {
    /// Name, used in thresholds, sweep and results.
    pub name: Name,
    /// Ask this URL and take a number out of the JSON answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpMeasurement>,
    /// Ask database.postgres, in a read-only transaction; the statement answers one row with one number.
    /// $(row.start) and $(run.start) are bound, not pasted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub sql: Option<String>,
    /// Count the log lines of a target's pods that match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<LogMeasurement>,
    /// Ask so often (http, sql), from the start of the row to the end of its settle time.
    #[serde(default = "five")]
    #[schemars(range(min = 1, max = 300))]
    pub interval_seconds: i32,
}

impl Measurement {
    /// Where the instants are, of one that measures durations.
    pub fn durations(&self) -> Option<&Durations> {
        self.http.as_ref()?.durations.as_ref()
    }
}

fn five() -> i32 {
    5
}

/// A number out of a JSON answer.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpMeasurement {
    /// Full URL. Variables after the host.
    #[schemars(length(max = 1024), regex(pattern = r"^https?://[A-Za-z0-9.\[\]:-]+(/[^\s#]*)?$"))]
    pub url: String,
    /// The number (RFC 6901); when an array stands there, its length. Empty with durations.
    #[schemars(length(max = 256), regex(pattern = r"^(/.*)?$"))]
    pub json_pointer: String,
    /// Headers to send. A secret belongs into vars, written here as $(vars.NAME).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), transform = list::by_name)]
    pub headers: Vec<Header>,
    /// HTTP Basic user and password (usually $(vars.NAME)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// How an https server is checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// Instead of one number: follow the pages and measure the time between two instants of every item, once
    /// the load has ended and settle.until holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub durations: Option<Durations>,
}

/// Times between two instants (RFC 3339) of each item, in seconds. An item that has not both of them is missing.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Durations {
    /// Array of items (RFC 6901).
    #[schemars(length(max = 256), regex(pattern = r"^(/.*)?$"))]
    pub items: String,
    /// URL of the next page, asked of the same host; absent, null or empty on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256), regex(pattern = r"^/.*$"))]
    pub next: Option<String>,
    /// Instant in the item.
    #[schemars(length(max = 256), regex(pattern = r"^/.*$"))]
    pub from: String,
    /// Instant in the item; not there yet, or null: the item is missing.
    #[schemars(length(max = 256), regex(pattern = r"^/.*$"))]
    pub to: String,
}

/// A count of log lines.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogMeasurement {
    /// Name of an entry of targets.
    pub target: NameRef,
    /// Regular expression (Rust regex crate).
    #[schemars(length(min = 1, max = 256))]
    pub regex: String,
}
