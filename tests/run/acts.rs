//! Actions of a manifest that a laptop can do: requests at their moments.

use super::server::Server;
use super::{manifest, run};

/// A load of two requests in each of two rows, and a request at every moment beside it.
const SPEC: &str = r#"
  vars: [{name: page, value: "1"}]
  loads:
  - {name: m, url: "http://api:8080", iterations: 2, steps: [{name: get, path: "/page/$(vars.page)"}]}
  sweep: [{variable: {name: page, values: ["10", "20"]}}]
  actions:
  - {name: tell, when: AfterRun, http: {url: "http://api:8080/told?verdict=$(run.verdict)"}}
  - {name: clean, when: AfterRow, http: {url: "http://api:8080/clean/$(row.number)", method: DELETE}}
  - {name: flush, when: AfterLoad, http: {url: "http://api:8080/flush"}}
  - {name: fill, when: BeforeRow, http: {url: "http://api:8080/fill/$(vars.page)"}}
  - {name: begin, when: BeforeRun, http: {url: "http://api:8080/begin"}}
  - {name: reset, when: BeforeRow, job: {cronJobRef: {name: reset}}}
  settle: {seconds: 0}"#;

/// Methods and paths in the order in which they came.
fn paths(server: &Server) -> Vec<String> {
    let first = |head: String| head.split(' ').take(2).collect::<Vec<_>>().join(" ");
    server.all().into_iter().map(first).collect()
}

#[test]
fn the_requests_of_actions_are_sent_once_at_their_moments() {
    let server = Server::start(|_| "200 OK");
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report").display().to_string();
    let ran = run(&[&manifest(folder.path(), SPEC), "--base-url", &server.url(""), "--report", &report]);
    let row = |page: u32, row: u32| {
        let load = format!("GET /page/{page}");
        [format!("POST /fill/{page}"), load.clone(), load, "POST /flush".into(), format!("DELETE /clean/{row}")]
    };
    let mut wanted = vec!["POST /begin".to_owned()];
    wanted.extend([row(10, 1), row(20, 2)].concat());
    let verdict = if ran.code == Some(0) { "Passed" } else { "Invalid" };
    wanted.push(format!("POST /told?verdict={verdict}"));
    assert_eq!(paths(&server), wanted, "{ran:?}");
    assert!(ran.err.contains("spec.actions[5]: reset is done by a Job in the cluster"), "{ran:?}");
    let results = std::fs::read_to_string(folder.path().join("report/results.json")).unwrap();
    let results: serde_json::Value = serde_json::from_str(&results).unwrap();
    let acts = results["rows"][1]["actions"].as_array().unwrap();
    let times: Vec<_> = acts.iter().map(|act| (act["name"].as_str().unwrap(), act["times"].as_i64())).collect();
    assert_eq!(times, ["clean", "flush", "fill"].map(|name| (name, Some(1))), "{acts:?}");
}

#[test]
fn nothing_is_sent_when_what_should_be_done_before_it_fails() {
    let server = Server::start(|request| if request == 1 { "500 Internal Server Error" } else { "200 OK" });
    let folder = tempfile::tempdir().unwrap();
    let ran = run(&[&manifest(folder.path(), SPEC), "--base-url", &server.url("")]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert_eq!(paths(&server), ["POST /begin", "POST /fill/10", "POST /told?verdict=Invalid"], "{ran:?}");
    assert!(ran.out.contains("ActionFailed") && ran.out.contains("action fill before row 1: "), "{ran:?}");
}

#[test]
fn what_fails_after_the_load_makes_the_row_invalid_and_after_the_run_changes_no_verdict() {
    let failing = |which: usize| move |request| if request == which { "500 Internal Server Error" } else { "200 OK" };
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(failing(4));
    let ran = run(&[&manifest(folder.path(), SPEC), "--base-url", &server.url("")]);
    assert_eq!((ran.code, paths(&server).len()), (Some(3), 12), "{ran:?}");
    assert!(ran.out.contains("action flush after the load of row 1: "), "{ran:?}");
    let server = Server::start(failing(11));
    let ran = run(&[&manifest(folder.path(), SPEC), "--base-url", &server.url("")]);
    let late = ran.code == Some(3) && ran.out.contains("GeneratorSaturated");
    assert!(ran.code == Some(0) || late, "{ran:?}");
    assert!(ran.out.contains("action tell after the run: "), "{ran:?}");
}
