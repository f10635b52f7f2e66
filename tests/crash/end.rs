//! How a run ended: all of it that must be the same whatever happened on the way.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::fake::store::text;
use crate::lab::{Lab, NAMESPACE, TEST};
use loadtest_operator::api::RowVerdict;

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
}

impl End {
    /// As the cluster is now.
    pub fn of(lab: &Lab) -> Self {
        let status = lab.status(TEST);
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
        }
    }
}

/// What of a Deployment must be as it was found; its controller's revision number may move.
pub fn kept(deployment: &Value) -> Value {
    let mut annotations = deployment["metadata"]["annotations"].clone();
    annotations.as_object_mut().map(|all| all.remove("deployment.kubernetes.io/revision"));
    let labels = deployment["metadata"]["labels"].as_object().filter(|labels| !labels.is_empty()).cloned();
    serde_json::json!({"name": deployment["metadata"]["name"], "labels": labels, "annotations": annotations,
        "spec": deployment["spec"]})
}
