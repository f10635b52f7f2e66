//! What else is done to the targets, and when.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::{self, exactly_one};
use super::shared::*;

/// Something that is done to a target: a fault, a restart.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = exactly_one(&["scale", "deletePods", "restart"]),
    validation = rules::ACTION_DURING_LOAD,
    validation = rules::ACTION_SCALE,
    validation = rules::ACTION_EVERY
)]
pub struct Action {
    /// Name, used in thresholds, sweep and results.
    pub name: Name,
    /// The moment. BeforeRow: when the row's size is set, before its rollout is waited for. DuringLoad counts from the
    /// start of the row's load, warm-up included.
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
    /// Longest it may take; then the row is Invalid.
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
}

/// When an action is done.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum When {
    /// When the row's size is set, before its rollout is waited for.
    BeforeRow,
    /// In mid-load.
    DuringLoad,
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
