//! A LoadTest at a glance: where it stands and how long it stays, without its spec and results.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::{Deserialize, Deserializer};

use super::shared::Instant;
use super::spec::LoadTest;
use super::status::{Condition, ConditionStatus, Phase, Verdict};

/// What is kept of every LoadTest, also of a thousand finished ones, whose tables and rows may be 200 KiB each. Read from the same
/// resource as [`LoadTest`]; a spec that this version can't read is no hindrance.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Glance {
    /// Name, namespace, uid, versions, finalizers and the time of deletion; nothing else.
    #[serde(deserialize_with = "slim")]
    pub metadata: ObjectMeta,
    /// spec.ttlSecondsAfterFinished.
    #[serde(rename = "spec", default, deserialize_with = "ttl")]
    pub ttl_seconds: Option<i64>,
    #[serde(default)]
    pub status: GlanceStatus,
}

/// Where it stands.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GlanceStatus {
    /// Generation that the status is about.
    pub observed_generation: Option<i64>,
    pub phase: Option<Phase>,
    pub run: Option<GlanceRun>,
    pub verdict: Option<Verdict>,
    /// Since when the condition Finished is True.
    #[serde(rename = "conditions", default, deserialize_with = "finished_at")]
    pub finished_at: Option<Instant>,
}

/// The run in progress, or the last one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GlanceRun {
    /// Number of the run.
    pub id: i64,
    /// Row being worked on.
    pub row: Option<i32>,
    /// Rows in all.
    pub rows: Option<i32>,
    pub started_at: Option<Instant>,
    #[serde(default)]
    pub current: GlanceRow,
}

/// The row in progress.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct GlanceRow {
    /// The act that was begun last.
    #[serde(default, deserialize_with = "last")]
    pub acts: Option<GlanceAct>,
}

/// An act.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GlanceAct {
    /// Which one, from 1.
    pub act: i32,
    /// It was done.
    pub took_ms: Option<i32>,
    #[serde(default)]
    pub failed: bool,
}

impl GlanceStatus {
    /// Number of the act under way.
    pub fn act_under_way(&self) -> Option<i32> {
        let last = self.run.as_ref()?.current.acts.as_ref()?;
        (last.took_ms.is_none() && !last.failed).then_some(last.act)
    }
}

fn last<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<GlanceAct>, D::Error> {
    Ok(Vec::<GlanceAct>::deserialize(deserializer)?.pop())
}

/// Of a spec that may be anything.
fn ttl<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(serde_json::Value::deserialize(deserializer)?["ttlSecondsAfterFinished"].as_i64())
}

fn finished_at<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Instant>, D::Error> {
    Ok(finished_since(&Vec::<Condition>::deserialize(deserializer)?))
}

/// Since when the condition Finished is True; `None`: it isn't.
pub fn finished_since(conditions: &[Condition]) -> Option<Instant> {
    let finished = |condition: &&Condition| condition.type_ == "Finished" && condition.status == ConditionStatus::True;
    conditions.iter().find(finished).map(|condition| condition.last_transition_time)
}

/// Annotations and managedFields can be larger than everything else.
fn slim<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMeta, D::Error> {
    let whole = ObjectMeta::deserialize(deserializer)?;
    Ok(ObjectMeta {
        name: whole.name,
        namespace: whole.namespace,
        uid: whole.uid,
        generation: whole.generation,
        resource_version: whole.resource_version,
        finalizers: whole.finalizers,
        deletion_timestamp: whole.deletion_timestamp,
        ..ObjectMeta::default()
    })
}

impl Resource for Glance {
    type DynamicType = ();
    type Scope = kube::core::NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        LoadTest::kind(&())
    }
    fn group((): &()) -> Cow<'_, str> {
        LoadTest::group(&())
    }
    fn version((): &()) -> Cow<'_, str> {
        LoadTest::version(&())
    }
    fn plural((): &()) -> Cow<'_, str> {
        LoadTest::plural(&())
    }
    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }
    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_kept_does_not_grow_with_the_object() {
        let object = json!({"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest",
            "metadata": {"name": "t", "uid": "u", "generation": 2, "annotations": {"a": "x"}, "labels": {"b": "y"},
                "managedFields": [{"manager": "m"}]},
            "spec": {"repeats": "many", "ttlSecondsAfterFinished": 60},
            "status": {"observedGeneration": 1, "phase": "Running", "table": "| 1 |",
                "conditions": [{"type": "Finished", "status": "False", "reason": "Loading", "message": "",
                    "lastTransitionTime": "2026-01-02T03:04:05.678Z"}],
                "run": {"id": 3, "row": 2, "rows": 4, "startedAt": "2026-01-02T03:04:05.678Z", "planHash": 7}}});
        let glance: Glance = serde_json::from_value(object).unwrap();
        let kept =
            ObjectMeta { name: Some("t".into()), uid: Some("u".into()), generation: Some(2), ..ObjectMeta::default() };
        assert_eq!(glance.metadata, kept);
        assert_eq!((glance.status.observed_generation, glance.status.phase), (Some(1), Some(Phase::Running)));
        assert_eq!((glance.ttl_seconds, glance.status.finished_at), (Some(60), None));
        let run = glance.status.run.unwrap();
        assert_eq!((run.id, run.row, run.rows), (3, Some(2), Some(4)));
    }

    #[test]
    fn the_end_is_when_the_condition_became_true_and_a_spec_that_can_t_be_read_says_no_time() {
        for (spec, ttl) in [
            (json!({"ttlSecondsAfterFinished": 5}), Some(5)),
            (json!({"ttlSecondsAfterFinished": "5"}), None),
            (json!("x"), None),
        ] {
            let object = json!({"metadata": {"name": "t"}, "spec": spec, "status": {"phase": "Finished", "conditions": [
                {"type": "Ready", "status": "True", "reason": "A", "message": "", "lastTransitionTime": "2026-01-02T03:04:01.000Z"},
                {"type": "Finished", "status": "True", "reason": "A", "message": "", "lastTransitionTime": "2026-01-02T03:04:05.678Z"}]}});
            let glance: Glance = serde_json::from_value(object).unwrap();
            let end = glance.status.finished_at.map(|at| at.to_string());
            assert_eq!((glance.ttl_seconds, end.as_deref()), (ttl, Some("2026-01-02T03:04:05.678Z")));
        }
    }

    #[test]
    fn a_test_that_nobody_has_seen_yet_stands_nowhere() {
        let glance: Glance = serde_json::from_value(json!({"metadata": {"name": "t"}})).unwrap();
        assert_eq!(glance.status, GlanceStatus::default());
    }
}
