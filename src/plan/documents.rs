//! Manifests as people write them: what the API server's schema, its rules and the pure validation say about them, without
//! a cluster. Messages read as the API server's do, but values that were written stay out of them: they may be secrets.

mod rules;
mod schema;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::field_error::FieldError;
use super::plan::Plan;
use super::validate::plan;
use crate::api::{LoadTest, crd_json};

const API_VERSION: &str = "loadtest.dev/v1alpha1";

/// One LoadTest of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// `metadata.name`, or `-`.
    pub name: String,
    /// The plan, or every error.
    pub plan: Result<Plan, Vec<FieldError>>,
}

static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| crd_json()["spec"]["versions"][0]["schema"]["openAPIV3Schema"].take());

/// Checks every LoadTest in a text of YAML documents; documents of other kinds are passed over, the items of a `List` are not.
/// A text that is no YAML is one entry with the line of its error.
pub fn check_documents(text: &str) -> Vec<Checked> {
    // A snippet of the text would show what stands around the error.
    let options = serde_saphyr::options! { with_snippet: false };
    match serde_saphyr::from_multiple_with_options::<Value>(text, options) {
        Ok(documents) => documents.into_iter().flat_map(unlisted).filter(is_meant).map(check).collect(),
        Err(error) => {
            let line = error.location().map_or_else(|| "YAML".into(), |at| format!("line {}", at.line()));
            let message = format!("cannot be read as YAML: {}", error.render().trim());
            vec![Checked { name: "-".into(), plan: Err(vec![FieldError::new(line, message)]) }]
        }
    }
}

fn unlisted(document: Value) -> Vec<Value> {
    match document.get("items").and_then(Value::as_array) {
        Some(items) if document["kind"] == "List" => items.clone(),
        _ => vec![document],
    }
}

/// A misspelt kind or group is an error, not another kind.
fn is_meant(document: &Value) -> bool {
    let ours = document["apiVersion"].as_str().is_some_and(|version| version.starts_with("loadtest.dev/"));
    ours || document["kind"] == "LoadTest"
}

/// Checks one document: the schema with its list keys, unknown fields as `kubectl --validate=strict` does, the CEL rules,
/// and what only the plan can tell. All errors come at once.
pub fn check(mut document: Value) -> Checked {
    normalise(&mut document);
    let name = document["metadata"]["name"].as_str().unwrap_or("-").to_owned();
    let mut errors = Vec::new();
    for (field, wanted) in [("apiVersion", API_VERSION), ("kind", "LoadTest")] {
        if document[field] != wanted {
            errors.push(FieldError::new(field, format!("must be {wanted}")));
        }
    }
    let found = schema::check(&document, &SCHEMA);
    errors.extend(found.errors);
    drop_nulls(&mut document);
    if !found.mistyped {
        let sound = errors.is_empty();
        errors.extend(rules::broken(&document, sound));
    }
    Checked { name, plan: planned(document, errors) }
}

/// The plan, or the errors so far with those that only the plan can see.
fn planned(document: Value, mut errors: Vec<FieldError>) -> Result<Plan, Vec<FieldError>> {
    match serde_path_to_error::deserialize::<_, LoadTest>(document) {
        Ok(test) if errors.is_empty() => plan(&test.spec),
        Ok(test) => {
            // What is wrong already has been said, perhaps in other words.
            let more = plan(&test.spec).err().unwrap_or_default();
            let known: Vec<String> = errors.iter().map(|error| error.path.clone()).collect();
            errors.extend(more.into_iter().filter(|error| !known.contains(&error.path)));
            Err(errors)
        }
        // The schema allows nothing that the types refuse; if it ever did, this says where without saying what.
        Err(error) if errors.is_empty() => {
            Err(vec![FieldError::new(error.path().to_string(), "Invalid value: it is of another type than this field")])
        }
        Err(_) => Err(errors),
    }
}

/// Part of what happens to a manifest on its way into the API server: `2.0` becomes 2, and a status is not taken from
/// people.
fn normalise(document: &mut Value) {
    whole_numbers(document);
    if let Some(fields) = document.as_object_mut() {
        fields.remove("status");
        fields.entry("metadata").or_insert_with(|| json!({}));
    }
}

fn whole_numbers(value: &mut Value) {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Number(number) if number.is_f64() => {
            if let Some(whole) = number.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < EXACT) {
                *value = (whole as i64).into();
            }
        }
        _ => {}
    }
}

/// The API server drops nulls of fields it knows, since nothing in the schema is nullable.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
