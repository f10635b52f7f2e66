//! The CEL rules of the schema (`x-kubernetes-validations`), evaluated here.

use std::sync::LazyLock;

use kube::core::cel::{CompiledSchema, ErrorKind, Validator, compile_schema};
use serde_json::{Value, json};

use super::SCHEMA;
use crate::plan::FieldError;

/// Compiling takes longer than evaluating.
static COMPILED: LazyLock<CompiledSchema> = LazyLock::new(|| compile_schema(&SCHEMA));

/// The rules that `document` breaks. `sound`: the schema had nothing to say, so that a rule which can't be evaluated is an
/// error of its own; otherwise it stumbled over what the schema said.
pub fn broken(document: &Value, sound: bool) -> Vec<FieldError> {
    let mut named = document.clone();
    if named["metadata"]["name"].is_null() {
        // The API server makes a name of generateName before it looks; without either, the schema has said so.
        let prefix = named["metadata"]["generateName"].as_str().unwrap_or("a").to_owned();
        named["metadata"]["name"] = json!(format!("{prefix}00000"));
    }
    let Err(errors) = Validator::new().validate_compiled(&COMPILED, &named, None) else { return Vec::new() };
    let counts = |kind: &ErrorKind| sound || *kind == ErrorKind::ValidationFailure;
    errors.into_vec().into_iter().filter(|error| counts(&error.kind)).map(field_error).collect()
}

fn field_error(error: kube::core::cel::ValidationError) -> FieldError {
    // Of the two rules at the root one is about the name; the other compares with an older object.
    let path = match error.field_path.trim_start_matches('.') {
        "" => "metadata.name",
        path => path,
    };
    FieldError::new(path, format!("Invalid value: {}", error.message))
}
