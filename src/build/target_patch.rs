//! The three writes to a target, as JSON Patches that begin by replacing `/metadata/resourceVersion`: a stale one gets 409.

use serde_json::{Value, json};
use thiserror::Error;

use super::claim::{CLAIM, Claim, RESTARTED_AT};
use super::names::RunName;
use super::size::{Field, Fields, container_index, container_with, current, same};
use crate::api::Instant;

/// Why a target can't be written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TargetError {
    #[error("the workload has no container {0}; name one in targets[].container")]
    NoContainer(String),
    #[error("the claim's annotation can't be read: {0}")]
    BadClaim(String),
    #[error("the workload carries no claim")]
    NotClaimed,
}

/// A patch that puts a target back, and the fields that are left as somebody else set them.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    pub patch: Value,
    pub skipped: Vec<Field>,
}

/// Label and annotation: nothing of the spec changes.
///
/// # Errors
/// The container doesn't exist.
pub fn claim_patch(
    workload: &Value,
    run: &RunName,
    container: Option<&str>,
    fields: &[Field],
    until: Instant,
) -> Result<Value, TargetError> {
    let index = container_index(workload, container)
        .ok_or_else(|| TargetError::NoContainer(container.unwrap_or("named like it, and more than one").into()))?;
    let name = workload["spec"]["template"]["spec"]["containers"][index]["name"].as_str().unwrap_or_default();
    let claim = Claim {
        uid: run.uid.clone(),
        test: run.test.clone(),
        run: run.run,
        container: name.into(),
        originals: current(workload, index, fields.iter()),
        set: Fields::new(),
        act: None,
        until,
    };
    let mut patch = begin(workload);
    add_metadata(workload, &mut patch, "labels", Some(run.label()));
    add_metadata(workload, &mut patch, "annotations", Some(text(&claim)));
    Ok(patch.into())
}

/// A row's size, and the annotation's `set`, in one patch.
///
/// # Errors
/// There is no claim to write into.
pub fn size_patch(workload: &Value, wanted: &Fields) -> Result<Value, TargetError> {
    let mut claim = claim(workload)?;
    let mut patch = begin(workload);
    add_fields(workload, &claim.container, wanted, &mut patch)?;
    claim.set.clone_from(wanted);
    add_metadata(workload, &mut patch, "annotations", Some(text(&claim)));
    Ok(patch.into())
}

/// What an act makes of a target, and its number in the claim, in one patch: who finds the number knows that it is done.
///
/// # Errors
/// There is no claim to write into.
pub fn act_patch(workload: &Value, act: &str, doing: Doing<'_>) -> Result<Value, TargetError> {
    let mut claim = claim(workload)?;
    let mut patch = begin(workload);
    match doing {
        Doing::Size(wanted) => {
            add_fields(workload, &claim.container, wanted, &mut patch)?;
            claim.set.clone_from(wanted);
        }
        Doing::Restart(at) => add_restart(workload, at, &mut patch),
    }
    claim.act = Some(act.into());
    add_metadata(workload, &mut patch, "annotations", Some(text(&claim)));
    Ok(patch.into())
}

/// What an act does to a workload.
#[derive(Clone, Copy, Debug)]
pub enum Doing<'a> {
    /// These fields.
    Size(&'a Fields),
    /// A rollout without a change: this instant into the pods' template.
    Restart(Instant),
}

/// A claim and a size in one patch, for a dry run. The label of another test's claim stays: that test is waited for later, and
/// an admission policy refuses to take a claim over, also in a dry run.
pub fn rehearsal(workload: &Value, claim: &Value, size: &Value) -> Value {
    let busy = workload["metadata"]["labels"].get(CLAIM).is_some();
    let label = json!(entry("labels"));
    let steps = [claim, size].into_iter().filter_map(Value::as_array).flatten();
    steps.filter(|step| !(busy && step["path"] == label)).cloned().collect()
}

/// The originals where the live value is still ours; label and annotation away; in one patch.
///
/// # Errors
/// There is no claim that says what to put back.
pub fn release_patch(workload: &Value) -> Result<Release, TargetError> {
    let claim = claim(workload)?;
    let mut patch = begin(workload);
    let mut skipped = Vec::new();
    if !claim.set.is_empty() {
        let index = container_index(workload, Some(&claim.container));
        let live = current(workload, index.unwrap_or(usize::MAX), claim.set.keys());
        let mut back = Fields::new();
        for (field, set) in &claim.set {
            let now = live.get(field).and_then(Option::as_ref);
            let original = claim.originals.get(field).and_then(Option::as_ref);
            if same(field, now, set.as_ref()) {
                back.insert(field.clone(), original.cloned());
            } else if !same(field, now, original) {
                skipped.push(field.clone());
            }
        }
        add_fields(workload, &claim.container, &back, &mut patch)?;
    }
    add_metadata(workload, &mut patch, "labels", None);
    add_metadata(workload, &mut patch, "annotations", None);
    Ok(Release { patch: patch.into(), skipped })
}

/// The claim that a workload's annotation holds.
pub fn claim(workload: &Value) -> Result<Claim, TargetError> {
    let text = workload["metadata"]["annotations"][CLAIM].as_str().ok_or(TargetError::NotClaimed)?;
    serde_json::from_str(text).map_err(|e| TargetError::BadClaim(e.to_string()))
}

fn begin(workload: &Value) -> Vec<Value> {
    vec![
        json!({"op": "replace", "path": "/metadata/resourceVersion", "value": workload["metadata"]["resourceVersion"]}),
    ]
}

fn text(claim: &Claim) -> String {
    serde_json::to_string(claim).unwrap_or_default()
}

fn add_fields(workload: &Value, container: &str, fields: &Fields, patch: &mut Vec<Value>) -> Result<(), TargetError> {
    if let Some(replicas) = fields.get(&Field::Replicas) {
        patch.push(match replicas {
            Some(replicas) => json!({"op": "add", "path": "/spec/replicas", "value": replicas}),
            None => json!({"op": "remove", "path": "/spec/replicas"}),
        });
    }
    if fields.keys().all(|field| *field == Field::Replicas) {
        return Ok(());
    }
    let index = container_index(workload, Some(container)).ok_or_else(|| TargetError::NoContainer(container.into()))?;
    let old = &workload["spec"]["template"]["spec"]["containers"][index];
    let new = container_with(old, fields);
    for key in ["resources", "env"] {
        let path = format!("/spec/template/spec/containers/{index}/{key}");
        match (old.get(key), new.get(key)) {
            (a, b) if a == b => {}
            (_, Some(value)) => patch.push(json!({"op": "add", "path": path, "value": value})),
            (Some(_), None) => patch.push(json!({"op": "remove", "path": path})),
            (None, None) => {}
        }
    }
    Ok(())
}

fn add_restart(workload: &Value, at: Instant, patch: &mut Vec<Value>) {
    const ANNOTATIONS: &str = "/spec/template/metadata/annotations";
    let template = &workload["spec"]["template"];
    if !template["metadata"].is_object() {
        patch.push(json!({"op": "add", "path": "/spec/template/metadata", "value": {}}));
    }
    if !template["metadata"]["annotations"].is_object() {
        patch.push(json!({"op": "add", "path": ANNOTATIONS, "value": {}}));
    }
    let path = format!("{ANNOTATIONS}/{}", RESTARTED_AT.replace('/', "~1"));
    patch.push(json!({"op": "add", "path": path, "value": at.to_string()}));
}

/// Where the claim stands among labels or annotations.
fn entry(map: &str) -> String {
    format!("/metadata/{map}/{}", CLAIM.replace('/', "~1"))
}

/// Sets (or removes) the claim's label or annotation.
fn add_metadata(workload: &Value, patch: &mut Vec<Value>, map: &str, value: Option<String>) {
    let entry = entry(map);
    let existing = workload["metadata"].get(map).filter(|m| m.is_object());
    match (value, existing) {
        (Some(value), Some(_)) => patch.push(json!({"op": "add", "path": entry, "value": value})),
        (Some(value), None) => {
            patch.push(json!({"op": "add", "path": format!("/metadata/{map}"), "value": {CLAIM: value}}));
        }
        (None, Some(entries)) if entries.get(CLAIM).is_some() => patch.push(json!({"op": "remove", "path": entry})),
        (None, _) => {}
    }
}
