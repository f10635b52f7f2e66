//! A spec as it may be shown: no header values, credentials, bodies, values of vars or query strings.

use serde_json::Value;

use crate::api::LoadTestSpec;

const HIDDEN: &str = "***";

/// The spec as JSON without what may be secret.
pub fn spec(spec: &LoadTestSpec) -> Value {
    let mut json = serde_json::to_value(spec).unwrap_or(Value::Null);
    redact(&mut json);
    json
}

fn redact(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                match (name.as_str(), &mut *field) {
                    ("headers" | "vars", Value::Array(items)) => items.iter_mut().for_each(hide_value),
                    ("basicAuth", Value::Object(of)) => of.values_mut().for_each(|v| *v = HIDDEN.into()),
                    ("body", Value::String(text)) => *text = HIDDEN.into(),
                    ("url" | "path", Value::String(text)) => *text = without_query(text),
                    _ => redact(field),
                }
            }
        }
        _ => {}
    }
}

/// The value, not the reference to one.
fn hide_value(entry: &mut Value) {
    if let Some(value) = entry.get_mut("value") {
        *value = HIDDEN.into();
    }
}

fn without_query(text: &str) -> String {
    text.split(['?', '#']).next().unwrap_or_default().to_owned()
}
