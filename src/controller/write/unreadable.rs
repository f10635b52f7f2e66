//! A LoadTest that this version's types can't read, as one that a later or looser resource definition let through: its owner is
//! told which field it is, and it is left alone.

use kube::api::{DynamicObject, Patch, PatchParams};
use kube::core::ApiResource;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};
use tracing::warn;

use crate::api::{Glance, Instant, LoadTest, Phase, Reason, Verdict};
use crate::controller::context::Context;
use crate::controller::error::PassError;
use crate::controller::io::call;
use crate::lifecycle::conditions::{Standing, conditions};

/// Says so in the log, and in the conditions of one that is in no run. What is in a run keeps its claims and its status: the version
/// that began it goes on with it.
///
/// # Errors
/// The API server did not answer, or somebody else wrote meanwhile.
pub async fn tell(context: &Context, namespace: &str, name: &str) -> Result<(), PassError> {
    let resource = ApiResource::erase::<LoadTest>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(context.client.clone(), namespace, &resource);
    let object = call(api.get_opt(name)).await.map_err(PassError::call("reading the LoadTest"))?;
    let Some(object) = object.and_then(|object| serde_json::to_value(object).ok()) else { return Ok(()) };
    let field = unreadable_field(&object);
    warn!(namespace, name, field, "this LoadTest can't be read; it is left alone");
    let Some((generation, patch)) = refusal(&object, &field, Instant::from_millis(context.clock.now())) else {
        return Ok(());
    };
    let answer = call(api.patch_status(name, &PatchParams::default(), &Patch::Merge(patch))).await;
    match answer {
        Ok(_) => Ok(()),
        Err(error) if matches!(error.code(), Some(404 | 409)) => Err(PassError::call("writing the status")(error)),
        // An API server that checks the whole object again won't store it; the log has said what there is to say.
        Err(error) => {
            warn!(namespace, name, generation, error = error.message(), "its status can't be written either");
            Ok(())
        }
    }
}

/// The path of the field that can't be read. Not its value: that may be a secret.
fn unreadable_field(object: &Value) -> String {
    let read = serde_path_to_error::deserialize::<_, LoadTest>(object);
    read.err().map_or_else(|| "a field".into(), |error| error.path().to_string())
}

/// The refusal as a merge patch with its generation; nothing for one that may be in a run, or that has been told already.
fn refusal(object: &Value, field: &str, now: Instant) -> Option<(i64, Value)> {
    let glance: Glance = serde_json::from_value(object.clone()).ok()?;
    let in_run = !matches!(glance.status.phase, None | Some(Phase::Pending | Phase::Finished));
    let generation = glance.metadata.generation.unwrap_or(0);
    if in_run || glance.metadata.deletion_timestamp.is_some() || glance.status.observed_generation == Some(generation) {
        return None;
    }
    let message = format!(
        "{field}: of another type than this version of the operator knows; correct it, or let the operator fit the resource definition"
    );
    let standing = Standing::Over(Verdict::Invalid, Reason::InvalidSpec);
    let conditions = conditions(&[], &standing, &message, generation, now);
    let status = json!({"observedGeneration": generation, "phase": Phase::Finished, "verdict": Verdict::Invalid,
        "conditions": conditions});
    Some((generation, json!({"metadata": {"resourceVersion": glance.resource_version()}, "status": status})))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(status: Value) -> Value {
        json!({"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest",
            "metadata": {"name": "t", "generation": 1, "resourceVersion": "7"},
            "spec": {"loads": [{"name": "m", "url": "http://a/"}], "repeats": "hunter2"}, "status": status})
    }

    #[test]
    fn the_field_is_named_and_its_value_is_not() {
        let object = object(json!({"observedGeneration": -1}));
        let field = unreadable_field(&object);
        assert_eq!(field, "spec.repeats");
        let (_, patch) = refusal(&object, &field, Instant::from_millis(0)).unwrap();
        assert_eq!(
            (&patch["metadata"]["resourceVersion"], &patch["status"]["phase"]),
            (&json!("7"), &json!("Finished"))
        );
        let text = patch.to_string();
        assert!(text.contains("spec.repeats: ") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn one_in_a_run_keeps_its_status_and_nobody_is_told_twice() {
        for status in [json!({"phase": "Running"}), json!({"phase": "Finished", "observedGeneration": 1})] {
            assert_eq!(refusal(&object(status), "spec", Instant::from_millis(0)), None);
        }
    }
}
