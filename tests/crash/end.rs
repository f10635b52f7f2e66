//! How a run ended: all of it that must be the same whatever happened on the way.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::fake::store::text;
use crate::lab::{Lab, NAMESPACE, TEST};
use loadtest_operator::api::RowVerdict;
use loadtest_operator::build::RESTARTED_AT;

/// The end.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    pub phase: String,
    pub verdict: String,
    pub reason: String,
    /// Number, verdict and reason of each row.
    pub rows: Vec<(i32, Option<RowVerdict>, String)>,
    /// Each Deployment's labels, annotations and spec.
    pub targets: Vec<Value>,
    /// What the status says of each sized target.
    pub states: Vec<String>,
    pub jobs_left: Vec<String>,
    /// How often each Job was made.
    pub jobs_made: BTreeMap<String, usize>,
    /// Indexes of the generators that sent load, by row.
    pub fires: BTreeMap<i32, Vec<u32>>,
    pub finalizers: usize,
    /// Workloads that still bore the LoadTest's claim when its finalizer went.
    pub let_go: Vec<String>,
    pub run: i64,
    /// What actions did to the Deployments.
    pub acts: Acts,
}

/// What actions did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Acts {
    /// Of each Deployment the numbers of replicas it had, one after the other.
    pub replicas: BTreeMap<String, Vec<i64>>,
    /// How often each was restarted.
    pub restarts: BTreeMap<String, usize>,
    /// Pods of Deployments that a client deleted.
    pub deleted: usize,
    /// Names of the Jobs whose pods did an act.
    pub done: Vec<String>,
}

impl Acts {
    /// By all that was written.
    fn of(lab: &Lab) -> Self {
        let world = lab.fake.world();
        let mut acts = Self::default();
        let mut instants: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for change in &world.store.changes {
            let (name, object) = (&change.key.2, &change.object);
            if change.key.0 == "deployments" {
                let all = acts.replicas.entry(name.clone()).or_default();
                let now = object["spec"]["replicas"].as_i64().unwrap_or(1);
                if all.last() != Some(&now) {
                    all.push(now);
                }
                let at = &object["spec"]["template"]["metadata"]["annotations"][RESTARTED_AT];
                let known = instants.entry(name.clone()).or_default();
                if at.is_string() && !known.contains(at) {
                    known.push(at.clone());
                }
            }
        }
        acts.done.clone_from(&world.cluster.done);
        acts.deleted = world.journal.applied().filter(|entry| entry.call.class == "delete pods").count();
        acts.restarts = instants.into_iter().map(|(name, all)| (name, all.len())).filter(|(_, n)| *n > 0).collect();
        acts
    }
}

impl End {
    /// As the cluster is now.
    pub fn of(lab: &Lab) -> Self {
        let (status, acts) = (lab.status(TEST), Acts::of(lab));
        let world = lab.fake.world();
        let mut jobs_made = BTreeMap::new();
        for change in world.store.changes.iter().filter(|change| change.key.0 == "jobs" && change.kind == "ADDED") {
            *jobs_made.entry(change.key.2.clone()).or_default() += 1;
        }
        let mut fires = world.cluster.fires();
        fires.values_mut().for_each(|indexes| indexes.sort_unstable());
        let finalizers = world
            .store
            .get(&crate::lab::at(TEST))
            .and_then(|test| test["metadata"]["finalizers"].as_array().map(Vec::len));
        Self {
            phase: status.phase.map(|phase| format!("{phase:?}")).unwrap_or_default(),
            verdict: status.verdict.map(|verdict| format!("{verdict:?}")).unwrap_or_default(),
            reason: status.run.as_ref().and_then(|run| run.reason.clone()).unwrap_or_default(),
            rows: status
                .results
                .iter()
                .map(|row| (row.row, row.verdict, row.reason.clone().unwrap_or_default()))
                .collect(),
            targets: world.store.list("deployments", NAMESPACE).map(kept).collect(),
            states: status.targets.iter().map(|target| format!("{:?}", target.state)).collect(),
            jobs_left: world.store.list("jobs", "").map(|job| text(job, "/metadata/name").to_owned()).collect(),
            jobs_made,
            fires,
            finalizers: finalizers.unwrap_or(0),
            let_go: world.journal.let_go.clone(),
            run: status.run.map_or(0, |run| run.id),
            acts,
        }
    }
}

/// What of a Deployment must be as it was found; its controller's revision number may move.
pub fn kept(deployment: &Value) -> Value {
    let mut annotations = deployment["metadata"]["annotations"].clone();
    annotations.as_object_mut().map(|all| all.remove("deployment.kubernetes.io/revision"));
    let mut spec = deployment["spec"].clone();
    // What an action restarted says so for good.
    spec["template"]["metadata"]["annotations"].as_object_mut().map(|all| all.remove(RESTARTED_AT));
    if spec["template"]["metadata"]["annotations"].as_object().is_none_or(serde_json::Map::is_empty) {
        spec["template"]["metadata"].as_object_mut().map(|all| all.remove("annotations"));
    }
    let labels = deployment["metadata"]["labels"].as_object().filter(|labels| !labels.is_empty()).cloned();
    serde_json::json!({"name": deployment["metadata"]["name"], "labels": labels, "annotations": annotations,
        "spec": spec})
}
