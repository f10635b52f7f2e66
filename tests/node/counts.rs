//! A test that passes: every count is checked against the database's own, and nothing is left behind.

use serde_json::Value;

use crate::admission::assert_restricted;
use crate::application::{load_test, tasks};
use crate::checks::{assert_ended, assert_in_order, row};
use crate::examples::cells;
use crate::space::Space;

const SPEC: &str = "
  targets:
  - {name: api, workloadRef: {name: api}, replicas: 2, cpu: 100m, memory: 64Mi}
  - {name: worker, workloadRef: {name: worker}, replicas: 2, cpu: 50m, memory: 32Mi, env: [{name: WORK_MS, value: '1'}]}
  loads:
  - name: ingest
    url: http://api:8080
    steps:
    - {name: burst, path: '/burst?seconds=6', timeoutSeconds: 60, tasks: {jsonPointer: /tasks_executed}}
  sweep:
  - {load: ingest, clients: [1, 3]}
  database:
    postgres: {urlFrom: {secretKeyRef: {name: db, key: url}}}
  measurements:
  - {name: created, sql: select count(*) from tasks where created_at >= $(row.start)}
  - {name: pending, http: {url: 'http://api:8080/tasks/count?state=waiting,running', jsonPointer: /count}}
  tasksCheck: {measurement: created}
  settle: {seconds: 3, until: {measurement: pending}, timeoutSeconds: 120}
  thresholds:
  - {metric: tasksUnaccounted, min: 0, max: 0}
  - {metric: requests.failed, max: 0}
  - {metric: targets.api.restarts, max: 0}
";

/// Rows that PostgreSQL got from the start of a row to its end.
fn created_in(space: &Space, row: &Value) -> i64 {
    let (from, to) = (row["startedAt"].as_str().unwrap(), row["endedAt"].as_str().unwrap());
    let sql = format!("select count(*) from tasks where created_at between '{from}' and '{to}'");
    let count = space.ask(&sql);
    count.parse().unwrap_or_else(|_| panic!("psql answered {count:?}"))
}

#[tokio::test]
async fn the_tasks_of_each_row_are_those_that_postgresql_got_and_everything_is_put_back() {
    let Some(space) = Space::new("counts").await else { return };
    assert_restricted(&space).await;
    space.create(&tasks()).await;
    space.all_ready().await;
    let before = space.written().await;
    space.apply(&load_test("ingest", SPEC)).await;

    space.at("ingest", 1, "Loading").await;
    let now = space.written().await;
    let api = &now.iter().find(|written| **written != before[0] && written.spec["replicas"] == 2).unwrap().spec;
    let resources = &api["template"]["spec"]["containers"][0]["resources"];
    assert_eq!(resources["requests"], resources["limits"], "a size is a request and a limit");

    let test = space.ended("ingest").await;
    assert_ended(&test, "Passed", "ThresholdsMet");
    space.assert_put_back(&before).await;
    for number in [1, 2] {
        let row = row(&test, number);
        assert_eq!(row["verdict"], "Passed", "{row}");
        let tasks = row["tasks"].as_i64().unwrap();
        assert!(tasks > 0);
        assert_eq!(tasks, created_in(&space, row), "{row}");
        assert_eq!(row["tasksUnaccounted"], 0, "{row}");
        assert!(row["database"].as_array().is_some_and(|figures| !figures.is_empty()), "{row}");
    }
    let all = space.ask("select count(*) from tasks");
    let sum: i64 = [1, 2].iter().map(|number| row(&test, *number)["tasks"].as_i64().unwrap()).sum();
    assert_eq!(all, sum.to_string(), "load outside of the rows");

    let table = test["status"]["table"].as_str().unwrap();
    let cells = cells(&test);
    let head = &cells[0];
    assert_eq!([&head[0], &head[head.len() - 1]], ["Run", "Observations"], "{table}");
    assert_eq!(cells.len(), 4, "a head, a rule and two rows:\n{table}");
    let column = head.iter().position(|head| head == "Tasks").unwrap_or_else(|| panic!("no column Tasks:\n{table}"));
    for number in [1, 2] {
        let line = &cells[1 + usize::try_from(number).unwrap()];
        assert_eq!(line[column].replace([',', ' '], ""), row(&test, number)["tasks"].to_string(), "{table}");
    }

    let name = test["status"]["reportRef"]["name"].as_str().unwrap();
    let report = space.get("configmaps", name).await.unwrap();
    let files: Vec<_> =
        report["data"].as_object().unwrap().iter().filter(|(_, text)| !text.as_str().unwrap().is_empty()).collect();
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["junit.xml", "results.csv", "results.json", "table.md"]);

    // Arming stands where it came first: the observer arms before the first row.
    let steps = ["Claiming", "Arming", "RollingOut", "CreatingGenerators", "WaitingForStart", "Loading", "Collecting"];
    let end = ["Settling", "Restoring", "Restored", "ThresholdsMet"];
    assert_in_order(&space.reasons("ingest").await, &[&steps[..], &end[..]].concat());
}
