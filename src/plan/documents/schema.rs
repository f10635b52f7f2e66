//! A structural schema (OpenAPI v3 as CustomResourceDefinitions use it), as far as the LoadTest's goes: types, bounds,
//! patterns, enums, keys of lists, and fields that nobody knows.
//!
//! The words are those of the API server (kube-openapi's validation and apimachinery's field errors).

use regex::Regex;
use serde_json::Value;

use crate::plan::FieldError;

/// What a schema says.
pub struct Found {
    /// By field name on each level.
    pub errors: Vec<FieldError>,
    /// Something is of a wrong type, so that CEL rules can't be asked.
    pub mistyped: bool,
}

/// Checks a whole document against the root of the schema.
pub fn check(document: &Value, schema: &Value) -> Found {
    let mut walk = Walk(Found { errors: Vec::new(), mistyped: false });
    // The API server adds these three to every schema.
    let mut own = document.clone();
    if let Some(fields) = own.as_object_mut() {
        fields.retain(|name, _| !["apiVersion", "kind", "metadata"].contains(&name.as_str()));
    }
    walk.metadata(&document["metadata"]);
    walk.value(&own, schema, "");
    walk.0
}

/// Fields of ObjectMeta: <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/>.
const METADATA: [&str; 15] = [
    "name",
    "generateName",
    "namespace",
    "labels",
    "annotations",
    "finalizers",
    "managedFields",
    "ownerReferences",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "resourceVersion",
    "selfLink",
    "uid",
];

struct Walk(Found);

impl Walk {
    fn say(&mut self, path: &str, message: impl Into<String>) {
        self.0.errors.push(FieldError::new(if path.is_empty() { "document" } else { path }, message));
    }

    fn value(&mut self, value: &Value, schema: &Value, path: &str) {
        let kind = schema["type"].as_str().unwrap_or_default();
        let int_or_string = schema["x-kubernetes-int-or-string"] == true;
        match value {
            Value::Object(fields) if kind == "object" => self.object(fields, schema, path),
            Value::Array(items) if kind == "array" => self.array(items, schema, path),
            Value::String(text) if kind == "string" || int_or_string => self.string(text, schema, path),
            Value::Number(number) if kind == "number" || (number.is_i64() && (kind == "integer" || int_or_string)) => {
                self.number(number.as_f64().unwrap_or(f64::NAN), schema, path);
            }
            Value::Bool(_) if kind == "boolean" => {}
            other => {
                self.0.mistyped = true;
                let wanted = if int_or_string { "integer or string" } else { kind };
                let scalar = matches!(other, Value::Bool(_) | Value::Number(_));
                let hint = if scalar && (kind == "string" || int_or_string) { "; write it in quotes" } else { "" };
                self.say(path, format!("Invalid value: must be of type {wanted}, not {}{hint}", type_name(other)));
            }
        }
    }

    fn object(&mut self, fields: &serde_json::Map<String, Value>, schema: &Value, path: &str) {
        let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if fields.get(name).is_none_or(Value::is_null) {
                self.say(&at(name), "Required value");
            }
        }
        if let Some(of_values) = schema.get("additionalProperties") {
            self.most(fields.len(), &schema["maxProperties"], path);
            let given = fields.iter().filter(|(_, value)| !value.is_null());
            given.for_each(|(name, value)| self.value(value, of_values, &at(name)));
            return;
        }
        let Some(properties) = schema["properties"].as_object() else { return };
        for (name, value) in fields {
            match properties.get(name) {
                Some(_) if value.is_null() => {}
                Some(property) => self.value(value, property, &at(name)),
                None => self.say(&at(name), "unknown field"),
            }
        }
    }

    fn array(&mut self, items: &[Value], schema: &Value, path: &str) {
        self.most(items.len(), &schema["maxItems"], path);
        if let Some(least) = schema["minItems"].as_u64().filter(|&least| (items.len() as u64) < least) {
            self.say(path, format!("Invalid value: should have at least {least} items"));
        }
        let key = schema["x-kubernetes-list-map-keys"][0].as_str();
        let unique = schema["x-kubernetes-list-type"] == "map" || schema["x-kubernetes-list-type"] == "set";
        let identity = |item: &Value| key.map_or_else(|| item.clone(), |key| item[key].clone());
        for (index, item) in items.iter().enumerate() {
            let at = format!("{path}[{index}]");
            let own = identity(item);
            if unique && !own.is_null() && items[..index].iter().any(|earlier| identity(earlier) == own) {
                let shown = key.map_or_else(|| own.to_string(), |key| format!("{{\"{key}\":{own}}}"));
                self.say(&at, format!("Duplicate value: {shown}"));
            }
            self.value(item, &schema["items"], &at);
        }
    }

    fn most(&mut self, length: usize, most: &Value, path: &str) {
        if let Some(most) = most.as_u64().filter(|&most| length as u64 > most) {
            self.say(path, format!("Too many: {length}: must have at most {most} items"));
        }
    }

    fn string(&mut self, text: &str, schema: &Value, path: &str) {
        let length = text.chars().count() as u64;
        if schema["maxLength"].as_u64().is_some_and(|most| length > most) {
            self.say(path, format!("Too long: may not be more than {} characters", schema["maxLength"]));
        }
        if schema["minLength"].as_u64().is_some_and(|least| length < least) {
            self.say(path, format!("Invalid value: should be at least {} chars long", schema["minLength"]));
        }
        if let Some(words) = schema["enum"].as_array().filter(|words| !words.iter().any(|word| word == text)) {
            let words: Vec<String> = words.iter().map(Value::to_string).collect();
            self.say(path, format!("Unsupported value: supported values: {}", words.join(", ")));
        }
        if let Some(pattern) = schema["pattern"].as_str()
            && Regex::new(pattern).is_ok_and(|pattern| !pattern.is_match(text))
        {
            self.say(path, format!("Invalid value: should match '{pattern}'"));
        }
    }

    fn number(&mut self, number: f64, schema: &Value, path: &str) {
        if schema["minimum"].as_f64().is_some_and(|least| number < least) {
            self.say(
                path,
                format!("Invalid value: {number}: should be greater than or equal to {}", schema["minimum"]),
            );
        }
        if schema["maximum"].as_f64().is_some_and(|most| number > most) {
            self.say(path, format!("Invalid value: {number}: should be less than or equal to {}", schema["maximum"]));
        }
    }

    /// The part of every object that no CustomResourceDefinition describes.
    fn metadata(&mut self, metadata: &Value) {
        let Some(fields) = metadata.as_object() else {
            self.0.mistyped = true;
            return self.say("metadata", format!("Invalid value: must be of type object, not {}", type_name(metadata)));
        };
        if ["name", "generateName"].iter().all(|name| fields.get(*name).is_none_or(Value::is_null)) {
            self.say("metadata.name", "Required value: name or generateName is required");
        }
        for (name, value) in fields {
            let path = format!("metadata.{name}");
            match name.as_str() {
                known if value.is_null() && METADATA.contains(&known) => {}
                "name" | "generateName" | "namespace" if !value.is_string() => {
                    self.0.mistyped = true;
                    self.say(&path, format!("Invalid value: must be of type string, not {}", type_name(value)));
                }
                "labels" | "annotations" => self.strings(value, &path),
                known if METADATA.contains(&known) => {}
                _ => self.say(&path, "unknown field"),
            }
        }
    }

    fn strings(&mut self, value: &Value, path: &str) {
        let Some(fields) = value.as_object() else {
            return self.say(path, format!("Invalid value: must be of type object, not {}", type_name(value)));
        };
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_string()) {
            let message =
                format!("Invalid value: must be of type string, not {}; write it in quotes", type_name(value));
            self.say(&format!("{path}.{name}"), message);
        }
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
