//! What the operator says of itself: clean for Prometheus, of few series, and all that dashboards and alerts ask for is there.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use loadtest_operator::api::{LoadTestStatus, Phase};
use loadtest_operator::controller::metrics::{Ended, Metrics, Running};
use loadtest_operator::lifecycle::Change;
use loadtest_operator::runtime::process;
use prometheus::{Registry, TextEncoder};
use regex::Regex;
use serde_json::{Value, json};

/// Names that dashboards use and that are not the operator's: the kubelets' own (cAdvisor).
const FOREIGN: [&str; 2] = ["container_cpu_usage_seconds_total", "container_memory_working_set_bytes"];

fn chart(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/loadtest-operator").join(path)
}

fn operator() -> (Registry, Metrics) {
    let registry = process::registry().unwrap();
    let metrics = Metrics::new(&registry).unwrap();
    (registry, metrics)
}

fn text(registry: &Registry) -> String {
    TextEncoder::new().encode_to_string(&registry.gather()).unwrap()
}

/// A run of one row that ended so.
fn over(verdict: &str, reason: &str) -> LoadTestStatus {
    let ready = json!({"type": "Ready", "status": "True", "reason": reason, "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z"});
    serde_json::from_value(json!({"verdict": verdict, "conditions": [ready],
        "run": {"id": 1, "generation": 1, "planHash": "a", "hashVersion": 1, "protocolVersion": 1,
            "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:10:00Z"},
        "results": [{"row": 1, "verdict": "Passed", "tasks": 40,
            "loads": [{"name": "m", "requests": {"sent": 52, "ok": 40, "failed": 10, "capped": 2}}]}]}))
    .unwrap()
}

/// Every metric has a value.
fn busy() -> (Registry, Metrics) {
    let (registry, metrics) = operator();
    metrics.began();
    metrics.ended(Ended::Error, Duration::from_millis(3));
    metrics.called("200", "GET");
    metrics.leads("loadtest-operator", true);
    metrics.claims_left(0);
    metrics.recorded(&Change::Finish, &over("Passed", "ThresholdsMet"));
    let running = Running { namespace: "shop", name: "peak", row: 2, rows: 4 };
    metrics.stand([(Phase::Running, Some(running)), (Phase::Finished, None)].into_iter());
    (registry, metrics)
}

/// Runs promtool with `input`; its complaints, when it has any.
fn promtool(arguments: &[&str], folder: &Path, input: &str) -> Result<(), String> {
    let mut command = Command::new("promtool");
    command.args(arguments).current_dir(folder);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&said).into_owned()) }
}

#[test]
fn promtool_has_nothing_to_say_of_the_metrics() {
    let (registry, _) = busy();
    promtool(&["check", "metrics"], Path::new("."), &text(&registry)).unwrap();
    promtool(&["check", "metrics"], Path::new("."), "camelCase 1\n").unwrap_err();
}

#[test]
fn each_alert_is_raised_when_it_should_be() {
    let folder = tempfile::tempdir().unwrap();
    let test = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/metrics/alerts_test.yaml");
    std::fs::copy(chart("alerts/alerts.yaml"), folder.path().join("alerts.yaml")).unwrap();
    std::fs::copy(&test, folder.path().join("alerts_test.yaml")).unwrap();
    promtool(&["test", "rules", "alerts_test.yaml"], folder.path(), "").unwrap();
    let tested = std::fs::read_to_string(test).unwrap();
    let alerts = std::fs::read_to_string(chart("alerts/alerts.yaml")).unwrap();
    for alert in Regex::new(r"alert: (\w+)").unwrap().captures_iter(&alerts) {
        assert!(tested.contains(&format!("alertname: {}\n", &alert[1])), "{} is never raised in a test", &alert[1]);
    }
}

/// The names of metrics in an expression.
fn names(expression: &str) -> BTreeSet<String> {
    let found = Regex::new(r"\b(loadtest|controller_runtime|rest_client|leader_election|process|container|kube)_\w+");
    let plain = Regex::new(r#""[^"]*""#).unwrap().replace_all(expression, "");
    found.unwrap().find_iter(&plain).map(|name| name.as_str().to_owned()).collect()
}

fn expressions(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| match (key.as_str(), value) {
            ("expr" | "query", Value::String(text)) => all.push(text.clone()),
            _ => expressions(value, all),
        }),
        Value::Array(list) => list.iter().for_each(|value| expressions(value, all)),
        _ => {}
    }
}

#[test]
fn dashboards_and_alerts_ask_for_metrics_that_there_are() {
    let there = text(&busy().0);
    let mut asked = vec![std::fs::read_to_string(chart("alerts/alerts.yaml")).unwrap()];
    for file in ["operator.json", "runs.json"] {
        let board = std::fs::read_to_string(chart("dashboards").join(file)).unwrap();
        let before = asked.len();
        expressions(&serde_json::from_str(&board).unwrap(), &mut asked);
        assert!(asked.len() > before + 8, "{file} asks for little: {}", asked.len() - before);
    }
    for name in asked.iter().flat_map(|expression| names(expression)) {
        let known =
            there.lines().any(|line| line.starts_with(&format!("{name}{{")) || line.starts_with(&format!("{name} ")));
        assert!(known || FOREIGN.contains(&name.as_str()), "{name} is asked for, and the operator doesn't say it");
    }
}

#[test]
fn a_table_of_several_queries_is_one_table_and_the_version_is_shown_by_its_name() {
    for file in ["operator.json", "runs.json"] {
        let board = std::fs::read_to_string(chart("dashboards").join(file)).unwrap();
        let board: Value = serde_json::from_str(&board).unwrap();
        for panel in board["panels"].as_array().unwrap() {
            let queries = panel["targets"].as_array().unwrap();
            let merged =
                panel["transformations"].as_array().is_some_and(|all| all.iter().any(|one| one["id"] == "merge"));
            assert!(
                panel["type"] != "table" || queries.len() < 2 || merged,
                "{file}: {} shows one query",
                panel["title"]
            );
            let named = queries.iter().any(|query| query["expr"].as_str().unwrap().contains("loadtest_build_info)"));
            assert!(!named || panel["options"]["textMode"] == "name", "{file}: {} shows 1", panel["title"]);
        }
    }
}

#[test]
fn the_page_about_monitoring_names_every_metric() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/user/monitoring.md")).unwrap();
    for line in text(&busy().0).lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().unwrap();
        assert!(page.contains(&format!("`{name}`")), "docs/user/monitoring.md doesn't name {name}");
    }
}

#[test]
fn a_thousand_finished_tests_add_few_series() {
    let (registry, metrics) = busy();
    let before = text(&registry).lines().count();
    let outcomes = [
        ("Passed", "ThresholdsMet"),
        ("Failed", "RequestsFailed"),
        ("Invalid", "StartMissed"),
        ("Aborted", "Cancelled"),
    ];
    for test in 0..1_000 {
        let (verdict, reason) = outcomes[test % 4];
        metrics.began();
        metrics.recorded(&Change::Finish, &over(verdict, reason));
        metrics.ended(Ended::Success, Duration::from_millis(1));
    }
    metrics.stand((0..1_000).map(|_| (Phase::Finished, None)));
    let after = text(&registry);
    let added = after.lines().count() - before;
    assert!(added < 50, "{added} lines more:\n{after}");
    assert!(after.contains("loadtest_tests{phase=\"Finished\"} 1000\n"), "{after}");
}

#[test]
fn a_test_has_series_of_its_own_only_while_it_runs() {
    let (registry, metrics) = busy();
    let running = "loadtest_run_row{name=\"peak\",namespace=\"shop\"} 2\n";
    assert!(text(&registry).contains(running));
    metrics.stand([(Phase::Finished, None)].into_iter());
    assert!(!text(&registry).contains("loadtest_run_row{"));
}

#[test]
fn a_run_that_is_over_is_counted_with_what_it_fired() {
    let (registry, metrics) = operator();
    metrics.recorded(&Change::Finish, &over("Invalid", "StartMissed"));
    metrics.recorded(&Change::Loading, &over("Invalid", "StartMissed"));
    let text = text(&registry);
    for line in [
        "loadtest_runs_total{reason=\"StartMissed\",verdict=\"Invalid\"} 1",
        "loadtest_rows_total{verdict=\"Passed\"} 1",
        "loadtest_requests_total{outcome=\"ok\"} 40",
        "loadtest_requests_total{outcome=\"failed\"} 10",
        "loadtest_requests_total{outcome=\"capped\"} 2",
        "loadtest_tasks_total 40",
        "loadtest_run_seconds_sum{verdict=\"Invalid\"} 600",
    ] {
        assert!(text.contains(&format!("{line}\n")), "{line} is not in\n{text}");
    }
}
