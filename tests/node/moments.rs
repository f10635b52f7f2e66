//! Actions beside the targets: a Job of a CronJob before the row, statements in mid-load and after it, a notification after the
//! run. Each is done once, and nothing of them stays.

use serde_json::json;

use crate::application::{load_test, tasks};
use crate::checks::{assert_ended, row};
use crate::space::Space;

/// The reset and the notification are tasks of the application, so that PostgreSQL counts them.
const SPEC: &str = r#"
  vars:
  - {name: who, value: shop}
  loads:
  - name: slow
    url: http://api:8080/slow?milliseconds=2000
    clients: 2
    durationSeconds: 30
    steps: [{name: get, timeoutSeconds: 10}]
  database:
    postgres: {urlFrom: {secretKeyRef: {name: db, key: url}}}
  actions:
  - {name: reset, when: BeforeRow, job: {cronJobRef: {name: reset}}}
  - {name: mark, when: DuringLoad, afterSeconds: 15, sql: "create table acts (what text, at timestamptz default clock_timestamp()); insert into acts values ('mark')"}
  - {name: close, when: AfterRow, sql: "insert into acts values ($(vars.who))"}
  - name: tell
    when: AfterRun
    http:
      url: http://api:8080/tasks
      headers: [{name: Content-Type, value: application/json}]
      body: '{"run": "$(run.id)", "verdict": "$(run.verdict)", "message": "$(run.message)"}'
  settle: {seconds: 1}
"#;

/// A suspended CronJob whose pod asks the application for a task.
const RESET: &str = r#"---
apiVersion: batch/v1
kind: CronJob
metadata: {name: reset}
spec:
  suspend: true
  schedule: 0 0 1 1 *
  jobTemplate:
    spec:
      template:
        spec:
          automountServiceAccountToken: false
          restartPolicy: OnFailure
          securityContext: {runAsNonRoot: true, runAsUser: 999, seccompProfile: {type: RuntimeDefault}}
          containers:
          - name: reset
            image: dev.local/busybox:1
            imagePullPolicy: IfNotPresent
            command: [wget, -q, -O, "-", --post-data, '{"reset": true}', "http://api:8080/tasks"]
            securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"#;

#[tokio::test]
async fn a_job_statements_and_a_notification_are_each_done_once_at_their_moments() {
    let Some(space) = Space::new("moments").await else { return };
    space.create(&(tasks() + RESET)).await;
    space.all_ready().await;
    space.apply(&load_test("test", SPEC)).await;

    let test = space.ended("test").await;
    assert_ended(&test, "Passed", "ThresholdsMet");
    let row = row(&test, 1);
    let acts = row["actions"].as_array().unwrap();
    let times: Vec<_> = acts.iter().map(|act| (&act["name"], &act["times"], act.get("failed"))).collect();
    let (once, names) = (json!(1), ["reset", "mark", "close"].map(|name| json!(name)));
    assert_eq!(times, names.iter().map(|name| (name, &once, None)).collect::<Vec<_>>(), "{row}");

    assert_eq!(space.ask("select string_agg(what, ' ' order by at) from acts"), "mark shop");
    // The pod said when it sent the statement: the database had it then, to a second.
    let said = acts[1]["firstAt"].as_str().unwrap();
    let near = format!("select abs(extract(epoch from at - '{said}')) < 5 from acts where what = 'mark'");
    assert_eq!(space.ask(&near), "t", "{row}");
    let of = |key: &str| format!("select count(*) from tasks where payload->'task' ? '{key}'");
    assert_eq!((space.ask(&of("reset")), space.ask(&of("verdict"))), ("1".into(), "1".into()));
    let told = space.ask("select payload->'task'->>'verdict' from tasks where payload->'task' ? 'verdict'");
    assert_eq!(told, "Passed");
    let jobs = space.list("jobs", None).await;
    assert!(jobs.is_empty(), "{jobs:?}");
}
