//! What else is done, and when: to the targets, to the database, to anything else.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::load::Header;
use super::rules::{self, exactly_one};
use super::shared::*;
use super::step::Method;

/// Something that is done beside the load: a fault, a reset, a notification.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = exactly_one(&["scale", "deletePods", "restart", "sql", "http", "job"]),
    validation = rules::ACTION_DURING_LOAD,
    validation = rules::ACTION_SCALE,
    validation = rules::ACTION_EVERY,
    validation = rules::ACTION_MOMENT
)]
pub struct Action {
    /// Name, used in thresholds, sweep and results.
    pub name: Name,
    /// The moment. BeforeRun: before the first row. BeforeRow: when the row's size is set, before its rollout is waited for.
    /// DuringLoad counts from the start of the row's load, warm-up included. AfterLoad: when the row's load is over, before
    /// settle.until is waited for. AfterRow: when the row has settled. AfterRun: when the verdict is known and everything is
    /// put back, before the test is Finished; in every ending.
    #[schemars(transform = words)]
    pub when: When,
    /// So long after that moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 86_400))]
    pub after_seconds: Option<i32>,
    /// Undo it after so long (scale).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400))]
    pub for_seconds: Option<i32>,
    /// Do it again and again, after a random time between these, until the load ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<Every>,
    /// Requests that are open at any time from its start until so long after its end may fail without counting as failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 86_400))]
    pub grace_seconds: Option<i32>,
    /// Longest it may take; then the row is Invalid (after the run: nothing).
    #[serde(default = "five_minutes")]
    #[schemars(range(min = 1, max = 86_400))]
    pub timeout_seconds: i32,
    /// Set the replicas of a target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
    /// Delete pods of a target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_pods: Option<DeletePods>,
    /// Restart a target (rollout); with BeforeRow its end is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<Restart>,
    /// Run a statement in database.postgres; it may write.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub sql: Option<String>,
    /// Send one request (a notification, a reset). An answer other than 2xx is a failure; redirects are not followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpAction>,
    /// Run a Job made from a (suspended) CronJob of the namespace, and wait for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<JobAction>,
}

fn five_minutes() -> i32 {
    300
}

impl Action {
    /// Name of the target that it is done to.
    pub fn target(&self) -> Option<&NameRef> {
        let scale = self.scale.as_ref().map(|scale| &scale.target);
        let delete = self.delete_pods.as_ref().map(|delete| &delete.target);
        scale.or(delete).or(self.restart.as_ref().map(|restart| &restart.target))
    }

    /// It is done by a pod of ours: it runs a statement or sends a request.
    pub fn is_asked(&self) -> bool {
        self.sql.is_some() || self.http.is_some()
    }
}

/// When an action is done.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum When {
    /// Before the first row.
    BeforeRun,
    /// When the row's size is set, before its rollout is waited for.
    BeforeRow,
    /// In mid-load.
    DuringLoad,
    /// When the row's load is over, before settle.until is waited for.
    AfterLoad,
    /// When the row has settled.
    AfterRow,
    /// When the verdict is known and everything is put back.
    AfterRun,
}

/// The time from one to the next.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Every {
    /// Shortest.
    #[schemars(range(min = 1, max = 86_400))]
    pub min_seconds: i32,
    /// Longest.
    #[schemars(range(min = 1, max = 86_400))]
    pub max_seconds: i32,
}

/// Another number of pods.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// Name of an entry of targets.
    pub target: NameRef,
    /// So many.
    #[schemars(range(min = 0, max = 1000))]
    pub replicas: i32,
}

/// Pods that go.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeletePods {
    /// Name of an entry of targets.
    pub target: NameRef,
    /// So many, chosen by seed.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 64))]
    pub count: i32,
}

fn one() -> i32 {
    1
}

/// A rollout without a change.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Restart {
    /// Name of an entry of targets.
    pub target: NameRef,
}

/// One request.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HttpAction {
    /// Full URL. Variables after the host.
    #[schemars(length(max = 1024), regex(pattern = r"^https?://[A-Za-z0-9.\[\]:-]+(/[^\s#]*)?$"))]
    pub url: String,
    /// HTTP method.
    #[serde(default = "post")]
    pub method: Method,
    /// Headers to send. A secret belongs into vars, written here as $(vars.NAME).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), transform = list::by_name)]
    pub headers: Vec<Header>,
    /// Body; may use $(run.verdict), $(run.id), $(run.message). Where it is JSON, their values are written so that it stays JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub body: Option<String>,
}

fn post() -> Method {
    Method::Post
}

/// A Job of its own.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobAction {
    /// The CronJob.
    pub cron_job_ref: CronJobRef,
}

/// A CronJob of the namespace.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CronJobRef {
    /// Its name.
    pub name: ObjectName,
}

/// An act of the row in progress: one of the times that an action is planned for.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActRecord {
    /// Which of the row's acts, in the order of their times, from 1.
    #[schemars(range(min = 1, max = 256))]
    pub act: i32,
    /// When it was begun; recorded before anything is written.
    pub started_at: Instant,
    /// Until it was done. Absent: under way, or it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 86_400_000))]
    pub took_ms: Option<i32>,
    /// When its pod said that it does it (sql, http), or when the pod of its Job began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ran_at: Option<Instant>,
    /// Pods that were chosen to be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 64))]
    pub pods: Option<i32>,
    /// It was not done, or not in time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
}

/// What became of an action in a row.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActionFigures {
    /// Name, used in thresholds, sweep and results.
    pub name: Name,
    /// How often it was done.
    #[schemars(range(min = 0, max = 256))]
    pub times: i32,
    /// How often it was planned and not done, or not in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 256))]
    pub failed: Option<i32>,
    /// When it was done first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_at: Option<Instant>,
    /// When it was done, or undone, last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_at: Option<Instant>,
}
