//! The hash that tells whether a finished test was edited.
//!
//! Fields that hold their default are left out, so an operator with a new default starts nothing by itself.

use std::sync::LazyLock;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::api::{LoadTestSpec, crd_json};

/// Version of the way the hash is made; another version is never compared.
pub const HASH_VERSION: i32 = 1;

static SPEC_SCHEMA: LazyLock<Value> =
    LazyLock::new(|| crd_json()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"].take());

/// What changes nothing of what is done: whether it is begun, ended, and how long the object stays.
const NO_PART: [&str; 3] = ["suspend", "cancel", "ttlSecondsAfterFinished"];

/// SHA-256 of the spec as canonical JSON without defaults and what is no part of the plan: 64 hex digits.
pub fn hash(spec: &LoadTestSpec) -> String {
    let mut value = serde_json::to_value(spec).unwrap_or(Value::Null);
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|name, _| !NO_PART.contains(&name.as_str()));
    }
    without_defaults(&mut value, &SPEC_SCHEMA);
    // serde_json's map is sorted by key, so equal specs give equal text.
    Sha256::digest(value.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Drops what equals the schema's default, and objects that became empty by that.
fn without_defaults(value: &mut Value, schema: &Value) {
    match value {
        Value::Object(fields) => {
            let properties = &schema["properties"];
            fields.retain(|name, field| {
                let schema = &properties[name.as_str()];
                let is_default = schema.get("default").is_some_and(|default| default == field);
                without_defaults(field, schema);
                !is_default && field.as_object().is_none_or(|o| !o.is_empty())
            });
        }
        Value::Array(items) => items.iter_mut().for_each(|item| without_defaults(item, &schema["items"])),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hash_of(spec: Value) -> String {
        hash(&serde_json::from_value(spec).unwrap())
    }

    #[test]
    fn a_default_written_out_changes_nothing() {
        let short = hash_of(json!({"loads": [{"name": "m", "url": "http://a/"}]}));
        let long = hash_of(json!({"loads": [{"name": "m", "url": "http://a/", "generators": 1}], "repeats": 1,
            "settle": {"seconds": 10, "timeoutSeconds": 600}, "suspend": true, "cancel": true}));
        assert_eq!(short, long);
    }

    #[test]
    fn how_long_the_finished_test_stays_changes_nothing() {
        let stays = json!({"loads": [{"name": "m", "url": "http://a/"}]});
        let goes = json!({"loads": [{"name": "m", "url": "http://a/"}], "ttlSecondsAfterFinished": 0});
        assert_eq!(hash_of(stays), hash_of(goes));
    }

    #[test]
    fn another_value_or_run_id_changes_it() {
        let one = hash_of(json!({"loads": [{"name": "m", "url": "http://a/"}]}));
        assert_ne!(one, hash_of(json!({"loads": [{"name": "m", "url": "http://b/"}]})));
        assert_ne!(one, hash_of(json!({"loads": [{"name": "m", "url": "http://a/"}], "runId": "x"})));
    }
}
