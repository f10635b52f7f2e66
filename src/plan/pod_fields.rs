//! What spec.pods writes into pods beyond its schema: keys of labels, annotations and node selectors, and tolerations.
//!
//! Rules: <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set>, and
//! `validateTolerations` of Kubernetes' core validation.

use std::sync::LazyLock;

use regex::Regex;

use super::field_error::FieldError;
use crate::api::{Pods, Toleration, TolerationOperator};

/// The product's own keys: a start instant written by a person would make generators fire without a record.
const OWN: &str = "loadtest.dev/";

static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$").ok());
static PREFIX: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$").ok());

/// Checks keys and tolerations.
pub fn check(pods: &Pods, errors: &mut Vec<FieldError>) {
    let labels = pods.labels.keys().map(|key| ("labels", key));
    let annotations = pods.annotations.keys().map(|key| ("annotations", key));
    let selector = pods.node_selector.keys().map(|key| ("nodeSelector", key));
    for (field, key) in labels.chain(annotations).chain(selector) {
        let at = || format!("spec.pods.{field}[{}]", shown(key));
        if field != "nodeSelector" && key.to_ascii_lowercase().starts_with(OWN) {
            errors.push(FieldError::new(at(), format!("keys that begin with {OWN} are the operator's; write another")));
        } else if let Some(why) = malformed(key, field == "annotations") {
            errors.push(FieldError::new(at(), why));
        }
    }
    for (index, toleration) in pods.tolerations.iter().enumerate() {
        if let Some((field, why)) = untolerable(toleration) {
            errors.push(FieldError::new(format!("spec.pods.tolerations[{index}]{field}"), why));
        }
    }
}

/// A key as it is shown: without control characters, and not endless.
fn shown(key: &str) -> String {
    let short: String = key.chars().take(64).flat_map(char::escape_debug).collect();
    if key.chars().count() > 64 { format!("{short}…") } else { short }
}

/// Why this is no qualified name. Annotations may write the prefix in any case.
fn malformed(key: &str, any_case: bool) -> Option<&'static str> {
    let matches = |regex: &LazyLock<Option<Regex>>, text: &str| regex.as_ref().is_none_or(|regex| regex.is_match(text));
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if let Some(prefix) = prefix {
        let prefix = if any_case { prefix.to_ascii_lowercase() } else { prefix.to_owned() };
        if prefix.len() > 253 || !matches(&PREFIX, &prefix) {
            return Some("the part before the / must be a DNS name of at most 253 characters");
        }
    }
    let fits = name.len() <= 63 && matches(&NAME, name);
    (!fits).then_some("must be at most 63 letters, digits, -, _ or ., with a letter or digit at both ends, perhaps after a DNS name and a /")
}

/// Where a toleration contradicts itself.
fn untolerable(toleration: &Toleration) -> Option<(&'static str, &'static str)> {
    let key = toleration.key.as_deref().unwrap_or_default();
    let value = toleration.value.as_deref().unwrap_or_default();
    let exists = toleration.operator == TolerationOperator::Exists;
    if key.is_empty() {
        return (!exists).then_some((".operator", "without a key it must be Exists, which tolerates every taint"));
    }
    if malformed(key, false).is_some() {
        return Some((".key", "a taint's key is written like a label's: example.com/name"));
    }
    if exists && !value.is_empty() {
        return Some((".value", "Exists compares no value; leave it out, or write operator: Equal"));
    }
    let label_value = value.is_empty() || malformed(value, false).is_none() && !value.contains('/');
    (!label_value).then_some((".value", "a taint's value is at most 63 letters, digits, -, _ or ."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(pods: serde_json::Value) -> Vec<String> {
        let mut errors = Vec::new();
        check(&serde_json::from_value(pods).unwrap(), &mut errors);
        errors.into_iter().map(|error| error.path).collect()
    }

    #[test]
    fn a_start_written_by_a_person_is_refused() {
        assert_eq!(
            paths(
                json!({"annotations": {"loadtest.dev/start-at": "2026-01-01T00:00:00Z", "Loadtest.dev/stop-at": "x"}})
            ),
            ["spec.pods.annotations[Loadtest.dev/stop-at]", "spec.pods.annotations[loadtest.dev/start-at]"]
        );
        assert_eq!(paths(json!({"labels": {"loadtest.dev/run": "u.1"}})).len(), 1);
    }

    #[test]
    fn keys_are_qualified_names() {
        assert!(
            paths(json!({"labels": {"a": "", "example.com/A_b.c-1": "x"}, "annotations": {"Example.com/a": ""},
            "nodeSelector": {"kubernetes.io/os": "linux"}}))
            .is_empty()
        );
        for key in [
            "",
            "a b",
            "-a",
            "a-",
            "/a",
            "a/",
            "a/b/c",
            "A.com/b",
            "ü",
            "a\u{0}",
            &"x".repeat(64),
            &format!("{}/a", "x".repeat(254)),
        ] {
            assert_eq!(paths(json!({"labels": {key: ""}})).len(), 1, "{key:?}");
        }
    }

    #[test]
    fn tolerations_are_what_kubernetes_takes() {
        assert!(
            paths(json!({"tolerations": [{"operator": "Exists"}, {"key": "a"}, {"key": "a", "value": "b"}]}))
                .is_empty()
        );
        assert_eq!(
            paths(
                json!({"tolerations": [{}, {"key": "a b"}, {"key": "a", "operator": "Exists", "value": "b"}, {"key": "a", "value": "a/b"}]})
            ),
            [
                "spec.pods.tolerations[0].operator",
                "spec.pods.tolerations[1].key",
                "spec.pods.tolerations[2].value",
                "spec.pods.tolerations[3].value"
            ]
        );
    }
}
