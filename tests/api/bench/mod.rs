//! What the operator costs: memory, writes, and calls, with a thousand finished tests and twenty running ones. `make bench-operator`
//! runs it; it prints a table and fails where a goal is missed.
//!
//! Real: the operator's process, the API server, the Job controller, the scheduler. Played by `standin.rs`: the node, and what
//! its kubelet would write of the generators' pods, whose logs can't be read (their counts come from the termination message).

mod audit;
mod finished;
mod standin;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use self::audit::Audit;
use crate::cluster::eventually::eventually;
use crate::cluster::space::Space;
use crate::operator::Operator;

const FINISHED: usize = 1000;
const RUNNING: usize = 20;
/// Length of the running tests' rows, in seconds.
const ROW: u64 = 60;
/// How long calls are counted while nothing runs, in seconds.
const REST: u64 = 65;
/// How long writes are counted while all are loading, in seconds.
const LOADING: u64 = 40;
const LIMITS: &str = "limits: {maxConcurrentTests: 1000}\n";

/// One line of the table.
struct Line {
    what: String,
    measured: f64,
    goal: f64,
    unit: &'static str,
}

impl Line {
    fn holds(&self) -> bool {
        self.measured <= self.goal
    }
}

async fn seconds(number: u64) {
    tokio::time::sleep(Duration::from_secs(number)).await;
}

/// Calls a minute of an operator that has nothing to do, its first list left out; and its memory in MiB, now and at most.
async fn at_rest(operator: &Operator, audit: &Audit) -> (f64, f64, f64) {
    eventually("the operator has started", 60, async || {
        if operator.log().contains("\"started\"") { Ok(()) } else { Err(operator.log()) }
    })
    .await;
    seconds(15).await;
    let from = audit.end();
    seconds(REST).await;
    let calls = audit.since(from).len();
    #[allow(clippy::cast_precision_loss)] // a few dozen
    let calls = calls as f64 * 60.0 / REST as f64;
    (calls, operator.memory("VmRSS"), operator.memory("VmHWM"))
}

/// The longest of five starts, from the process to where it says that it is ready, milliseconds.
async fn longest_start(config: &Path, namespace: &str) -> f64 {
    let mut longest: f64 = 0.0;
    for start in 1..=5 {
        let operator = Operator::start_as(config, namespace, LIMITS);
        let took = eventually("the operator is ready", 60, async || {
            let log = operator.log();
            let line = log.lines().find(|line| line.contains("\"message\":\"ready;")).ok_or(log.clone())?;
            let line: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
            line["milliseconds"].as_f64().ok_or_else(|| line.to_string())
        })
        .await;
        eprintln!("start {start}: ready after {took:.0} ms");
        longest = longest.max(took);
    }
    longest
}

/// Touches a finished test a hundred times; the writes that came of it.
async fn touched(space: &Space, audit: &Audit) -> usize {
    let from = audit.end();
    for number in 0..100 {
        let patch = json!({"metadata": {"annotations": {"touched": number.to_string()}}});
        space.merge("loadtests", &finished::name(0), patch).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    seconds(3).await;
    audit.since(from).iter().filter(|call| call.writes()).count()
}

fn running(number: usize) -> Value {
    let load = json!({"name": "m", "url": "http://web/", "clients": 1, "durationSeconds": ROW});
    json!({"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest", "metadata": {"name": format!("r{number}")},
        "spec": {"loads": [load], "settle": {"seconds": 0}, "deadlines": {"evidenceSeconds": 0}}})
}

async fn runs(space: &Space) -> Vec<Value> {
    let mut tests = space.list("loadtests", None).await;
    tests.retain(|test| test["metadata"]["name"].as_str().is_some_and(|name| name.starts_with('r')));
    tests
}

/// Twenty tests from their start to their end: status writes a second of each while all are loading, and of each in its whole life.
async fn twenty(space: &Space, audit: &Audit) -> (f64, f64) {
    let begun = audit.end();
    for number in 0..RUNNING {
        space.cluster.create(&space.name, &running(number), false).await.unwrap();
    }
    eventually("all twenty are loading", 110, async || {
        let steps: Vec<String> = runs(space)
            .await
            .iter()
            .map(|test| format!("{} {}", test["status"]["phase"], test["status"]["run"]["step"]))
            .collect();
        if steps.iter().all(|step| step.contains("Loading")) { Ok(()) } else { Err(steps.join(", ")) }
    })
    .await;
    let from = audit.end();
    seconds(LOADING).await;
    let loading = audit.since(from).iter().filter(|call| call.writes_status()).count();
    eventually("all twenty are over", 200, async || {
        let tests = runs(space).await;
        let left: Vec<&Value> = tests.iter().filter(|test| test["status"]["phase"] != "Finished").collect();
        left.first().map_or(Ok(()), |test| Err(format!("{} are left: {}", left.len(), test["status"])))
    })
    .await;
    for test in runs(space).await {
        let results = &test["status"]["results"];
        assert_eq!(
            results[0]["loads"][0]["requests"]["sent"], 60,
            "the stand-in's counts did not arrive: {}",
            test["status"]
        );
    }
    let all = audit.since(begun).iter().filter(|call| call.writes_status()).count();
    #[allow(clippy::cast_precision_loss)] // some hundreds
    let of_each = |writes: usize| writes as f64 / RUNNING as f64;
    (of_each(loading) / LOADING as f64, of_each(all))
}

fn print(lines: &[Line]) {
    eprintln!(
        "\n| operator, {FINISHED} finished and {RUNNING} running tests, rows of {ROW} s | measured | goal | |\n|---|---:|---:|---|"
    );
    for line in lines {
        let holds = if line.holds() { "holds" } else { "MISSED" };
        eprintln!("| {} | {:.2} {} | at most {:.2} | {holds} |", line.what, line.measured, line.unit, line.goal);
    }
    eprintln!(
        "\nplayed: the node and its kubelet (pods' states and termination messages); logs could not be read. All else was real."
    );
    eprintln!("calls and writes: the API server's audit log; memory: /proc of the operator's process");
}

#[tokio::test]
#[ignore = "takes minutes: make bench-operator"]
async fn what_the_operator_costs() {
    let Some(space) = Space::new("bench").await else { return };
    let (audit, config) = audit::of_operator(&space.cluster);
    let service =
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}});
    space.cluster.create(&space.name, &service, false).await.unwrap();

    let ready = longest_start(&config, &space.name).await;
    let operator = Operator::start_as(&config, &space.name, LIMITS);
    let (calls_before, ..) = at_rest(&operator, &audit).await;
    drop(operator);
    finished::create(&space, FINISHED).await;
    let mut operator = Operator::start_as(&config, &space.name, LIMITS);
    let (calls, resident, most) = at_rest(&operator, &audit).await;
    eprintln!("after the first list of {FINISHED} finished tests: {resident:.1} MiB, at most {most:.1} MiB");
    let writes = touched(&space, &audit).await;
    let standin = standin::start(&space).await;
    let (rate, writes_of_one) = twenty(&space, &audit).await;
    standin.abort();
    operator.assert_never_restarted();
    let line = |what: &str, measured, goal, unit| Line { what: what.into(), measured, goal, unit };
    #[allow(clippy::cast_precision_loss)] // a few
    let lines = [
        line("ready after the start of its process, the longest of five", ready, 2000.0, "ms"),
        line("memory, resident, at most", operator.memory("VmHWM"), 64.0, "MiB"),
        line("status writes of a loading test", rate, 0.2, "/s"),
        line("status writes of a test of one row, in all", writes_of_one, 12.0 + 0.2 * 90.0, ""),
        line("writes in a hundred reconciles of a finished test", writes as f64, 0.0, ""),
        line(
            &format!("calls a minute at rest, {FINISHED} finished (with none: {calls_before:.0})"),
            calls,
            calls_before + 2.0,
            "/min",
        ),
    ];
    print(&lines);
    assert!(lines.iter().all(Line::holds), "a goal was missed");
}
