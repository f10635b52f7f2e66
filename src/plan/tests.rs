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
fn environment_and_variables_change_from_row_to_row() {
    let plan = plan(&spec(json!({
        "loads": [{"name": "m", "url": "http://a/", "steps": [{"name": "s", "path": "/$(vars.size)"}]}],
        "targets": [{"name": "api", "workloadRef": {"name": "x"}, "env": [{"name": "A", "value": "a"}, {"name": "WORKERS", "value": "9"}]}],
        "vars": [{"name": "size", "value": "0"}, {"name": "other", "value": "o"}],
        "measurements": [{"name": "n", "http": {"url": "http://a/$(vars.size)", "jsonPointer": ""}}],
        "sweep": [{"target": "api", "env": {"name": "WORKERS", "values": ["1", "2"]}},
            {"variable": {"name": "size", "values": ["10", "20"]}}]})))
    .unwrap();
    let set: Vec<String> =
        plan.rows[1].set.iter().map(|setting| format!("{}={}", setting.name, setting.value)).collect();
    assert_eq!(set, ["api.env.WORKERS=1", "vars.size=20"]);
    let env = |row: usize| {
        let target = plan.rows[row].target("api").unwrap();
        target.env.iter().map(|var| format!("{}={}", var.name, var.value)).collect::<Vec<_>>()
    };
    assert_eq!((env(1), env(2)), (vec!["A=a".into(), "WORKERS=1".into()], vec!["A=a".into(), "WORKERS=2".into()]));
    assert_eq!(plan.sized().len(), 1, "the original is kept and put back");
    let run = RunIdentity { name: "r".into(), start_ms: 0 };
    let vars = generator_input(&plan, &plan.rows[1], &run).vars;
    let value = |name: &str| vars.iter().find(|var| var.name == name).map(|var| var.source.clone());
    assert_eq!(value("size"), Some(VarSourceInput::Value("20".into())));
    assert_eq!(value("other"), Some(VarSourceInput::Value("o".into())));
    let observer = observer_input(&plan, &run).unwrap();
    assert_eq!(observer.swept[&2]["size"], "20");
}

#[test]
fn only_a_variable_that_the_spec_holds_is_swept() {
    let with = |name: &str| {
        errors(json!({"loads": [{"name": "m", "url": "http://a/"}],
            "vars": [{"name": "key", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
            "sweep": [{"variable": {"name": name, "values": ["1"]}}]}))
    };
    let secret = "spec.sweep[0].variable.name: key has valueFrom; only an entry of spec.vars with value can be swept";
    assert_eq!(with("key"), [secret]);
    let unknown =
        "spec.sweep[0].variable.name: spec.vars has no entry size; write one with the value outside of the rows";
    assert_eq!(with("size"), [unknown]);
}

#[test]
fn a_long_value_is_cut_in_the_table_and_sent_whole() {
    let long = "x".repeat(500);
    let plan = plan(&spec(json!({"loads": [{"name": "m", "url": "http://a/"}], "vars": [{"name": "v", "value": ""}],
        "sweep": [{"variable": {"name": "v", "values": [long]}}]})))
    .unwrap();
    assert_eq!(plan.rows[0].set[0].value.chars().count(), 64);
    assert_eq!(plan.rows[0].variables["v"], long);
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

/// The errors of a load of these steps.
fn step_errors(steps: Value) -> Vec<String> {
    errors(json!({"loads": [{"name": "m", "url": "http://a/", "steps": steps,
        "headers": [{"name": "x", "value": "$(vars.token)"}]}], "vars": [{"name": "known", "value": "v"}]}))
}

#[test]
fn a_captured_value_is_known_to_later_steps_and_to_the_headers_of_the_load() {
    let capture = json!([{"name": "token", "jsonPointer": "/t"}]);
    let good = json!({"loads": [{"name": "m", "url": "http://a/", "headers": [{"name": "x", "value": "$(vars.token)"}],
        "steps": [{"name": "login", "capture": capture}, {"name": "use", "path": "/$(vars.token)", "body": "$(vars.token)"}]}]});
    assert!(plan(&spec(good)).is_ok());
    let early = step_errors(json!([{"name": "login", "path": "/$(vars.token)", "capture": capture}]));
    assert_eq!(
        early,
        ["spec.loads[0].steps[0].path: $(vars.token) is captured by the step login, so only later steps can use it"]
    );
    let fixed = step_errors(json!([{"name": "login", "capture": capture}, {"name": "use", "path": "$(vars.known)/x"},
        {"name": "last", "path": "$(vars.token)/x"}]));
    assert_eq!(fixed, ["spec.loads[0].steps[1].path: only a captured value may begin a path; write /$(vars.known)"]);
    let unknown = step_errors(json!([{"name": "login"}]));
    assert_eq!(
        unknown,
        ["spec.loads[0].headers[0].value: unknown variable $(vars.token): spec.vars has no entry token"]
    );
    let twice = step_errors(json!([{"name": "login", "capture": [
        {"name": "token", "header": "x"}, {"name": "known", "header": "y"}]}]));
    assert_eq!(
        twice,
        ["spec.loads[0].steps[0].capture[1].name: spec.vars has an entry known already; choose another name"]
    );
}

#[test]
fn repeats_lie_within_each_other_and_have_an_end() {
    let of = |steps: Value| {
        let load = json!({"loads": [{"name": "m", "url": "http://a/", "steps": steps}]});
        plan(&spec(load)).map_or_else(|errors| errors.iter().map(ToString::to_string).collect(), |_| Vec::new())
    };
    assert!(of(json!([{"name": "a"}, {"name": "b", "repeat": 20, "repeatFrom": "a"}, {"name": "c", "repeat": 2, "repeatFrom": "a"}])).is_empty());
    let crossing = of(json!([{"name": "a"}, {"name": "b"}, {"name": "c", "repeat": 2, "repeatFrom": "a"},
        {"name": "d", "repeat": 2, "repeatFrom": "b"}]));
    assert_eq!(
        crossing,
        ["spec.loads[0].steps[3].repeatFrom: b to d overlaps what c repeats; one must lie within the other"]
    );
    let later = of(json!([{"name": "a", "repeat": 2, "repeatFrom": "b"}, {"name": "b"}]));
    assert_eq!(later, ["spec.loads[0].steps[0].repeatFrom: b is no earlier step of this load"]);
    let alone = of(json!([{"name": "a"}, {"name": "b", "repeatFrom": "a"}]));
    assert_eq!(alone, ["spec.loads[0].steps[1].repeatFrom: repeatFrom needs repeat: how many times"]);
    let endless = of(json!([{"name": "a", "repeat": 1000}, {"name": "b", "repeat": 101, "repeatFrom": "a"}]));
    assert_eq!(endless, ["spec.loads[0].steps: an iteration would send 101101 requests; at most 100000 are allowed"]);
}

#[test]
fn recovery_is_judged_of_loads_with_a_rate_only() {
    let of = |metric: &str| {
        let loads = json!([{"name": "probe", "url": "http://a/", "rate": 5, "durationSeconds": 9}, {"name": "held", "url": "http://a/"}]);
        plan(&spec(json!({"loads": loads, "thresholds": [{"metric": metric, "max": 1}]}))).is_ok()
    };
    assert!(of("recovery.longestMs") && of("loads.probe.recovery.outages"));
    assert!(!of("loads.held.recovery.outages"));
}

#[test]
fn the_worst_case_of_a_load_has_every_repeat_pause_and_poll_in_it() {
    let of = |steps: Value| {
        let load = json!({"loads": [{"name": "m", "url": "http://a/", "iterations": 2, "steps": steps}]});
        worst_case_seconds(&load_input(&plan(&spec(load)).unwrap().rows[0].loads[0]))
    };
    let step = |more: Value| {
        let mut step = json!({"name": "a", "timeoutSeconds": 10});
        step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([step])
    };
    assert_eq!(of(step(json!({}))), 2 * 10 + 5);
    assert_eq!(of(step(json!({"repeat": 20, "pauseMilliseconds": 500}))), 2 * 210 + 5);
    assert_eq!(of(step(json!({"until": {"jsonPointer": "/s", "equals": ["d"], "timeoutSeconds": 60}}))), 2 * 70 + 5);
}
