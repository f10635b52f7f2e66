//! The largest status that the schema allows, for 64 rows, still fits where it must: the operator keeps it under 256 KiB.

use loadtest_operator::api::{LoadTestStatus, crd_json};
use loadtest_operator::results::shown::compact::{compact, size};
use serde_json::{Map, Value, json};

/// What a status may have at most: etcd refuses objects over 1.5 MiB, and a list of many tests is read as a whole.
const LARGEST: usize = 256 * 1024;

/// A value as long as its schema allows.
fn largest(schema: &Value) -> Value {
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().max_by_key(|word| word.to_string().len()).unwrap().clone();
    }
    match schema["type"].as_str() {
        Some("string") if schema["format"] == "date-time" => json!("2026-01-02T03:04:05.678Z"),
        Some("string") if schema["pattern"].as_str().is_some_and(|pattern| pattern.contains("[0-9]{1,15}")) => {
            json!("-123456789012345.123456")
        }
        Some("string") => json!("m".repeat(usize::try_from(schema["maxLength"].as_u64().unwrap_or(64)).unwrap())),
        Some("integer") => schema["maximum"].clone(),
        Some("boolean") => json!(false),
        Some("array") => {
            let number = schema["maxItems"].as_u64().unwrap_or_else(|| panic!("a list without a bound: {schema}"));
            (0..number).map(|_| largest(&schema["items"])).collect()
        }
        Some("object") if schema["additionalProperties"].is_object() => {
            let number = schema["maxProperties"].as_u64().unwrap_or_else(|| panic!("a map without a bound: {schema}"));
            let entry = |index| (format!("{}{index:02}", "k".repeat(30)), largest(&schema["additionalProperties"]));
            Value::Object((0..number).map(entry).collect())
        }
        Some("object") => {
            let fields = schema["properties"].as_object().cloned().unwrap_or_default();
            Value::Object(fields.iter().map(|(name, field)| (name.clone(), largest(field))).collect::<Map<_, _>>())
        }
        _ if schema["x-kubernetes-int-or-string"] == true => json!("m".repeat(24)),
        _ => panic!("a schema of no type: {schema}"),
    }
}

fn largest_status() -> LoadTestStatus {
    let schema = crd_json()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"].take();
    serde_json::from_value(largest(&schema)).unwrap()
}

#[test]
fn the_largest_status_of_64_rows_is_kept_under_256_kib() {
    let mut status = largest_status();
    assert_eq!(status.results.len(), 64);
    let before = size(&status);
    assert!(before > 1024 * 1024, "{before} bytes: this is not the largest");
    compact(&mut status);
    let parts = serde_json::to_value(&status).unwrap();
    let parts: Vec<_> = parts.as_object().unwrap().iter().map(|(name, part)| (name, part.to_string().len())).collect();
    println!("largest status: {before} bytes, {} compacted", size(&status));
    assert!(size(&status) <= LARGEST, "{} bytes: {parts:?}", size(&status));
    assert_eq!((status.truncated, status.results.len()), (Some(true), 64));
}
