//! `loadtest run` as people call it, against a server on loopback: what its table, its report and its exit code say is what
//! the server saw.

#[path = "run/acts.rs"]
mod acts;
#[path = "run/server.rs"]
mod server;
#[path = "run/tls.rs"]
mod tls;
#[path = "run/watch.rs"]
mod watch;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use server::Server;

fn loadtest() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    command.arg("run").stdin(Stdio::null());
    command
}

fn run(words: &[&str]) -> Ran {
    Ran::new(loadtest().args(words).output().unwrap())
}

/// A test that is over.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn new(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The cells of a column of the table, from the first row on.
    fn column(&self, title: &str) -> Vec<String> {
        let cells = |line: &str| -> Vec<String> {
            line.trim_matches(['|', ' ']).split(" | ").map(|cell| cell.trim().to_owned()).collect()
        };
        let mut lines = self.out.lines().take_while(|line| line.starts_with('|'));
        let titles = cells(lines.next().unwrap_or_default());
        let at = titles.iter().position(|known| known == title).unwrap_or_else(|| panic!("no {title}: {self:?}"));
        lines.skip(1).map(|line| cells(line)[at].clone()).collect()
    }
}

fn manifest(folder: &Path, spec: &str) -> String {
    let file = folder.join("test.yaml");
    let text = format!("apiVersion: loadtest.dev/v1alpha1\nkind: LoadTest\nmetadata: {{name: local}}\nspec:\n{spec}\n");
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

#[test]
fn a_url_gets_the_requests_that_the_table_counts() {
    let server = Server::start(|_| "200 OK");
    let ran = run(&[&server.url("/a?b=$(seq)"), "-n", "120", "-c", "8"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!((ran.column("Requests"), server.count()), (vec!["120".to_owned()], 120));
    assert_eq!(server.lines().len(), 120, "$(seq) makes each of them another");
    assert!(ran.out.contains("Verdict: Passed (ThresholdsMet)") && ran.out.contains("200: 120"), "{ran:?}");
}

#[test]
fn a_rate_lasts_as_long_as_it_was_asked_for_and_failures_fail_the_test() {
    let server = Server::start(|n| if n % 4 == 3 { "503 Busy" } else { "200 OK" });
    let ran =
        run(&[&server.url("/"), "--rate", "40", "--duration", "1s", "-H", "X-Key: hunter2", "-m", "POST", "-d", "{}"]);
    assert_eq!((ran.code, server.count()), (Some(1), 40), "{ran:?}");
    assert_eq!(ran.column("Failed %"), ["25"]);
    assert!(ran.out.contains("10 answers were 503") && ran.out.contains("RequestsFailed"), "{ran:?}");
    assert!(server.all().iter().all(|head| head.starts_with("POST / ") && head.contains("x-key: hunter2")));
    assert!(!format!("{ran:?}").contains("hunter2"));
}

#[test]
fn a_swept_variable_is_another_in_each_row() {
    let server = Server::start(|_| "200 OK");
    let folder = tempfile::tempdir().unwrap();
    let file = manifest(
        folder.path(),
        r#"
  vars: [{name: page, value: "1"}]
  loads:
  - {name: m, url: "http://api:8080", iterations: 2, steps: [{name: get, path: "/list/$(vars.page)"}]}
  sweep: [{variable: {name: page, values: ["10", "100"]}}]
  settle: {seconds: 0}"#,
    );
    let ran = run(&[&file, "--base-url", &server.url("")]);
    assert_eq!((ran.code, ran.column("vars.page")), (Some(0), vec!["10".to_owned(), "100".to_owned()]), "{ran:?}");
    let paths: Vec<String> = server.all().iter().filter_map(|head| head.split(' ').nth(1).map(str::to_owned)).collect();
    assert_eq!(paths, ["/list/10", "/list/10", "/list/100", "/list/100"]);
}

#[test]
fn a_backlog_that_is_worked_off_and_timed_items_stand_under_the_plans_own_headings() {
    let server = Server::start(|_| "202 Accepted");
    let folder = tempfile::tempdir().unwrap();
    let file = manifest(
        folder.path(),
        r#"
  loads:
  - {name: submit, url: "http://api:8080", iterations: 10, steps: [{name: task, path: /tasks, tasks: {perResponse: 1}}]}
  measurements:
  - {name: pending, http: {url: "http://api:8080/count", jsonPointer: /none}, intervalSeconds: 1}
  - name: wait
    http: {url: "http://api:8080/count?page=1", jsonPointer: "", durations: {items: /items, next: /next, from: /from, to: /to}}
  settle: {until: {measurement: pending}, seconds: 3, measure: true}
  columns:
  - {title: Run, metric: run}
  - {title: Tasks Submitted, metric: tasks}
  - {title: Tasks / Sec Processed, metric: processedPerSecond}
  - {title: Avg. Wait time, metric: measurements.wait.average}
  - {title: p50, metric: measurements.wait.p50}
  - {title: Drained, metric: drainSeconds}
  - {title: Where, text: here}
  thresholds: [{metric: processedPerSecond, min: 1}, {metric: measurements.wait.maximum, max: "1.5"}]"#,
    );
    let report = folder.path().join("report").display().to_string();
    let ran = run(&[&file, "--base-url", &server.url(""), "--report", &report]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!((ran.column("Tasks Submitted"), ran.column("Avg. Wait time")), (vec!["10".into()], vec!["1.25".into()]));
    assert_eq!((ran.column("p50"), ran.column("Where")), (vec!["-".into()], vec!["here".into()]), "few items");
    let rate: f64 = ran.column("Tasks / Sec Processed")[0].parse().unwrap();
    assert!(rate > 1.0 && rate <= 10.5 / ran.column("Drained")[0].parse::<f64>().unwrap(), "{ran:?}");
    let csv = std::fs::read_to_string(folder.path().join("report/results.csv")).unwrap();
    assert!(
        csv.starts_with("Run,Tasks Submitted,Tasks / Sec Processed,Avg. Wait time,p50,Drained,Where\n1,10,"),
        "{csv}"
    );
    assert!(csv.trim_end().ends_with(",here") && csv.contains(",1.25,-,"), "{csv}");
}

#[test]
fn a_manifest_of_a_cluster_runs_here_row_by_row_and_says_what_it_leaves_out() {
    let server = Server::start(|_| "200 OK");
    let folder = tempfile::tempdir().unwrap();
    let file = manifest(
        folder.path(),
        r#"
  loads:
  - {name: m, url: "http://api:8080/v1", iterations: 3, generators: 2, clients: 2,
     headers: [{name: authorization, value: Bearer $(vars.token)}],
     steps: [{name: get, path: /x, tasks: {perResponse: 2}}]}
  targets: [{name: api, workloadRef: {name: api}, replicas: 3}]
  measurements: [{name: answers, http: {url: "http://api:8080/count", jsonPointer: /count}, intervalSeconds: 1}]
  sweep: [{load: m, clients: [2, 4]}, {target: api, replicas: [1, 2]}]
  settle: {seconds: 1}
  vars: [{name: token, valueFrom: {secretKeyRef: {name: s, key: k}}}]
  thresholds: [{metric: tasks, min: 12}, {metric: targets.api.restarts, max: 0}]"#,
    );
    let base = format!("http://api:8080={}", server.url(""));
    let report = folder.path().join("report").display().to_string();
    let ran = run(&[&file, "--base-url", &base, "--var", "token=hunter2", "--report", &report]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let sent = server.all().into_iter().filter(|head| head.starts_with("GET /v1/x ")).collect::<Vec<_>>();
    assert_eq!(
        (ran.column("m.clients"), ran.column("Requests")),
        (vec!["2".into(), "4".into()], vec!["6".into(), "12".into()])
    );
    assert_eq!((ran.column("Tasks"), sent.len()), (vec!["12".to_owned(), "24".to_owned()], 18));
    assert!(sent.iter().all(|head| head.contains("authorization: bearer hunter2")));
    for field in ["spec.loads[0].generators", "spec.targets[0]", "spec.sweep[1]", "spec.thresholds[1]"] {
        assert!(ran.err.contains(field), "{field} is not named: {ran:?}");
    }
    assert!(ran.out.contains("1 threshold needs a cluster"), "{ran:?}");
    assert!(!format!("{ran:?}").contains("hunter2"));
    let json = std::fs::read_to_string(folder.path().join("report/results.json")).unwrap();
    let results: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&results["verdict"], results["rows"][1]["tasks"].as_i64()), (&"Passed".into(), Some(24)));
    assert_eq!(results["rows"][0]["details"]["loads"][0]["steps"][0]["ok"], 6);
    assert!(!json.contains("hunter2"));
}

#[test]
fn what_is_missing_beside_a_manifest_is_said_at_once_and_nothing_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let secret = "{secretKeyRef: {name: s, key: k}}";
    let spec = format!(
        "  loads: [{{name: m, url: 'http://api'}}]\n  vars: [{{name: a, valueFrom: {secret}}}]\n  \
         database: {{postgres: {{urlFrom: {secret}}}}}"
    );
    let file = manifest(folder.path(), &spec);
    let ran = run(&[&file]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("LOADTEST_VAR_a") && ran.err.contains("--postgres-url"), "{ran:?}");
    assert_eq!(run(&[&file, "--rate", "1"]).code, Some(2));
    assert_eq!(run(&["there-is-none.yaml"]).code, Some(2));
    let broken = manifest(folder.path(), "  loads: [{name: m, url: 'http://api', rate: 1}]");
    let ran = run(&[&broken]);
    assert_eq!((ran.code, ran.err.contains("rate needs durationSeconds")), (Some(3), true), "{ran:?}");
}

#[test]
fn a_report_that_cant_be_written_is_found_before_the_first_request() {
    let server = Server::start(|_| "200 OK");
    let folder = tempfile::tempdir().unwrap();
    let file = manifest(folder.path(), "");
    for words in [["--report", &file], ["--html", &folder.path().join("none/page.html").display().to_string()]] {
        let ran = run(&[&[server.url("/").as_str(), "-n", "2"], &words[..]].concat());
        assert_eq!((ran.code, server.count()), (Some(2), 0), "{ran:?}");
        assert!(ran.err.contains(words[0]), "{ran:?}");
    }
}

#[test]
fn another_number_of_clients_than_the_usual_is_said() {
    let server = Server::start(|_| "200 OK");
    let ran = run(&[&server.url("/"), "-n", "3"]);
    assert!(ran.err.contains("3 clients send 1 of the 3 requests each"), "{ran:?}");
    let refused = run(&[&server.url("/"), "-n", "101"]);
    assert!(refused.code == Some(2) && refused.err.contains("-n 100 or 102 can"), "{refused:?}");
    assert_eq!((run(&[&server.url("/"), "-n", "0"]).code, server.count()), (Some(2), 3));
}

#[test]
fn nobody_there_is_a_failed_test_and_no_name_is_an_invalid_one() {
    let ran = run(&["http://127.0.0.1:1/", "-n", "2"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("connect refused"), "{ran:?}");
    let ran = run(&["http://nowhere.invalid:81/", "-n", "2"]);
    assert!(ran.out.contains("--base-url http://nowhere.invalid:81=http://127.0.0.1:9080"), "{ran:?}");
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.out.contains("nowhere.invalid has no address"), "{ran:?}");
}

#[test]
fn a_threshold_with_stop_ends_the_load_early_and_the_row_failed() {
    let server = Server::start(|_| "500 Broken");
    let folder = tempfile::tempdir().unwrap();
    let file = manifest(
        folder.path(),
        &format!(
            "  loads: [{{name: m, url: '{}', rate: 50, durationSeconds: 600}}]\n  \
             thresholds: [{{metric: requests.failedPercent, max: 5, stop: true}}, {{metric: latency.p99Ms, max: 100}}]",
            server.url("")
        ),
    );
    let ran = run(&[&file]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(server.count() < 30_000 / 10, "{}", server.count());
    assert!(ran.out.contains("m was stopped early: requests.failedPercent was 100"), "{ran:?}");
    assert!(ran.out.contains("Failed (ThresholdsBreached)"), "{ran:?}");
}

#[test]
fn an_interrupt_keeps_what_was_measured_and_says_so() {
    let server = Server::start(|_| "200 OK");
    let url = server.url("/");
    let mut command = loadtest();
    command.args([&url, "--rate", "50", "--duration", "600s"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let patience = Instant::now() + Duration::from_secs(60);
    while server.count() < 20 && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(20));
    }
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let ran = Ran::new(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert_eq!(ran.column("Requests"), [server.count().to_string()]);
    assert!(ran.err.contains("Stopping") && ran.out.contains("Verdict: Aborted (Cancelled)"), "{ran:?}");
    assert!(ran.out.contains("m was stopped before its end") || ran.out.contains("url was stopped before its end"));
    assert!(!ran.out.contains("late:"), "a stop is no lateness: {ran:?}");
}

#[test]
fn a_manifest_comes_from_standard_input_too() {
    let server = Server::start(|_| "200 OK");
    let folder = tempfile::tempdir().unwrap();
    let file = manifest(folder.path(), &format!("  loads: [{{name: m, url: '{}'}}]", server.url("/")));
    let mut command = loadtest();
    command.args(["-", "--quiet"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(&std::fs::read(file).unwrap()).unwrap();
    let ran = Ran::new(child.wait_with_output().unwrap());
    assert_eq!((ran.code, server.count(), ran.err.as_str()), (Some(0), 1, ""), "{ran:?}");
}

/// `loadtest` with another command than run.
fn said(words: &[&str]) -> Ran {
    Ran::new(Command::new(env!("CARGO_BIN_EXE_loadtest")).args(words).output().unwrap())
}

#[test]
fn the_report_is_one_html_file_and_the_same_comes_out_of_the_results_again() {
    let server = Server::start(|_| "200 OK");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (page, results) = (path("report.html"), path("results.json"));
    let ran = run(&[&server.url("/"), "-n", "40", "-c", "4", "--html", &page, "--report", &path("")]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let text = std::fs::read_to_string(&page).unwrap();
    assert!(text.contains("Load test url, run 1: ") && text.contains("Latency by percentile"), "{text}");
    let again = said(&["report", "--from", &results, "--html"]);
    assert_eq!((again.code, again.out == text), (Some(0), true), "{}", again.err);
    let row = said(&["report", "--from", &results, "--row", "1"]);
    assert!(row.out.contains("url run 1, row 1: Passed") && row.out.contains("40 sent, 40 ok"), "{row:?}");
    for form in [&["--markdown"][..], &["--csv"], &["--junit"], &[]] {
        let alone = said(&[&["report", "--from", &results], form].concat());
        assert_eq!((alone.code, alone.out.as_str()), (Some(2), ""), "{form:?} {alone:?}");
        assert!(alone.err.contains("--html, --json and --row NUMBER are made from results.json alone"), "{alone:?}");
    }
    let none = said(&["report", "--from", &results, "--row", "2"]);
    assert!(none.code == Some(2) && none.err.contains("there is no row 2; the rows that were done: 1"), "{none:?}");
}

#[test]
fn two_runs_are_compared_when_their_plan_is_the_same_and_otherwise_the_field_is_named() {
    let server = Server::start(|_| "200 OK");
    let folder = tempfile::tempdir().unwrap();
    let results = |run: &str, requests: &str| {
        let to = folder.path().join(run).display().to_string();
        let ran = self::run(&[&server.url("/"), "-n", requests, "-c", "4", "--report", &to]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        format!("{to}/results.json")
    };
    let (a, b, other) = (results("a", "40"), results("b", "40"), results("other", "80"));
    let folder_of = |file: &str| file.trim_end_matches("/results.json").to_owned();
    assert_eq!(said(&["compare", &folder_of(&a), &folder_of(&b)]).code, Some(0));
    let none = said(&["compare", &a, "no-such-folder/results.json"]);
    assert!(
        none.code == Some(2) && none.err.contains("no-such-folder/results.json: there is no such file"),
        "{none:?}"
    );
    let same = said(&["compare", &a, &b]);
    assert_eq!(same.code, Some(0), "{same:?}");
    assert!(same.out.contains("| Run | Set | Figure | A | B | B / A |"), "{same:?}");
    assert!(same.out.contains("| 1 | - | Requests/s |"), "{same:?}");
    let refused = said(&["compare", &a, &other]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.err.contains("can't be compared, they differ in\n  plan: "), "{refused:?}");
}
