//! Specs in, plans or errors out.

use serde_json::{Value, json};

use super::*;
use crate::api::LoadTestSpec;

fn spec(value: Value) -> LoadTestSpec {
    serde_json::from_value(value).unwrap()
}

fn errors(value: Value) -> Vec<String> {
    plan(&spec(value)).unwrap_err().iter().map(ToString::to_string).collect()
}

fn rows(value: Value) -> Vec<Vec<String>> {
    let plan = plan(&spec(value)).unwrap();
    plan.rows.iter().map(|r| r.set.iter().map(|s| format!("{}={}", s.name, s.value)).collect()).collect()
}

#[test]
fn two_fields_are_a_test_of_one_row() {
    let plan = plan(&spec(json!({"loads": [{"name": "main", "url": "http://my-app/"}]}))).unwrap();
    assert_eq!(plan.rows.len(), 1);
    let input = generator_input(&plan, &plan.rows[0], &RunIdentity { name: "r".into(), start_ms: 0 });
    assert_eq!(input.loads[0].arrivals, Arrivals::Iterations { clients: 1, iterations_per_client: 1 });
    assert_eq!(input.loads[0].steps[0].method, "GET");
    assert_eq!(observer_input(&plan, &RunIdentity { name: "r".into(), start_ms: 0 }), None);
}

#[test]
fn entries_of_a_group_move_together_and_others_are_combined() {
    let got = rows(json!({
        "loads": [{"name": "m", "url": "http://a/"}],
        "targets": [{"name": "api", "workloadRef": {"name": "x"}}],
        "sweep": [
            {"target": "api", "replicas": [1, 5], "group": "size"},
            {"target": "api", "cpu": ["500m", 2], "group": "size"},
            {"load": "m", "clients": [1, 2]}
        ],
        "repeats": 2
    }));
    let once = [
        ["api.replicas=1", "api.cpu=500m", "m.clients=1"],
        ["api.replicas=1", "api.cpu=500m", "m.clients=2"],
        ["api.replicas=5", "api.cpu=2", "m.clients=1"],
        ["api.replicas=5", "api.cpu=2", "m.clients=2"],
    ];
    assert_eq!(got[..4], once);
    assert_eq!(got[4..], once);
}

#[test]
fn all_errors_come_at_once() {
    let got = errors(json!({
        "loads": [{"name": "m", "url": "http://a/", "clients": 1, "generators": 2,
                   "steps": [{"name": "s", "path": "/$(nope)/$(vars.gone)"}]}],
        "targets": [{"name": "api", "workloadRef": {"name": "x"}}],
        "measurements": [{"name": "t", "log": {"target": "api", "regex": "("}}],
    }));
    assert_eq!(got.len(), 4, "{got:#?}");
    assert!(got[0].starts_with("spec.loads[0].steps[0].path: unknown variable $(nope)"));
    assert!(got[1].contains("spec.vars has no entry gone"));
    assert!(got[2].starts_with("spec.measurements[0].log.regex"));
    assert!(got[3].starts_with("spec.loads[0].generators: 1 clients can't be shared out among 2"));
}

#[test]
fn a_sweep_that_contradicts_itself_is_refused_with_its_entry() {
    let with = |sweep: Value| {
        errors(json!({"loads": [{"name": "m", "url": "http://a/"}],
            "targets": [{"name": "api", "workloadRef": {"name": "x"}}], "sweep": sweep}))
    };
    let uneven =
        with(json!([{"target": "api", "replicas": [1, 2], "group": "g"}, {"target": "api", "cpu": [1], "group": "g"}]));
    assert!(uneven[0].starts_with("spec.sweep[1].cpu: group g moves together"), "{uneven:?}");
    let twice = with(json!([{"load": "m", "clients": [1]}, {"load": "m", "clients": [2]}]));
    assert!(twice[0].starts_with("spec.sweep[1].clients: m.clients is swept by spec.sweep[0]"), "{twice:?}");
    let many =
        with(json!([{"load": "m", "clients": (1..=64).collect::<Vec<_>>()}, {"target": "api", "replicas": [1, 2]}]));
    assert!(many[0].contains("128 rows"), "{many:?}");
}

#[test]
fn a_test_that_can_not_end_in_time_is_refused() {
    let got = errors(json!({"loads": [{"name": "m", "url": "http://a/", "durationSeconds": 3600}],
        "repeats": 10, "deadlines": {"totalSeconds": 7200}}));
    assert_eq!(
        got,
        ["spec.deadlines.totalSeconds: the 10 rows take at least 36100 s, but the whole run may take 7200 s"]
    );
}

#[test]
fn a_swept_rate_takes_the_place_of_clients() {
    let plan = plan(&spec(json!({"loads": [{"name": "m", "url": "http://a/", "durationSeconds": 5}],
        "sweep": [{"load": "m", "rate": [7]}]})))
    .unwrap();
    assert_eq!(
        load_input(&plan.rows[0].loads[0]).arrivals,
        Arrivals::Rate { count: 7, per_seconds: 1, seconds: 5, max_in_flight: DEFAULT_MAX_IN_FLIGHT }
    );
}
