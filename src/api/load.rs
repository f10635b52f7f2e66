//! What is sent.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules;
use super::shared::*;
use super::step::Step;

/// One stream of requests.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::LOAD_URL,
    validation = ("!(has(self.rate) && has(self.clients))", "set at most one of clients, rate"),
    validation = ("!(has(self.iterations) && has(self.durationSeconds))", "set at most one of iterations, durationSeconds"),
    validation = ("!has(self.rate) || has(self.durationSeconds)", "rate needs durationSeconds"),
    validation = ("has(self.rate) || !(has(self.perSeconds) || has(self.maxInFlight))", "perSeconds and maxInFlight need rate"),
    validation = ("!has(self.warmupSeconds) || has(self.durationSeconds)", "warmupSeconds needs durationSeconds")
)]
pub struct Load {
    /// Name, used in thresholds, sweep and results.
    pub name: Name,
    /// Scheme, host and port, perhaps the beginning of the path. No variables and no credentials in the
    /// host.
    #[schemars(length(min = 1, max = 512))]
    pub url: String,
    /// So many clients, each sends its next request when the last is answered. In all, over all
    /// generators. Default 1 when rate is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub clients: Option<i32>,
    /// Each client goes through the steps so many times. Default 1 when durationSeconds is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub iterations: Option<i32>,
    /// Or: start the steps so many times per perSeconds, whether answers come or not. In all, over all
    /// generators.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub rate: Option<i32>,
    /// Unit of rate. Default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3600))]
    pub per_seconds: Option<i32>,
    /// How long to send. Needed with rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400))]
    pub duration_seconds: Option<i32>,
    /// Send so long before that, without counting it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 3600))]
    pub warmup_seconds: Option<i32>,
    /// With rate: never more open requests than this; what was due and could not be sent counts as
    /// capped, and makes the row Failed with a rate of "at least". Default 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub max_in_flight: Option<i32>,
    /// Pods to send from. Clients or rate are shared out among them.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 32))]
    pub generators: i32,
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
    /// Start so long after the row began (several loads side by side).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 86_400))]
    pub start_after_seconds: Option<i32>,
    /// Keep connections open (the default), or open a new one for each iteration or request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionUse>,
    /// The requests of one iteration, in this order. Without steps: one GET of url.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), transform = list::by_name)]
    pub steps: Vec<Step>,
}

/// How long a connection is used.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConnectionUse {
    #[default]
    KeepAlive,
    PerIteration,
    PerRequest,
}

/// One request header.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Header name.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"))]
    pub name: String,
    /// Value; variables allowed.
    #[schemars(length(max = 1024))]
    pub value: String,
}

/// HTTP Basic.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BasicAuth {
    /// User name.
    #[schemars(length(max = 256))]
    pub username: String,
    /// Password: write a variable, not the password.
    #[schemars(length(max = 256))]
    pub password: String,
}

/// How an https server is checked.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Tls {
    /// Accept any certificate. For test clusters.
    pub insecure_skip_verify: bool,
    /// CA certificate (PEM) to trust.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_from: Option<CaSource>,
    /// Client certificate for mutual TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate_from: Option<CertificateSource>,
}

/// Where a client certificate is.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateSource {
    /// Secret of type kubernetes.io/tls. Mounted into the pods, never read by the operator.
    pub secret_ref: SecretRef,
}

/// A Secret.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SecretRef {
    /// Its name.
    pub name: ObjectName,
}

/// Where a CA certificate is.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CaSource {
    /// ConfigMap holding it.
    pub config_map_key_ref: ConfigMapKeyRef,
}

fn one() -> i32 {
    1
}
