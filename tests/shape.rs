//! The shape of the house: files that are read in one sitting, nothing left lying about, and no right beyond the list.

mod source;

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;
use source::sources;

#[test]
fn every_file_is_read_in_one_sitting() {
    for source in sources() {
        let (lines, most) = (source.text.lines().count(), if source.is_test { 500 } else { 420 });
        assert!(lines <= most, "src/{} has {lines} lines, more than {most}: split it by noun", source.path);
    }
}

#[test]
fn every_file_says_what_it_is() {
    for source in sources().iter().filter(|source| source.path != "main.rs" && !source.is_test) {
        assert!(source.text.starts_with("//! "), "src/{} does not begin with //!", source.path);
    }
}

#[test]
fn nothing_panics_on_input_and_nothing_is_left_to_do() {
    let left = Regex::new(r"\bunsafe\b|\.unwrap\(\)|\b(todo|unimplemented|dbg)!").unwrap();
    for source in sources().iter().filter(|source| !source.is_test) {
        let found: Vec<&str> = left.find_iter(&source.product).map(|found| found.as_str()).collect();
        assert!(found.is_empty(), "src/{}: {found:?}", source.path);
    }
}

/// All that the operator may do in a namespace: group/resource, and verbs by name.
const RIGHTS: [(&str, &str); 18] = [
    ("/configmaps", "create delete get patch"),
    ("/events", "list"),
    ("/pods", "list patch"),
    ("/pods/log", "get"),
    ("/resourcequotas", "list"),
    ("/services", "get"),
    ("apps/deployments", "get list patch"),
    ("apps/replicasets", "list"),
    ("apps/statefulsets", "get list patch"),
    ("autoscaling/horizontalpodautoscalers", "list"),
    ("batch/jobs", "create delete get list"),
    ("discovery.k8s.io/endpointslices", "list"),
    ("events.k8s.io/events", "create patch"),
    ("keda.sh/scaledobjects", "list"),
    ("loadtest.dev/loadtests", "get list patch watch"),
    ("loadtest.dev/loadtests/finalizers", "update"),
    ("loadtest.dev/loadtests/status", "patch"),
    ("metrics.k8s.io/pods", "list"),
];

#[test]
fn the_chart_gives_the_operator_these_rights_and_no_other() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/loadtest-operator/templates/_helpers.tpl");
    let helpers = std::fs::read_to_string(path).unwrap();
    let (_, rules) = helpers.split_once("{{- define \"loadtest.rules\" -}}\n").expect("the chart's rules");
    let rules: Vec<Value> = serde_saphyr::from_str(rules.split_once("{{- end }}").unwrap().0).unwrap();
    let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let words = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    for rule in &rules {
        for group in words(&rule["apiGroups"]) {
            for resource in words(&rule["resources"]) {
                given.entry(format!("{group}/{resource}")).or_default().extend(words(&rule["verbs"]));
            }
        }
    }
    given.values_mut().for_each(|verbs| verbs.sort());
    let given: BTreeMap<String, String> = given.into_iter().map(|(what, verbs)| (what, verbs.join(" "))).collect();
    let wanted = RIGHTS.iter();
    let wanted: BTreeMap<String, String> = wanted.map(|(what, verbs)| ((*what).into(), (*verbs).into())).collect();
    assert_eq!(given, wanted);
    assert!(!given.keys().any(|what| what.contains("secrets") || what.contains("exec") || what.contains('*')));
}
