//! The CustomResourceDefinition is the one that the types make, and keeps the house's promises to the API server.

use std::path::{Path, PathBuf};
use std::process::Command;

use loadtest_operator::api::crd_json;
use serde_json::Value;

const HINT: &str = "run `make generate` and commit what it writes";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn schema() -> Value {
    crd_json()["spec"]["versions"][0]["schema"]["openAPIV3Schema"].take()
}

#[test]
fn the_committed_crd_is_the_generated_one() {
    let committed = read("crds/loadtests.yaml");
    let printed = Command::new(env!("CARGO_BIN_EXE_loadtest")).args(["print", "crd"]).output().unwrap();
    assert!(committed.as_bytes() == printed.stdout, "crds/loadtests.yaml differs: {HINT}");
    let parsed: Value = serde_saphyr::from_str(&committed).unwrap();
    assert!(parsed == crd_json(), "what is printed is not what the types make");
}

#[test]
fn the_charts_copy_is_the_committed_crd_kept_when_the_release_goes() {
    let template = read("charts/loadtest-operator/templates/crd.yaml");
    let kept = "  annotations:\n    helm.sh/resource-policy: keep\n";
    assert!(template.contains(kept), "Helm would delete the CRD and every LoadTest with the release");
    let labels = "  labels:\n    {{- include \"loadtest.labels\" . | nindent 4 }}\n";
    let plain = template.replace(kept, "").replace(labels, "");
    let lines: Vec<&str> = plain.lines().filter(|line| !line.starts_with("{{-")).collect();
    let copy = (lines.join("\n") + "\n").replace("{{ \"{{\" }}", "{{");
    assert!(!copy.contains("{{"), "Helm would evaluate a brace of the CRD");
    assert!(copy == read("crds/loadtests.yaml"), "the chart's copy differs: {HINT}");
}

/// Calls `see` with the path and value of every schema below `schema`, itself among them.
fn every(schema: &Value, path: &str, see: &mut impl FnMut(&str, &Value)) {
    see(path, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        every(property, &format!("{path}.{name}"), see);
    }
    for (key, suffix) in [("items", "[]"), ("additionalProperties", ".*")] {
        if let Some(inner) = schema.get(key) {
            every(inner, &format!("{path}{suffix}"), see);
        }
    }
}

/// The paths of the schemas for which `is_bad` holds.
fn bad(is_bad: impl Fn(&Value) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    every(&schema(), "", &mut |path, schema| {
        if is_bad(schema) {
            found.push(path.to_owned());
        }
    });
    found
}

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn the_walk_sees_the_whole_schema() {
    let mut seen = 0;
    every(&schema(), "", &mut |_, _| seen += 1);
    let text = schema().to_string();
    let typed = text.matches(r#""type":""#).count() + text.matches(r#""x-kubernetes-int-or-string":true"#).count();
    // A property of the name `type` is a schema, not a word, so both counts are of schemas.
    assert_eq!(seen, typed);
    assert!(seen > 300, "{seen}");
}

#[test]
fn nothing_is_nullable_unsigned_or_unknown() {
    assert_eq!(bad(|s| s.get("nullable").is_some()), none(), "a null would be stored, and the types can't read it");
    assert_eq!(bad(|s| s.get("x-kubernetes-preserve-unknown-fields").is_some()), none());
    let known = ["int32", "int64", "date-time"];
    assert_eq!(bad(|s| s["format"].as_str().is_some_and(|format| !known.contains(&format))), none());
    let exact = |bound: &Value| bound.as_f64().is_none_or(|bound| bound.abs() <= 9_007_199_254_740_991.0);
    assert_eq!(bad(|s| !exact(&s["minimum"]) || !exact(&s["maximum"])), none(), "the API server refuses larger bounds");
    assert_eq!(bad(|s| s["enum"].as_array().is_some_and(|words| words.iter().any(Value::is_null))), none());
}

#[test]
fn every_string_integer_list_and_map_is_bounded() {
    let bounded_text = |s: &Value| s.get("maxLength").is_some() || s.get("enum").is_some();
    let is_text = |s: &Value| s["type"] == "string" || s["x-kubernetes-int-or-string"] == true;
    assert_eq!(bad(|s| is_text(s) && !bounded_text(s)), none());
    assert_eq!(bad(|s| s["type"] == "integer" && (s.get("minimum").is_none() || s.get("maximum").is_none())), none());
    assert_eq!(bad(|s| s["type"] == "array" && s.get("maxItems").is_none()), none());
    assert_eq!(bad(|s| s.get("additionalProperties").is_some() && s.get("maxProperties").is_none()), none());
    assert_eq!(bad(|s| s["type"] == "number"), none(), "floating point is not compared exactly");
}

#[test]
fn every_list_says_how_it_is_merged() {
    assert_eq!(bad(|s| s["type"] == "array" && s.get("x-kubernetes-list-type").is_none()), none());
    let unkeyed = |s: &Value| {
        let key = s["x-kubernetes-list-map-keys"][0].as_str().unwrap_or_default().to_owned();
        let required = s["items"]["required"].as_array().is_some_and(|names| names.iter().any(|name| *name == key));
        s["x-kubernetes-list-type"] == "map" && !required
    };
    assert_eq!(bad(unkeyed), none(), "the key of a list must be required");
    let conditions = &schema()["properties"]["status"]["properties"]["conditions"];
    assert_eq!(conditions["x-kubernetes-list-map-keys"], serde_json::json!(["type"]));
    // As map lists their managedFields alone would be larger than the results.
    assert_eq!(schema()["properties"]["status"]["properties"]["results"]["x-kubernetes-list-type"], "atomic");
}

#[test]
fn every_field_is_described_in_one_line() {
    let mut undescribed = Vec::new();
    every(&schema(), "", &mut |path, schema| {
        let inner = path.ends_with("[]") || path.ends_with(".*");
        let text = schema["description"].as_str().unwrap_or_default();
        if !inner && (text.is_empty() || text.contains('\n')) {
            undescribed.push(path.to_owned());
        }
    });
    assert_eq!(undescribed, none());
}

#[test]
fn every_rule_has_a_message() {
    let mut rules = 0;
    every(&schema(), "", &mut |path, schema| {
        for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
            assert!(rule["message"].as_str().is_some_and(|message| !message.is_empty()), "{path} {rule}");
            rules += 1;
        }
    });
    assert!(rules >= 20, "{rules}");
}

#[test]
fn all_of_spec_but_suspend_and_cancel_is_frozen() {
    let root = schema();
    let rules = root["x-kubernetes-validations"].as_array().unwrap();
    let freeze: Vec<&str> = rules.iter().filter_map(|r| r["rule"].as_str()).filter(|r| r.contains("oldSelf")).collect();
    assert_eq!(freeze.len(), 1);
    for field in root["properties"]["spec"]["properties"].as_object().unwrap().keys() {
        let compared = freeze[0].contains(&format!("self.spec.{field} == oldSelf.spec.{field})"));
        assert_eq!(compared, field != "suspend" && field != "cancel", "{field}");
    }
}

#[test]
fn tools_that_wait_find_what_they_look_for() {
    let crd = crd_json();
    let version = &crd["spec"]["versions"][0];
    assert!(version["subresources"].get("status").is_some());
    // kstatus, Argo CD and Flux compare it with the generation: before the first pass it must be behind.
    assert_eq!(schema()["properties"]["status"]["default"]["observedGeneration"], -1);
    let columns: Vec<&str> = version["additionalPrinterColumns"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|column| column["priority"].as_i64().unwrap_or(0) == 0)
        .filter_map(|column| column["name"].as_str())
        .collect();
    assert_eq!(columns, ["Verdict", "Reason", "Rows", "Rate", "Age"]);
}
