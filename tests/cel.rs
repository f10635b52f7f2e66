//! The CEL rules of the CustomResourceDefinition, evaluated without an API server: what each accepts and refuses.

use std::collections::BTreeSet;

use kube::core::cel::{CompiledSchema, Validator, compile_schema};
use loadtest_operator::api::crd_json;
use serde_json::{Value, json};

fn schema() -> Value {
    crd_json()["spec"]["versions"][0]["schema"]["openAPIV3Schema"].take()
}

/// All messages of rules below `value`.
fn messages(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for rule in fields.get("x-kubernetes-validations").and_then(Value::as_array).into_iter().flatten() {
                found.push(rule["message"].as_str().unwrap_or_default().to_owned());
            }
            fields.values().for_each(|field| messages(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| messages(item, found)),
        _ => {}
    }
}

/// A LoadTest with these fields of spec, beside one plain load.
fn with(spec: &Value) -> Value {
    let mut test = json!({"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest", "metadata": {"name": "t"},
        "spec": {"loads": [{"name": "m", "url": "http://a/"}]}});
    for (name, value) in spec.as_object().unwrap() {
        test["spec"][name] = value.clone();
    }
    test
}

/// One load with these fields.
fn load(fields: Value) -> Value {
    let mut load = json!({"name": "m", "url": "http://a/"});
    for (name, value) in fields.as_object().unwrap() {
        load[name] = value.clone();
    }
    json!({"loads": [load]})
}

fn refusals(schema: &CompiledSchema, new: &Value, old: Option<&Value>) -> Vec<String> {
    let errors = Validator::new().validate_compiled(schema, new, old).err();
    errors.into_iter().flat_map(|errors| errors.into_vec()).map(|error| error.message).collect()
}

#[test]
fn every_rule_compiles() {
    let schema = compile_schema(&schema());
    assert!(!schema.has_errors(), "{:?}", schema.compilation_errors());
}

/// A rule's message (its beginning), specs that break this rule and no other, and specs that keep it.
type Case = (&'static str, Vec<Value>, Vec<Value>);

fn loads() -> Vec<Case> {
    let url = |url: &str| load(json!({"url": url}));
    let tasks = |tasks: Value| load(json!({"steps": [{"name": "s", "tasks": tasks}]}));
    let step = |mut fields: Value| {
        fields["name"] = "s".into();
        load(json!({"steps": [fields]}))
    };
    let (random, part) = (json!({"minBytes": 1, "maxBytes": 2}), json!({"name": "f", "bytes": 3}));
    let upload = |mut part: Value| {
        part["name"] = "f".into();
        step(json!({"upload": [part]}))
    };
    let capture = |mut from: Value| {
        from["name"] = "id".into();
        load(json!({"steps": [{"name": "s", "capture": [from]}]}))
    };
    vec![
        (
            "url must be http(s)://",
            vec![
                url("ftp://a/"),
                url("http://u:p@a/"),
                url("http://$(vars.h)/"),
                url("http://a/#x"),
                url("a"),
                url("http://a/b c"),
            ],
            vec![url("http://a"), url("https://a.b:8443/x?y=1"), url("http://[::1]:80/"), url("http://10.0.0.1")],
        ),
        (
            "set at most one of clients, rate",
            vec![load(json!({"clients": 1, "rate": 1, "durationSeconds": 1}))],
            vec![load(json!({"clients": 1})), load(json!({"rate": 1, "durationSeconds": 1}))],
        ),
        (
            "set at most one of iterations, durationSeconds",
            vec![load(json!({"iterations": 1, "durationSeconds": 1}))],
            vec![load(json!({"iterations": 1})), load(json!({"durationSeconds": 1}))],
        ),
        (
            "rate needs durationSeconds",
            vec![load(json!({"rate": 1}))],
            vec![load(json!({"rate": 1, "durationSeconds": 9}))],
        ),
        (
            "perSeconds and maxInFlight need rate",
            vec![load(json!({"perSeconds": 1})), load(json!({"maxInFlight": 1}))],
            vec![load(json!({"rate": 1, "durationSeconds": 1, "perSeconds": 60, "maxInFlight": 5}))],
        ),
        (
            "warmupSeconds needs durationSeconds",
            vec![load(json!({"warmupSeconds": 1}))],
            vec![load(json!({"warmupSeconds": 1, "durationSeconds": 1}))],
        ),
        (
            "set exactly one of jsonPointer, perResponse",
            vec![tasks(json!({})), tasks(json!({"jsonPointer": "/n", "perResponse": 1}))],
            vec![tasks(json!({"jsonPointer": "/n"})), tasks(json!({"perResponse": 1}))],
        ),
        (
            "set at most one of body, upload, randomBody",
            vec![step(json!({"body": "a", "randomBody": random})), step(json!({"body": "a", "upload": [part]}))],
            vec![step(json!({"randomBody": random})), step(json!({"upload": [part]})), step(json!({"body": "a"}))],
        ),
        (
            "set exactly one of value, bytes, configMapKeyRef",
            vec![upload(json!({})), upload(json!({"value": "v", "bytes": 1}))],
            vec![upload(json!({"value": "v"})), upload(json!({"configMapKeyRef": {"name": "c", "key": "k"}}))],
        ),
        (
            "filename is for bytes and configMapKeyRef",
            vec![upload(json!({"value": "v", "filename": "f"}))],
            vec![upload(json!({"bytes": 1, "filename": "f"}))],
        ),
        (
            "set exactly one of jsonPointer, header, cookie",
            vec![
                capture(json!({})),
                capture(json!({"jsonPointer": "/n", "header": "x"})),
                capture(json!({"header": "x", "cookie": "x"})),
            ],
            ["jsonPointer", "header", "cookie"]
                .map(|from| capture(json!({from: if from == "jsonPointer" { "/n" } else { "x" }})))
                .to_vec(),
        ),
    ]
}

const KEY: fn() -> Value = || json!({"secretKeyRef": {"name": "s", "key": "k"}});

fn parts() -> Vec<Case> {
    let postgres = || json!({"postgres": {"urlFrom": KEY()}});
    let measured = |m: Value| json!({"targets": [{"name": "api", "workloadRef": {"name": "x"}}], "measurements": [m]});
    let http = || json!({"url": "http://a/", "jsonPointer": "/n"});
    let var = |fields: Value| json!({"vars": [fields]});
    vec![
        (
            "set rds, postgres or both",
            vec![json!({"database": {}})],
            vec![json!({"database": {"rds": {"instance": "d"}}}), json!({"database": postgres()})],
        ),
        (
            "set exactly one of http, sql, log",
            vec![
                measured(json!({"name": "m"})),
                measured(json!({"name": "m", "http": http(), "log": {"target": "api", "regex": "x"}})),
            ],
            vec![
                measured(json!({"name": "m", "http": http()})),
                measured(json!({"name": "m", "log": {"target": "api", "regex": "x"}})),
            ],
        ),
        (
            "a log measurement must name a target, and sql needs database.postgres",
            vec![
                measured(json!({"name": "m", "log": {"target": "gone", "regex": "x"}})),
                measured(json!({"name": "m", "sql": "select 1"})),
                json!({"measurements": [{"name": "m", "sql": "select 1"}], "database": {"rds": {"instance": "d"}}}),
            ],
            vec![json!({"measurements": [{"name": "m", "sql": "select 1"}], "database": postgres()})],
        ),
        (
            "set exactly one of value, valueFrom",
            vec![var(json!({"name": "v"})), var(json!({"name": "v", "value": "x", "valueFrom": KEY()}))],
            vec![var(json!({"name": "v", "value": ""})), var(json!({"name": "v", "valueFrom": KEY()}))],
        ),
        (
            "set exactly one of secretKeyRef, configMapKeyRef",
            vec![
                var(json!({"name": "v", "valueFrom": {}})),
                var(
                    json!({"name": "v", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}, "configMapKeyRef": {"name": "s", "key": "k"}}}),
                ),
            ],
            vec![
                var(json!({"name": "v", "valueFrom": KEY()})),
                var(json!({"name": "v", "valueFrom": {"configMapKeyRef": {"name": "s", "key": "k"}}})),
            ],
        ),
        (
            "settle.until names a measurement",
            vec![json!({"settle": {"until": {"measurement": "gone"}}})],
            vec![
                json!({"settle": {"seconds": 1}}),
                json!({"settle": {"until": {"measurement": "n"}}, "measurements": [{"name": "n", "http": http()}]}),
            ],
        ),
        (
            "tasksCheck names a measurement",
            vec![json!({"tasksCheck": {"measurement": "gone"}})],
            vec![json!({"tasksCheck": {"measurement": "n"}, "measurements": [{"name": "n", "http": http()}]})],
        ),
    ]
}

fn sweeps() -> Vec<Case> {
    let sweep = |entry: Value| json!({"targets": [{"name": "api", "workloadRef": {"name": "x"}}], "sweep": [entry]});
    let swept = |name: &str| json!({"name": name, "values": ["1", "2"]});
    let grown = |entry: Value| {
        json!({"targets": [{"name": "api", "workloadRef": {"name": "x"}}], "sweep": [entry],
            "actions": [{"name": "grow", "when": "AfterLoad", "scale": {"target": "api", "replicas": 1}}]})
    };
    vec![
        (
            "set exactly one of clients, rate, replicas, cpu, memory, env, variable",
            vec![
                sweep(json!({"load": "m", "clients": [1], "rate": [1]})),
                sweep(json!({"target": "api", "cpu": [1], "memory": [1]})),
                sweep(json!({"target": "api", "cpu": [1], "env": swept("A")})),
            ],
            vec![
                sweep(json!({"load": "m", "clients": [1]})),
                sweep(json!({"target": "api", "cpu": ["500m", 1]})),
                sweep(json!({"variable": swept("v")})),
            ],
        ),
        (
            "clients and rate need load",
            vec![sweep(json!({"clients": [1]})), sweep(json!({"load": "m", "target": "api", "replicas": [1]}))],
            vec![sweep(json!({"load": "m", "rate": [1]}))],
        ),
        (
            "replicas, cpu, memory and env need target",
            vec![
                sweep(json!({"memory": ["1Gi"]})),
                sweep(json!({"load": "m", "target": "api", "clients": [1]})),
                sweep(json!({"env": swept("A")})),
                sweep(json!({"target": "api", "variable": swept("v")})),
            ],
            vec![sweep(json!({"target": "api", "replicas": [0]})), sweep(json!({"target": "api", "env": swept("A")}))],
        ),
        (
            "action needs replicas and no target",
            vec![grown(json!({"action": "grow", "target": "api", "replicas": [1]}))],
            vec![grown(json!({"action": "grow", "replicas": [1, 2]}))],
        ),
        (
            "sweep names a target, load or scaling action that is not defined",
            vec![
                sweep(json!({"action": "gone", "replicas": [1]})),
                sweep(json!({"load": "gone", "clients": [1]})),
                sweep(json!({"target": "gone", "replicas": [1]})),
                json!({"sweep": [{"target": "api", "cpu": [1]}]}),
            ],
            vec![sweep(json!({"target": "api", "memory": ["1Gi"]}))],
        ),
    ]
}

fn columns() -> Vec<Case> {
    let column = |fields: Value| {
        let mut column = json!({"title": "T"});
        column.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!({"columns": [column]})
    };
    vec![(
        "set exactly one of metric, text",
        vec![column(json!({})), column(json!({"metric": "tasks", "text": "x"}))],
        vec![column(json!({"metric": "tasks"})), column(json!({"text": ""}))],
    )]
}

fn actions() -> Vec<Case> {
    let act = |entry: Value| {
        let mut action = json!({"name": "a", "when": "DuringLoad"});
        action.as_object_mut().unwrap().extend(entry.as_object().unwrap().clone());
        json!({"targets": [{"name": "api", "workloadRef": {"name": "x"}}], "actions": [action]})
    };
    let restart = || json!({"target": "api"});
    let beside_database = |mut spec: Value| {
        spec["database"] = json!({"postgres": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}});
        spec
    };
    let every = |least: i32, most: i32| json!({"minSeconds": least, "maxSeconds": most});
    vec![
        (
            "set exactly one of scale, deletePods, restart, sql, http, job",
            vec![act(json!({})), act(json!({"restart": restart(), "deletePods": {"target": "api"}}))],
            vec![act(json!({"restart": restart()})), act(json!({"deletePods": {"target": "api", "count": 2}}))],
        ),
        (
            "afterSeconds, forSeconds, every and graceSeconds need when: DuringLoad",
            vec![
                act(json!({"when": "BeforeRow", "afterSeconds": 1, "restart": restart()})),
                act(json!({"when": "BeforeRow", "graceSeconds": 1, "restart": restart()})),
                act(json!({"when": "BeforeRow", "every": every(1, 2), "restart": restart()})),
                act(json!({"when": "AfterLoad", "forSeconds": 1, "scale": {"target": "api", "replicas": 0}})),
            ],
            vec![
                act(json!({"when": "BeforeRow", "timeoutSeconds": 9, "restart": restart()})),
                act(json!({"afterSeconds": 1, "graceSeconds": 1, "restart": restart()})),
            ],
        ),
        (
            "scale in mid-load needs forSeconds, and forSeconds needs scale",
            vec![
                act(json!({"forSeconds": 1, "restart": restart()})),
                act(json!({"scale": {"target": "api", "replicas": 0}})),
            ],
            vec![act(json!({"forSeconds": 1, "scale": {"target": "api", "replicas": 0}}))],
        ),
        (
            "scale needs when: DuringLoad or AfterLoad; restart and deletePods need when: BeforeRow or DuringLoad",
            vec![
                act(json!({"when": "BeforeRow", "scale": {"target": "api", "replicas": 0}})),
                act(json!({"when": "AfterRun", "restart": restart()})),
                act(json!({"when": "AfterLoad", "deletePods": {"target": "api"}})),
            ],
            vec![
                act(json!({"when": "AfterLoad", "scale": {"target": "api", "replicas": 3}})),
                act(json!({"when": "AfterRun", "http": {"url": "http://a/hook"}})),
                act(json!({"when": "BeforeRun", "job": {"cronJobRef": {"name": "reset"}}})),
            ],
        ),
        (
            "an action with sql needs database.postgres",
            vec![act(json!({"sql": "select 1"}))],
            vec![beside_database(act(json!({"when": "AfterRow", "sql": "select 1"})))],
        ),
        (
            "every can't be used with scale",
            vec![
                act(json!({"every": every(2, 1), "restart": restart()})),
                act(json!({"every": every(1, 2), "forSeconds": 1, "scale": {"target": "api", "replicas": 0}})),
            ],
            vec![act(json!({"every": every(2, 2), "restart": restart()}))],
        ),
        (
            "an action names a target that is not defined",
            vec![
                act(json!({"restart": {"target": "gone"}})),
                json!({"actions": [{"name": "a", "when": "BeforeRow", "deletePods": {"target": "api"}}]}),
            ],
            vec![act(json!({"restart": restart()}))],
        ),
    ]
}

fn thresholds() -> Vec<Case> {
    let limit = |metric: &str| json!({"thresholds": [{"metric": metric, "max": 1}]});
    let stop = |mut threshold: Value| {
        threshold["stop"] = true.into();
        json!({"thresholds": [threshold]})
    };
    let beside = |metric: &str, spec: Value| {
        let mut all = limit(metric);
        all.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        all
    };
    let database = || json!({"database": {"rds": {"instance": "d"}}});
    let number = || json!({"measurements": [{"name": "n", "http": {"url": "http://a/", "jsonPointer": "/n"}}]});
    let target = || json!({"targets": [{"name": "api", "workloadRef": {"name": "x"}}]});
    let unknown = [
        "latency.p97Ms",
        "latency",
        "p99",
        "requests.lost",
        "loads.m.backlog",
        "latency.p99Ms ",
        "Tasks",
        "steps.s.latency.p99Ms",
    ];
    let unknown_figures = ["database.cpu.maximum", "database.cpuPercent", "database.cpuPercent.p99"];
    let known = [
        "tasks",
        "tasksPerSecond",
        "requests.failedPercent",
        "loads.m.service.maxMs",
        "lateness.p99Ms",
        "backlogSlopePerSecond",
    ];
    vec![
        (
            "stop needs max, and a figure that a generator knows",
            vec![
                stop(json!({"metric": "latency.p99Ms", "min": 1})),
                stop(json!({"metric": "requests.late", "max": 1})),
                stop(json!({"metric": "tasksPerSecond", "max": 1})),
                stop(json!({"metric": "loads.m.requests.perSecond", "max": 1})),
            ],
            vec![
                stop(json!({"metric": "requests.failedPercent", "max": 1})),
                stop(json!({"metric": "loads.m.latency.p99Ms", "max": "0.5"})),
                json!({"thresholds": [{"metric": "requests.late", "max": 1, "stop": false}]}),
            ],
        ),
        (
            "set max, min or both",
            vec![json!({"thresholds": [{"metric": "tasks"}]})],
            vec![
                json!({"thresholds": [{"metric": "tasks", "min": 0}]}),
                json!({"thresholds": [{"metric": "tasks", "min": "0.5", "max": 9}]}),
            ],
        ),
        (
            "unknown metric",
            unknown.map(limit).into_iter().chain(unknown_figures.map(|metric| beside(metric, database()))).collect(),
            known
                .map(limit)
                .into_iter()
                .chain(
                    ["dbLoadNonCpu.settled", "proxyBorrowLatencyMs.maximum"]
                        .map(|figure| beside(&format!("database.{figure}"), database())),
                )
                .collect(),
        ),
        (
            "a database threshold needs spec.database",
            vec![limit("database.cpuPercent.maximum")],
            vec![beside("database.queueDepth.last", database())],
        ),
        (
            "a threshold names a measurement",
            vec![limit("measurements.n.last"), beside("measurements.nn.last", number())],
            vec![beside("measurements.n.last", number())],
        ),
        (
            "a threshold names a load",
            vec![limit("loads.gone.tasks"), limit("loads.mm.tasks")],
            vec![limit("loads.m.tasks")],
        ),
        (
            "a threshold names a target",
            vec![limit("targets.api.restarts"), beside("targets.ap.restarts", target())],
            vec![beside("targets.api.cpuMaxPercent", target())],
        ),
    ]
}

#[test]
fn each_rule_refuses_what_breaks_it_alone_and_accepts_what_keeps_it() {
    let schema = compile_schema(&schema());
    for (message, breaking, keeping) in [loads(), parts(), sweeps(), columns(), actions(), thresholds()].concat() {
        for spec in breaking {
            let got = refusals(&schema, &with(&spec), None);
            assert!(got.len() == 1 && got[0].starts_with(message), "{message}\n{spec}\n{got:?}");
        }
        for spec in keeping {
            assert_eq!(refusals(&schema, &with(&spec), None), [""; 0], "{message}\n{spec}");
        }
    }
}

#[test]
fn the_table_above_and_the_tests_below_speak_of_every_rule() {
    let mut all = Vec::new();
    messages(&schema(), &mut all);
    let cases = [loads(), parts(), sweeps(), columns(), actions(), thresholds()].concat();
    let elsewhere = ["the name must be a DNS label", "spec is immutable while a run is in progress"];
    let known: BTreeSet<&str> = cases.iter().map(|(message, ..)| *message).chain(elsewhere).collect();
    for message in &all {
        assert!(known.iter().any(|known| message.starts_with(known)), "no case breaks the rule {message:?}");
    }
    for known in known {
        assert!(all.iter().any(|message| message.starts_with(known)), "there is no rule {known:?} any more");
    }
}

#[test]
fn a_test_is_named_so_that_pods_can_be_named_after_it() {
    let schema = compile_schema(&schema());
    let named = |name: &str| {
        let mut test = with(&json!({}));
        test["metadata"]["name"] = name.into();
        refusals(&schema, &test, None).is_empty()
    };
    assert!(["a", "task-ingestion", "a9", &"a".repeat(40)].iter().all(|name| named(name)));
    assert!(!["a.b", "9a", "a-", "-a", "A", "a_b", "", &"a".repeat(41)].iter().any(|name| named(name)));
}

/// A value for every field of spec that is not the one of [`whole`].
fn edits() -> Vec<(&'static str, Value)> {
    vec![
        ("loads", json!([{"name": "m", "url": "http://a/", "clients": 2}])),
        ("targets", json!([{"name": "api", "workloadRef": {"name": "y"}}])),
        ("database", json!({"rds": {"instance": "other"}})),
        ("measurements", json!([{"name": "n", "http": {"url": "http://a/", "jsonPointer": "/other"}}])),
        ("sweep", json!([{"load": "m", "clients": [1, 3]}])),
        ("repeats", json!(3)),
        ("settle", json!({"seconds": 4})),
        ("tasksCheck", json!({"measurement": "k"})),
        ("thresholds", json!([{"metric": "latency.p99Ms", "max": 501}])),
        ("deadlines", json!({"totalSeconds": 601})),
        ("pods", json!({"cpu": 3})),
        ("vars", json!([{"name": "v", "value": "other"}])),
        ("actions", json!([{"name": "r", "when": "DuringLoad", "restart": {"target": "api"}}])),
        ("columns", json!([{"title": "Run", "metric": "tasks"}])),
        ("seed", json!(2)),
        ("ttlSecondsAfterFinished", json!(61)),
        ("runId", json!("b")),
        ("suspend", json!(true)),
        ("cancel", json!(true)),
    ]
}

/// A spec with every field set.
fn whole() -> Value {
    with(&json!({
        "targets": [{"name": "api", "workloadRef": {"name": "x"}}],
        "database": {"rds": {"instance": "d"}},
        "measurements": [{"name": "n", "http": {"url": "http://a/", "jsonPointer": "/n"}}, {"name": "k", "http": {"url": "http://a/", "jsonPointer": "/k"}}],
        "sweep": [{"load": "m", "clients": [1, 2]}],
        "repeats": 2,
        "settle": {"seconds": 3},
        "tasksCheck": {"measurement": "n"},
        "thresholds": [{"metric": "latency.p99Ms", "max": 500}],
        "deadlines": {"totalSeconds": 600},
        "pods": {"cpu": 2},
        "vars": [{"name": "v", "value": "x"}],
        "actions": [{"name": "r", "when": "BeforeRow", "restart": {"target": "api"}}],
        "columns": [{"title": "Run", "metric": "run"}],
        "seed": 1,
        "ttlSecondsAfterFinished": 60,
        "runId": "a",
        "suspend": false,
        "cancel": false
    }))
}

fn in_phase(mut test: Value, phase: Option<&str>) -> Value {
    if let Some(phase) = phase {
        test["status"] = json!({"phase": phase});
    }
    test
}

#[test]
fn the_freeze_matrix_has_every_field_and_every_phase() {
    let schema = schema();
    let fields: BTreeSet<String> =
        schema["properties"]["spec"]["properties"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(edits().iter().map(|(field, _)| (*field).to_owned()).collect::<BTreeSet<_>>(), fields);
    assert_eq!(whole()["spec"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>(), fields);
    let phases = schema["properties"]["status"]["properties"]["phase"]["enum"].as_array().unwrap().clone();
    let known: BTreeSet<&str> = PHASES.iter().flatten().copied().collect();
    assert_eq!(phases.iter().filter_map(Value::as_str).collect::<BTreeSet<_>>(), known);
}

const PHASES: [Option<&str>; 7] =
    [None, Some("Pending"), Some("Claiming"), Some("Running"), Some("Restoring"), Some("Evidence"), Some("Finished")];

#[test]
fn a_test_in_progress_can_be_suspended_and_cancelled_and_nothing_else() {
    let schema = compile_schema(&schema());
    for phase in PHASES {
        let open = matches!(phase, None | Some("Pending" | "Finished"));
        for (field, value) in edits() {
            let may = open || field == "suspend" || field == "cancel";
            let without = |mut test: Value| {
                test["spec"].as_object_mut().unwrap().remove(field);
                in_phase(test, phase)
            };
            let (old, mut new) = (in_phase(whole(), phase), in_phase(whole(), phase));
            new["spec"][field] = value;
            check(&schema, (&old, &new), may, &format!("{field} changed in {phase:?}"));
            // Loads can't be absent; a default stands where repeats, suspend and cancel are not.
            if field != "loads" {
                check(&schema, (&without(whole()), &new), may, &format!("{field} added in {phase:?}"));
                check(&schema, (&new, &without(new.clone())), may, &format!("{field} removed in {phase:?}"));
            }
        }
        let (old, mut new) = (in_phase(whole(), phase), in_phase(whole(), phase));
        new["spec"]["cancel"] = json!(true);
        new["metadata"]["labels"] = json!({"a": "b"});
        check(&schema, (&old, &new), true, &format!("cancelled and labelled in {phase:?}"));
        new["spec"]["repeats"] = json!(9);
        check(&schema, (&old, &new), open, &format!("cancelled and edited in {phase:?}"));
    }
}

/// Rules about what a part names are broken when that part goes; only the freeze is looked at.
fn check(schema: &CompiledSchema, (old, new): (&Value, &Value), may: bool, what: &str) {
    let frozen = refusals(schema, new, Some(old)).iter().any(|message| message.starts_with("spec is immutable"));
    assert_eq!(!frozen, may, "{what}");
}
