use serde_json::json;

use super::*;

const BOTH: StandIns = StandIns { postgres: true, ca_file: true };
const NONE: StandIns = StandIns { postgres: false, ca_file: false };

fn spec() -> LoadTestSpec {
    serde_json::from_value(json!({
        "loads": [{"name": "a", "url": "https://a", "clients": 4, "generators": 4,
            "tls": {"caFrom": {"configMapKeyRef": {"name": "ca", "key": "ca.crt"}}}}],
        "targets": [{"name": "api", "workloadRef": {"name": "api"}, "replicas": 2}],
        "database": {"rds": {"instance": "db", "proxy": "pool"}, "postgres": {"urlFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}},
        "measurements": [
            {"name": "pending", "sql": "select 1"},
            {"name": "timeouts", "log": {"target": "api", "regex": "X"}},
        ],
        "sweep": [
            {"load": "a", "clients": [4, 8], "group": "g"},
            {"target": "api", "replicas": [1, 2], "group": "g"},
        ],
        "settle": {"until": {"measurement": "pending"}},
        "tasksCheck": {"measurement": "pending"},
        "thresholds": [
            {"metric": "latency.p99Ms", "max": 1}, {"metric": "targets.api.restarts", "max": 0},
            {"metric": "measurements.timeouts.last", "max": 0}, {"metric": "database.cpuPercent.maximum", "max": 9},
            {"metric": "database.connections.maximum", "max": 9}, {"metric": "backlog", "max": 9},
            {"metric": "tasksUnaccounted", "max": 0}, {"metric": "database.proxyBorrowLatencyMs.maximum", "max": 9},
        ],
        "pods": {"cpu": "2"}, "ttlSecondsAfterFinished": 60, "suspend": true,
    }))
    .expect("a spec")
}

fn paths(stand_ins: StandIns) -> Vec<String> {
    without_cluster(&spec(), stand_ins).1.into_iter().map(|one| one.path).collect()
}

#[test]
fn what_a_laptop_can_do_stays_and_the_rest_is_named() {
    let (left, _) = without_cluster(&spec(), BOTH);
    assert_eq!(
        paths(BOTH),
        [
            "spec.loads[0].generators",
            "spec.targets[0]",
            "spec.database.rds",
            "spec.measurements[1]",
            "spec.sweep[1]",
            "spec.thresholds[1]",
            "spec.thresholds[2]",
            "spec.thresholds[3]",
            "spec.thresholds[7]",
            "spec.pods",
            "spec.ttlSecondsAfterFinished",
            "spec.suspend"
        ]
    );
    assert_eq!((left.thresholds.len(), left.sweep.len(), left.measurements.len()), (4, 1, 1));
    assert!(left.tasks_check.is_some() && left.database.is_some());
    let plan = crate::plan::plan(&left).expect("what is left is a plan");
    assert_eq!(plan.rows.len(), 2);
}

#[test]
fn without_postgresql_all_that_rests_on_it_is_named_too() {
    let named = paths(NONE);
    for path in [
        "spec.loads[0].tls.caFrom",
        "spec.database.postgres",
        "spec.measurements[0]",
        "spec.settle.until",
        "spec.tasksCheck",
        "spec.thresholds[4]",
        "spec.thresholds[5]",
        "spec.thresholds[6]",
    ] {
        assert!(named.iter().any(|one| one == path), "{path} is not in {named:?}");
    }
    let (left, _) = without_cluster(&spec(), NONE);
    assert_eq!(left.thresholds.len(), 1);
    assert!(crate::plan::plan(&left).is_ok());
}

#[test]
fn statements_and_requests_beside_the_load_stay_and_what_is_done_to_the_cluster_is_named() {
    let mut spec = spec();
    spec.actions = serde_json::from_value(json!([
        {"name": "reset", "when": "BeforeRow", "job": {"cronJobRef": {"name": "reset"}}},
        {"name": "clean", "when": "BeforeRow", "sql": "truncate tasks"},
        {"name": "cut", "when": "DuringLoad", "afterSeconds": 1, "sql": "select 1"},
        {"name": "fresh", "when": "BeforeRow", "restart": {"target": "api"}},
        {"name": "tell", "when": "AfterRun", "http": {"url": "http://chat"}},
    ]))
    .expect("actions");
    let (with, without) = (without_cluster(&spec, BOTH), without_cluster(&spec, NONE));
    let left = |spec: &LoadTestSpec| spec.actions.iter().map(|one| one.name.0.clone()).collect::<Vec<_>>();
    assert_eq!((left(&with.0), left(&without.0)), (vec!["clean".into(), "tell".into()], vec!["tell".to_owned()]));
    let named = with.1.iter().map(|one| one.path.as_str()).filter(|path| path.starts_with("spec.actions"));
    assert_eq!(named.collect::<Vec<_>>(), ["spec.actions[0]", "spec.actions[2]", "spec.actions[3]"]);
    assert!(without.1.iter().any(|one| one.path == "spec.actions[1]" && one.why == "clean asks database.postgres"));
}

#[test]
fn a_manifest_that_needs_no_cluster_is_left_as_it_is() {
    let plain: LoadTestSpec =
        serde_json::from_value(json!({"loads": [{"name": "a", "url": "http://a"}]})).expect("a spec");
    assert_eq!(without_cluster(&plain, NONE), (plain, vec![]));
}

#[test]
fn a_column_of_a_figure_that_is_not_there_is_left_out_and_named_and_the_others_make_a_plan() {
    let column = |metric: &str| json!({"title": metric, "metric": metric});
    let mut spec = spec();
    let metrics = [
        "run",
        "set.a.clients",
        "set.api.replicas",
        "database.proxyBorrowLatencyMs.average",
        "database.connections.maximum",
        "targets.api.restarts",
        "measurements.timeouts.last",
        "tasks",
    ];
    spec.columns = metrics.iter().map(|metric| serde_json::from_value(column(metric)).expect("a column")).collect();
    for (stand_ins, kept) in [
        (BOTH, vec!["run", "set.a.clients", "database.connections.maximum", "tasks"]),
        (NONE, vec!["run", "set.a.clients", "tasks"]),
    ] {
        let (left, named) = without_cluster(&spec, stand_ins);
        let metrics: Vec<&str> = left.columns.iter().filter_map(|column| column.metric.as_deref()).collect();
        assert_eq!(metrics, kept);
        assert_eq!(named.iter().filter(|one| one.path.starts_with("spec.columns[")).count(), 8 - kept.len());
        assert!(crate::plan::plan(&left).is_ok(), "{:?}", crate::plan::plan(&left).err());
    }
}
