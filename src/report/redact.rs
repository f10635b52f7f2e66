//! A spec as it may be shown: no header values, credentials, bodies, fields of forms, values of vars or query strings.

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
                    ("headers" | "vars" | "upload", Value::Array(items)) => items.iter_mut().for_each(hide_value),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_fields_of_a_form_are_bodies_too() {
        let upload = json!([{"name": "key", "value": "hunter2"}, {"name": "file", "bytes": 5, "filename": "a.txt"}]);
        let step = json!({"name": "s", "upload": upload});
        let json = json!({"loads": [{"name": "m", "url": "http://a/", "steps": [step]}]});
        let shown = spec(&serde_json::from_value(json).expect("a spec"));
        assert!(!shown.to_string().contains("hunter2"), "{shown}");
        assert_eq!(shown["loads"][0]["steps"][0]["upload"][1]["bytes"], 5);
    }
}
