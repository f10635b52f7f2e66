//! Manifests as people write them: what the API server's schema and the pure validation say about them, without a cluster.

use std::sync::LazyLock;

use jsonschema::Validator;
use kube::core::cel::Validator as CelValidator;
use serde_json::{Value, json};

use super::field_error::FieldError;
use super::plan::Plan;
use super::validate::plan;
use crate::api::{LoadTest, crd_json};

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

static STRICT: LazyLock<Option<Validator>> = LazyLock::new(|| {
    let mut schema = SCHEMA.clone();
    strict(&mut schema, true);
    jsonschema::draft202012::new(&schema).ok()
});

/// Checks every LoadTest in a text of YAML documents.
pub fn check_documents(text: &str) -> Vec<Checked> {
    let documents = match serde_saphyr::from_multiple::<Value>(text) {
        Ok(documents) => documents,
        Err(error) => {
            let first = error.to_string();
            let errors = vec![FieldError::new("YAML", first.trim().to_owned())];
            return vec![Checked { name: "-".into(), plan: Err(errors) }];
        }
    };
    documents.into_iter().filter(|document| document["kind"] == "LoadTest").map(check).collect()
}

/// Checks one document.
pub fn check(mut document: Value) -> Checked {
    let name = document["metadata"]["name"].as_str().unwrap_or("-").to_owned();
    // The API server drops nulls before it looks.
    drop_nulls(&mut document);
    let mut errors = Vec::new();
    if document["apiVersion"] != "loadtest.dev/v1alpha1" {
        errors.push(FieldError::new("apiVersion", "must be loadtest.dev/v1alpha1"));
    }
    schema_errors(&document, &mut errors);
    if errors.is_empty() {
        rule_errors(&document, &mut errors);
    }
    let typed = serde_path_to_error::deserialize::<_, LoadTest>(document);
    let planned = match typed {
        Ok(test) if errors.is_empty() => plan(&test.spec),
        Ok(test) => {
            // What only the pure validation sees comes with the rest.
            let more = plan(&test.spec).err().unwrap_or_default();
            let known: Vec<String> = errors.iter().map(|error| error.path.clone()).collect();
            errors.extend(more.into_iter().filter(|error| !known.contains(&error.path)));
            Err(errors)
        }
        Err(error) if errors.is_empty() => {
            Err(vec![FieldError::new(error.path().to_string(), error.into_inner().to_string())])
        }
        Err(_) => Err(errors),
    };
    Checked { name, plan: planned }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, v| !v.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// A structural schema as a JSON schema that refuses unknown fields, as `kubectl --validate=strict` does.
fn strict(schema: &mut Value, root: bool) {
    let Some(fields) = schema.as_object_mut() else { return };
    if fields.get("x-kubernetes-int-or-string") == Some(&json!(true)) {
        fields.insert("type".into(), json!(["integer", "string"]));
    }
    fields.remove("format");
    if fields.contains_key("properties") {
        if !root {
            fields.insert("additionalProperties".into(), json!(false));
        }
        for (name, property) in fields["properties"].as_object_mut().into_iter().flatten() {
            if !(root && name == "metadata") {
                strict(property, false);
            }
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = fields.get_mut(key) {
            strict(inner, false);
        }
    }
}

fn schema_errors(document: &Value, errors: &mut Vec<FieldError>) {
    if let Some(validator) = STRICT.as_ref() {
        for error in validator.iter_errors(document) {
            errors.push(FieldError::new(dotted(&error.instance_path().to_string()), error.to_string()));
        }
    }
    duplicates(document, &SCHEMA, "", errors);
}

/// `/spec/loads/0/url` as `spec.loads[0].url`.
fn dotted(pointer: &str) -> String {
    let mut path = String::new();
    for part in pointer.split('/').filter(|part| !part.is_empty()) {
        match part.parse::<usize>() {
            Ok(index) => path.push_str(&format!("[{index}]")),
            Err(_) if path.is_empty() => path.push_str(part),
            Err(_) => path.push_str(&format!(".{part}")),
        }
    }
    path
}

/// Entries of a list that is keyed, with the same key.
fn duplicates(value: &Value, schema: &Value, path: &str, errors: &mut Vec<FieldError>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        duplicates(&value[name], property, &path, errors);
    }
    let Some(items) = value.as_array() else { return };
    let key = schema["x-kubernetes-list-map-keys"][0].as_str();
    for (index, item) in items.iter().enumerate() {
        let of = |item: &Value| key.map_or_else(|| item.clone(), |key| item[key].clone());
        let unique = schema["x-kubernetes-list-type"] == "map" || schema["x-kubernetes-list-type"] == "set";
        if unique && items[..index].iter().any(|earlier| of(earlier) == of(item)) {
            errors.push(FieldError::new(format!("{path}[{index}]"), format!("Duplicate value: {}", of(item))));
        }
        duplicates(item, &schema["items"], &format!("{path}[{index}]"), errors);
    }
}

/// The CEL rules, with the words that the API server would use.
fn rule_errors(document: &Value, errors: &mut Vec<FieldError>) {
    let mut whole = document.clone();
    if whole["metadata"]["name"].is_null() {
        whole["metadata"]["name"] = json!("a");
    }
    if let Err(found) = CelValidator::new().validate(&SCHEMA, &whole, None) {
        let text = found.to_string();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (path, message) = line.split_once(": ").unwrap_or(("spec", line));
            errors.push(FieldError::new(path.trim_start_matches('.'), message));
        }
    }
}
