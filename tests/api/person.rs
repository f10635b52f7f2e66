//! What a person does from a terminal: the program's commands against a real API server.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::cluster::eventually::eventually;
use crate::cluster::space::Space;
use crate::operator::Operator;

/// Runs `loadtest` with this command line in the namespace.
fn loadtest(space: &Space, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    command.args(words).args(["--namespace", &space.name, "--kubeconfig", &space.cluster.config]);
    command.output().unwrap()
}

/// Exit code, standard output and standard error.
fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

async fn create(space: &Space, name: &str) {
    let test = json!({"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest", "metadata": {"name": name},
        "spec": {"loads": [{"name": "m", "url": "http://example.com/"}]}});
    space.cluster.create(&space.name, &test, false).await.unwrap();
}

#[tokio::test]
async fn a_test_is_watched_to_its_verdict_and_run_again() {
    let Some(space) = Space::new("person").await else { return };
    create(&space, "refused").await;
    let _operator = Operator::start(&space.cluster, &space.name, "");
    let (code, out, _) = said(&loadtest(&space, &["watch", "refused"]));
    assert_eq!(code, 3, "{out}");
    assert!(out.contains("Verdict: Invalid (UrlNotAllowed): spec.loads[0].url"), "{out}");

    let (code, out, err) = said(&loadtest(&space, &["report", "refused"]));
    assert!(code == 0 && out.contains("Invalid (UrlNotAllowed)") && out.contains("No row was done"), "{out}{err}");
    let (code, _, err) = said(&loadtest(&space, &["report", "refused", "--run", "7"]));
    assert!(code == 2 && err.contains("it has no report of run 7"), "{err}");
    let (code, out, _) = said(&loadtest(&space, &["cancel", "refused"]));
    assert!(code == 0 && out.contains("is over already"), "{out}");
    assert_eq!(space.test("refused").await["spec"]["cancel"], false, "an ended test is not edited");

    let (code, out, err) = said(&loadtest(&space, &["rerun", "refused", "--run-id", "second"]));
    assert!(code == 0 && out.contains("runs again as second"), "{out}{err}");
    eventually("the edit was looked at", 30, async || {
        let test = space.test("refused").await;
        let seen = test["status"]["observedGeneration"] == test["metadata"]["generation"];
        if seen && test["spec"]["runId"] == "second" { Ok(()) } else { Err(test["status"].to_string()) }
    })
    .await;
    let (code, _, err) = said(&loadtest(&space, &["rerun", "refused", "--run-id", "second"]));
    assert!(code == 2 && err.contains("has been run with runId second already"), "{err}");
}

#[tokio::test]
async fn a_test_that_nobody_began_can_be_cancelled_but_not_run_again() {
    let Some(space) = Space::new("person").await else { return };
    create(&space, "waiting").await;
    let (code, _, err) = said(&loadtest(&space, &["rerun", "waiting"]));
    assert!(code == 2 && err.contains("has not finished"), "{err}");
    let (code, out, _) = said(&loadtest(&space, &["cancel", "waiting"]));
    assert!(code == 0 && out.contains("kubectl loadtest watch waiting"), "{out}");
    assert_eq!(space.test("waiting").await["spec"]["cancel"], true);
}

#[tokio::test]
async fn a_report_is_printed_in_each_form() {
    let Some(space) = Space::new("person").await else { return };
    create(&space, "done").await;
    let results = json!({"test": {"namespace": space.name, "name": "done", "run": 1}, "verdict": "Passed", "reason": "ThresholdsMet",
        "message": "All held.", "plan": {"hash": "h", "rows": 1, "spec": {"loads": []}}, "rows": [{"row": 1, "verdict": "Passed"}]});
    let json = results.to_string();
    let files = json!({"table.md": "# Load test\n", "results.csv": "a,b\n", "results.json": results.to_string(), "junit.xml": "<x/>"});
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "done-report"}, "data": files});
    space.cluster.create(&space.name, &map, false).await.unwrap();
    space.merge("loadtests", "done/status", json!({"status": {"reportRef": {"name": "done-report"}}})).await;
    let forms = [("--csv", "a,b\n"), ("--json", json.as_str()), ("--junit", "<x/>")];
    for (form, wanted) in forms {
        let (code, out, err) = said(&loadtest(&space, &["report", "done", form]));
        assert_eq!((code, out.as_str()), (0, wanted), "{form}: {err}");
    }
    let (code, out, err) = said(&loadtest(&space, &["report", "done", "--html"]));
    assert!(code == 0 && out.starts_with("<!DOCTYPE html>") && out.contains(&format!("{}/done", space.name)), "{err}");
    let kept = space.cluster.kubectl(&["get", "loadtest,configmap", "-n", &space.name, "-o", "yaml"]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept.yaml");
    std::fs::write(&file, kept).unwrap();
    let elsewhere =
        Command::new(env!("CARGO_BIN_EXE_loadtest")).args(["report", "--html", "--from"]).arg(&file).output();
    assert_eq!(said(&elsewhere.unwrap()).1, out, "the same comes out of what kubectl printed");
    let (_, out, err) = said(&loadtest(&space, &["report", "done", "--markdown"]));
    assert!(out.contains("### Load test\n") && out.contains("kubectl loadtest rerun done"), "{out}{err}");
    let (code, out, err) = said(&loadtest(&space, &["compare", "done", "done"]));
    assert!(code == 0 && out.contains("A is ") && out.contains("run 1, B is "), "{out}{err}");
    let (code, _, err) = said(&loadtest(&space, &["report", "done", "--csv", "--json"]));
    assert!(code == 2 && err.contains("cannot be used with"), "{err}");
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let Some(space) = Space::new("person").await else { return };
    for command in ["watch", "report", "cancel", "rerun"] {
        let (code, _, err) = said(&loadtest(&space, &[command, "nothing"]));
        assert_eq!(code, 2, "{command}: {err}");
        assert!(err.contains(&format!("no LoadTest nothing in namespace {}", space.name)), "{command}: {err}");
    }
    let nobody = Command::new(env!("CARGO_BIN_EXE_loadtest"))
        .args(["report", "t", "--kubeconfig", "/nonexistent"])
        .output()
        .unwrap();
    let (code, _, err) = said(&nobody);
    assert!(code == 5 && err.contains("no cluster to ask"), "{err}");
}

#[tokio::test]
async fn who_stops_watching_is_told_that_the_test_goes_on() {
    let Some(space) = Space::new("person").await else { return };
    create(&space, "long").await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    command.args(["watch", "long", "--namespace", &space.name, "--kubeconfig", &space.cluster.config]);
    let mut watching = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut shown = BufReader::new(watching.stderr.take().unwrap());
    let mut line = String::new();
    shown.read_line(&mut line).unwrap();
    assert!(line.contains("Pending"), "{line}");
    let process = rustix::process::Pid::from_child(&watching);
    rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
    let mut rest = String::new();
    shown.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("long goes on in the cluster") && rest.contains("kubectl loadtest cancel long"), "{rest}");
    assert_eq!(watching.wait().unwrap().code(), Some(130));
    assert_eq!(space.test("long").await["spec"]["cancel"], false, "the test was left alone");
}

/// A Deployment of three pods that had one before its test.
fn claimed(uid: &str) -> Value {
    let claim = json!({"uid": uid, "test": "gone", "run": 1, "container": "api", "originals": {"replicas": 1},
        "set": {"replicas": 3}, "until": "2026-01-01T00:00:00.000Z"});
    let labels = json!({"app": "api"});
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "api", "labels": {"loadtest.dev/claim": format!("{uid}.1")},
            "annotations": {"loadtest.dev/claim": claim.to_string()}},
        "spec": {"replicas": 3, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "api", "image": "app:1"}]}}}})
}

#[tokio::test]
async fn a_workload_is_put_back_without_an_operator() {
    let Some(space) = Space::new("person").await else { return };
    let created = space.cluster.create(&space.name, &claimed("0a1b"), false).await;
    created.unwrap();
    let (code, out, err) = said(&loadtest(&space, &["restore", "deploy/api", "--dry-run"]));
    assert!(code == 0 && out.contains("/spec/replicas") && out.contains("would be put back"), "{out}{err}");
    assert_eq!(space.get("deployments", "api").await.unwrap()["spec"]["replicas"], 3, "a rehearsal writes nothing");
    let (code, out, err) = said(&loadtest(&space, &["restore", "deploy/api"]));
    assert!(code == 0 && out.contains("is put back"), "{out}{err}");
    let api = space.get("deployments", "api").await.unwrap();
    assert_eq!(api["spec"]["replicas"], 1);
    assert!(!api["metadata"].to_string().contains("loadtest.dev/claim"), "{}", api["metadata"]);
    let (code, out, _) = said(&loadtest(&space, &["restore", "deploy/api"]));
    assert!(code == 0 && out.contains("nothing to put back"), "{out}");
}

#[tokio::test]
async fn a_workload_of_a_running_test_is_not_taken_from_it() {
    let Some(space) = Space::new("person").await else { return };
    create(&space, "running").await;
    space.merge("loadtests", "running/status", json!({"status": {"phase": "Running"}})).await;
    let uid = space.test("running").await["metadata"]["uid"].as_str().unwrap().to_owned();
    space.cluster.create(&space.name, &claimed(&uid), false).await.unwrap();
    let (code, _, err) = said(&loadtest(&space, &["restore", "deploy/api"]));
    assert!(code == 2 && err.contains("end that first: kubectl loadtest cancel running"), "{err}");
    assert_eq!(space.get("deployments", "api").await.unwrap()["spec"]["replicas"], 3);
}

/// A Deployment without pods, and a Service that leads to it.
async fn application(space: &Space) {
    let labels = json!({"app": "api"});
    let size = json!({"requests": {"cpu": "250m"}, "limits": {"memory": "64Mi"}});
    let api = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"},
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
            "spec": {"containers": [{"name": "api", "image": "app:1", "resources": size}]}}}});
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "api"},
        "spec": {"selector": labels, "ports": [{"name": "http", "port": 8080}]}});
    for object in [api, service] {
        space.cluster.create(&space.name, &object, false).await.unwrap();
    }
}

#[tokio::test]
async fn a_manifest_is_made_from_what_runs_and_planned_without_being_started() {
    let Some(space) = Space::new("person").await else { return };
    application(&space).await;
    let (code, made, err) = said(&loadtest(&space, &["init", "deploy/api"]));
    assert!(
        code == 0 && made.contains("url: http://api:8080") && made.contains("now: request 250m, limit none"),
        "{made}{err}"
    );
    let (code, _, err) = said(&loadtest(&space, &["init", "deploy/other"]));
    assert!(code == 2 && err.contains("no Deployment other in namespace"), "{err}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lt.yaml").display().to_string();
    std::fs::write(&file, &made).unwrap();
    let (code, out, err) = said(&loadtest(&space, &["plan", "-f", &file]));
    assert_eq!(code, 0, "{out}{err}");
    for words in [
        "1 row, 40 s at least",
        "peak: 2 clients",
        "Deployment api: nothing, it is only watched",
        "ok    the API server takes the manifest from you",
        "ok    Service api leads to target api",
        "Nothing was started",
    ] {
        assert!(out.contains(words), "{words:?} is not in:\n{out}");
    }
    let tests = space.list("loadtests", None).await;
    assert!(tests.is_empty(), "a plan starts nothing: {tests:?}");

    let sized = made.replace("# replicas: 0", "replicas: 2").replace("http://api:8080", "http://nobody:1");
    std::fs::write(&file, sized).unwrap();
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "team"}, "spec": {"hard": {"pods": "1"}}});
    space.cluster.create(&space.name, &quota, false).await.unwrap();
    space
        .merge("resourcequotas", "team/status", json!({"status": {"hard": {"pods": "1"}, "used": {"pods": "0"}}}))
        .await;
    let hpa = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "grow"},
        "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}}});
    space.cluster.create(&space.name, &hpa, false).await.unwrap();
    let (code, out, err) = said(&loadtest(&space, &["plan", "-f", &file]));
    assert_eq!(code, 3, "{out}{err}");
    for words in [
        "Deployment api: replicas 0 -> 2",
        "NO    HorizontalPodAutoscaler grow also sets Deployment api",
        "NO    there is no Service nobody",
        "NO    quota team leaves 1 of pods, but row 1 need 3",
        "it would not start, for 3 reasons",
    ] {
        assert!(out.contains(words), "{words:?} is not in:\n{out}");
    }
}
