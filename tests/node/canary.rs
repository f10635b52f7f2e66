//! A secret in every place that may hold one is found in nothing that people read, be it of a test that passed or of tests that
//! could not log in to their database or not connect to it.

use serde_json::Value;

use super::listener::Listener;
use crate::application::{load_test, tasks, web};
use crate::checks::{assert_ended, row};
use crate::space::Space;

/// Part of every secret value.
const CANARY: &str = "canary4711";
/// "someone:canary4711" as HTTP Basic sends it.
const BASIC: &str = "c29tZW9uZTpjYW5hcnk0NzEx";

/// The Secret that variables, the database's URL and the application's environment come from.
fn secret() -> String {
    let urls = [("right", "postgres", "5432"), ("wrong", "locked", "5432"), ("refused", "postgres", "5999")];
    let urls = urls.map(|(key, user, port)| format!("'{key}': 'postgres://{user}:{CANARY}-{key}@db:{port}/postgres'"));
    let vars = ["header", "query", "password", "body"].map(|key| format!("'{key}': '{CANARY}-{key}'"));
    format!(
        "---
apiVersion: v1
kind: Secret
metadata: {{name: hidden}}
stringData: {{{}, {}}}
",
        urls.join(", "),
        vars.join(", ")
    )
}

/// A web server that answers with all that it was asked, as text and where a number of tasks is expected; its tasks need the
/// password.
fn echo() -> String {
    let script = r#"printf '#!/bin/sh\nexec 2>/tmp/errors\nsaid="$(env; head -c "${CONTENT_LENGTH:-0}")"\necho "$said" >>/tmp/seen\nprintf "Content-Type: application/json\\r\\n\\r\\n{\\"tasks\\": \\"%%s\\"}" "$(echo "$said" | tr -d "\\n\\"")"\n' >/tmp/www/cgi-bin/echo
          chmod +x /tmp/www/cgi-bin/echo
          echo "/cgi-bin/task:someone:$PASSWORD" >/tmp/conf
          httpd -c /tmp/conf -f"#;
    let env = "env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: hidden, key: password}}}, ";
    (web("web").replace("httpd -f", script) + &web("side")).replace("env: [", env)
}

/// A load that sends each secret in its own way, and a database whose URL is this key of the Secret.
fn spec(key: &str) -> String {
    let var =
        |name: &str| format!("  - {{name: {name}, valueFrom: {{secretKeyRef: {{name: hidden, key: {name}}}}}}}\n");
    let vars = ["header", "query", "password", "body"].map(var).concat();
    format!(
        "  vars:
{vars}  targets:
  - {{name: side, workloadRef: {{name: side}}, cpu: 40m, memory: 48Mi, env: [{{name: MODE, value: loaded}}]}}
  loads:
  - name: main
    url: http://web:8080
    clients: 1
    iterations: 2
    headers: [{{name: X-Api-Key, value: $(vars.header)}}]
    basicAuth: {{username: someone, password: $(vars.password)}}
    steps:
    - {{name: work, path: /cgi-bin/task, timeoutSeconds: 10, tasks: {{jsonPointer: /tasks}}}}
    - {{name: ask, method: POST, path: '/cgi-bin/echo?token=$(vars.query)', body: '{{\"key\": \"$(vars.body)\"}}',
       tasks: {{jsonPointer: /tasks}}}}
  database:
    postgres: {{urlFrom: {{secretKeyRef: {{name: hidden, key: {key}}}}}}}
  measurements:
  - {{name: number, sql: select 1}}
  - {{name: text, http: {{url: 'http://web:8080/cgi-bin/echo?token=$(vars.query)', jsonPointer: /tasks}}}}
  settle: {{seconds: 1}}
"
    )
}

/// Users that must give a password, beside those of the application.
fn lock(space: &Space) {
    let rule = "sed -i '1i host all locked all scram-sha-256' $PGDATA/pg_hba.conf";
    let role = "create role locked login password 'another'; select pg_reload_conf()";
    let role = format!("psql -h 127.0.0.1 -U postgres -c \"{role}\"");
    space.exec("db", &["sh", "-c", &format!("{rule} && {role}")]).unwrap();
}

/// Everything of the namespace but its Secrets, and what the operator says.
fn shown(space: &Space) -> Vec<(&'static str, String)> {
    let objects = "all,events,configmaps,loadtests,controllerrevisions,endpointslices";
    let namespace = ["-n", &space.name];
    let told = |args: &[&str]| space.cluster.kubectl(args).unwrap();
    let operator = "app.kubernetes.io/name=loadtest-operator";
    let name = "jsonpath={.items[*].metadata.name}";
    let pods = told(&["-n", "loadtest-system", "get", "pods", "-l", operator, "-o", name]);
    let metrics = pods.split(' ').map(|pod| {
        told(&["get", "--raw", &format!("/api/v1/namespaces/loadtest-system/pods/{pod}:8080/proxy/metrics")])
    });
    let metrics = metrics.collect::<String>();
    assert!(metrics.contains("loadtest_"), "no metrics: {metrics}");
    vec![
        ("an object", told(&[&namespace[..], &["get", objects, "-o", "yaml", "--show-managed-fields"]].concat())),
        ("a description", told(&[&namespace[..], &["describe", "loadtests,jobs,configmaps"]].concat())),
        ("the operator's log", told(&["-n", "loadtest-system", "logs", "-l", operator, "--tail=-1"])),
        ("a metric", metrics),
    ]
}

fn assert_hidden(shown: &[(&'static str, String)]) {
    for (what, text) in shown {
        let line = text.lines().find(|line| line.contains(CANARY) || line.contains(BASIC));
        assert_eq!(line, None, "{what} shows it");
    }
}

/// Each kind of secret was really sent, for this many tests.
fn assert_sent(space: &Space, tests: i64) {
    assert_eq!(space.served("web"), 2 * tests, "the password was not sent");
    let seen = space.exec("web", &["cat", "/tmp/seen"]).unwrap();
    for part in ["header", "query", "body"].map(|part| format!("{CANARY}-{part}")) {
        assert!(seen.contains(&part), "{part} was not sent:\n{seen}");
    }
}

#[tokio::test]
async fn a_canary_in_every_secret_is_in_no_object_log_event_report_or_metric() {
    let Some(space) = Space::new("canary").await else { return };
    space.create(&(secret() + &tasks() + &echo())).await;
    space.all_ready().await;
    lock(&space);
    let before = space.written().await;
    let keys = ["right", "wrong", "refused"];
    for (number, key) in (1..).zip(keys) {
        let listener = Listener::begin(&space);
        space.apply(&load_test(key, &spec(key))).await;
        space.at(key, 1, "Loading").await;
        assert_hidden(&shown(&space));
        let test = space.ended(key).await;
        let logs = listener.heard();
        for agent in ["generate", "observe"] {
            assert!(logs.iter().any(|(who, text)| *who == agent && !text.is_empty()), "{agent} was not heard");
        }
        assert_hidden(&logs);
        assert_sent(&space, number);
        assert_counted(&test, key);
    }
    assert_hidden(&shown(&space));
    space.assert_put_back(&before).await;
}

/// The load went through, and the database's figures are there only where its URL works.
fn assert_counted(test: &Value, key: &str) {
    let row = row(test, 1);
    let number = row["measurements"].as_array().unwrap().iter().find(|of| of["name"] == "number");
    // Once a second: a short row may have none, and then the settled one is there.
    let read = number.is_some_and(|number| !number["last"].is_null() || !number["settled"].is_null());
    assert_eq!(read, key == "right", "{row}");
    // An answer without a number of tasks is a failed request.
    assert_ended(test, "Failed", "RequestsFailed");
}
