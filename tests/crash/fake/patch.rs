//! JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7396).

use serde_json::Value;

use super::answer::Answer;

/// The patched object.
///
/// # Errors
/// 422, as the API server says it of a patch that does not fit; 415 of an unknown kind of patch.
pub fn patched(object: &Value, content_type: &str, body: &[u8]) -> Result<Value, Answer> {
    let mut object = object.clone();
    let bad = |error: String| Answer::no(422, format!("the patch does not fit: {error}"));
    match content_type {
        "application/json-patch+json" => {
            let patch: json_patch::Patch = serde_json::from_slice(body).map_err(|e| bad(e.to_string()))?;
            json_patch::patch(&mut object, &patch).map_err(|e| bad(e.to_string()))?;
        }
        "application/merge-patch+json" => {
            let patch: Value = serde_json::from_slice(body).map_err(|e| bad(e.to_string()))?;
            json_patch::merge(&mut object, &patch);
        }
        other => return Err(Answer::no(415, format!("patches of type {other} are not known"))),
    }
    Ok(object)
}
