//! The examples of journeys, in a shortened form, with `loadtest run` against the demo application's part that needs no
//! database.

use std::process::Command;

use demo_app::journeys::{Options, router};
use serde_json::Value;

/// A test that is over, with its report.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    items: Vec<String>,
    results: Value,
    /// Texts of all files of the report.
    files: Vec<String>,
}

impl Ran {
    /// The exit code, or a machine that is busy with other tests sent late, and said so.
    fn ended_with(&self, code: i32) {
        let late = self.code == Some(3) && self.out.contains("GeneratorSaturated");
        assert!(self.code == Some(code) || late, "{self:?}");
    }
}

/// Runs an example against an application with these options; `shorter` are texts of it and what stands in their place.
fn run(example: &str, options: Options, shorter: &[(&str, &str)]) -> Ran {
    let path = format!("{}/examples/{example}.yaml", env!("CARGO_MANIFEST_DIR"));
    let mut text = std::fs::read_to_string(path).unwrap();
    for (long, short) in shorter {
        assert!(text.contains(long), "{example} has no {long}");
        text = text.replace(long, short);
    }
    run_against(router(options).route("/healthz", axum::routing::get(|| async { "ok\n" })), &text)
}

/// Runs a manifest against these routes.
fn run_against(routes: axum::Router, manifest: &str) -> Ran {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move { axum::serve(listener, routes).await });
    let folder = tempfile::tempdir().unwrap();
    let (file, report) = (folder.path().join("test.yaml"), folder.path().join("report"));
    std::fs::write(&file, manifest).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    command.arg("run").arg(&file).arg("--base-url").arg(format!("http://{address}")).arg("--report").arg(&report);
    let output = command.output().unwrap();
    let read = |name: &str| std::fs::read_to_string(report.join(name)).unwrap_or_default();
    println!("{}", read("table.md"));
    let files = std::fs::read_dir(&report).into_iter().flatten().flatten();
    let files = files.map(|file| String::from_utf8_lossy(&std::fs::read(file.path()).unwrap_or_default()).into_owned());
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap(),
        items: read("items.csv").lines().map(str::to_owned).collect(),
        results: serde_json::from_str(&read("results.json")).unwrap_or_default(),
        files: files.collect(),
    }
}

const FEW_DOCUMENTS: [(&str, &str); 3] = [
    ("durationSeconds: 60", "durationSeconds: 2"),
    ("rate: 120", "rate: 300"),
    // Ten documents have no 95th percentile.
    ("latency.p95Ms", "latency.maxMs"),
];

#[test]
fn each_document_has_its_time_from_when_it_was_due_until_it_was_done() {
    let options = Options { document_milliseconds: 300, ..Options::default() };
    let ran = run("documents", options, &FEW_DOCUMENTS);
    ran.ended_with(0);
    let load = &ran.results["rows"][0]["loads"][0];
    assert_eq!((&load["tasks"], &load["requests"]["ok"]), (&10.into(), &30.into()), "{load}");
    let median: f64 = load["latency"]["p50Ms"].as_str().unwrap().parse().unwrap();
    assert!(median >= 300.0, "{load}");
    assert_eq!(ran.items.len(), 11, "{ran:?}");
    assert_eq!(ran.items[0], "row,load,step,seq,due,seconds,done");
    for (seq, line) in ran.items[1..].iter().enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!((&cells[..3], cells[3], cells[6]), (&["1", "documents", "ready"][..], &*seq.to_string(), "true"));
        assert!(cells[5].parse::<f64>().unwrap() >= 0.3, "{line}");
    }
}

#[test]
fn a_document_that_never_comes_is_missing_and_fails_the_test() {
    let options = Options { document_milliseconds: 50, lose_every: 5, ..Options::default() };
    let mut shorter = FEW_DOCUMENTS.to_vec();
    shorter.push(("timeoutSeconds: 5}", "timeoutSeconds: 1}"));
    let ran = run("documents", options, &shorter);
    ran.ended_with(1);
    assert!(ran.out.contains("ready: 2 items were not done in time"), "{ran:?}");
    let items = &ran.results["rows"][0]["details"]["loads"][0]["items"];
    assert_eq!((&items["done"], &items["missing"]), (&8.into(), &2.into()), "{items}");
    assert_eq!(ran.items.iter().filter(|line| line.ends_with(",,false")).count(), 2, "{ran:?}");
}

const SHORT_WORKFLOW: [(&str, &str); 3] = [
    ("clients: [1, 2, 4, 8]", "clients: [1, 3]"),
    ("durationSeconds: 10", "durationSeconds: 2"),
    ("pauseMilliseconds: 50", "pauseMilliseconds: 5"),
];

#[test]
fn a_workflow_of_twenty_tasks_is_run_twenty_times_by_each_user() {
    let ran = run("workflow", Options::default(), &SHORT_WORKFLOW);
    ran.ended_with(0);
    for (row, users) in [(0, 1), (1, 3)] {
        let load = &ran.results["rows"][row]["loads"][0];
        // login, workflow, 20 tasks, 20 times dataset and apply.
        assert_eq!((&load["tasks"], &load["requests"]["ok"]), (&(20 * users).into(), &(62 * users).into()), "{load}");
    }
    assert_eq!(ran.results["rows"][0]["loads"][1]["recovery"]["outages"], 0, "{ran:?}");
}

#[test]
fn a_server_that_gives_up_is_told_with_the_time_at_which_it_did() {
    let options = Options { refuse_runs_from: 8, ..Options::default() };
    let ran = run("workflow", options, &SHORT_WORKFLOW);
    ran.ended_with(1);
    assert!(ran.out.contains("users: apply: 13 answers were 503, at 8 to 20 of 20"), "{ran:?}");
    let apply = &ran.results["rows"][0]["details"]["loads"][0]["steps"][4];
    assert_eq!((&apply["name"], &apply["each"], &apply["ok"]), (&"apply".into(), &20.into(), &7.into()));
    assert_eq!(apply["places"][0], serde_json::json!({"class": "status 503", "turn": 8, "count": 1}));
}

/// Django's way with its CSRF token, with a word that can be looked for: the form sets the cookie for a client that has none, what is
/// sent must bring it back in a header, and a login sets another.
fn guarded() -> axum::Router {
    use axum::http::{HeaderMap, StatusCode, header};
    use axum::routing::{get, post};
    let text =
        |headers: &HeaderMap, name: &str| headers.get(name).and_then(|value| Some(value.to_str().ok()?.to_owned()));
    let token = move |headers: &HeaderMap| {
        let all = text(headers, "cookie")?;
        all.split("; ").find_map(|pair| pair.strip_prefix("csrftoken=").map(str::to_owned))
    };
    let good =
        move |headers: &HeaderMap| token(headers).is_some_and(|token| Some(token) == text(headers, "x-csrftoken"));
    let set = |value: &str| [(header::SET_COOKIE, format!("csrftoken={value}; Path=/; SameSite=Lax"))];
    axum::Router::new()
        .route(
            "/form",
            get(move |headers: HeaderMap| async move {
                if token(&headers).is_none() { Ok((set("canary-1"), "form")) } else { Err("form") }
            }),
        )
        .route(
            "/login",
            post(move |headers: HeaderMap| async move {
                if good(&headers) { Ok((set("canary-2"), "welcome")) } else { Err(StatusCode::FORBIDDEN) }
            }),
        )
        .route(
            "/order",
            post(move |headers: HeaderMap| async move {
                if good(&headers) { StatusCode::CREATED } else { StatusCode::FORBIDDEN }
            }),
        )
}

/// A client that orders twice, with this header.
fn ordering(header: &str) -> String {
    format!(
        r#"apiVersion: loadtest.dev/v1alpha1
kind: LoadTest
metadata: {{name: orders}}
spec:
  loads:
  - name: orders
    url: http://shop:8080
    clients: 1
    iterations: 2
    headers: [{{name: {header}, value: $(vars.csrf)}}]
    steps:
    - {{name: form, path: /form, capture: [{{name: csrf, cookie: csrftoken}}]}}
    - {{name: login, method: POST, path: /login, capture: [{{name: csrf, cookie: csrftoken}}]}}
    - {{name: order, method: POST, path: /order}}
  settle: {{seconds: 0}}
"#
    )
}

#[test]
fn a_csrf_cookie_comes_back_as_a_header_also_when_only_an_earlier_answer_set_it_and_is_told_nowhere() {
    let ran = run_against(guarded(), &ordering("X-CSRFToken"));
    ran.ended_with(0);
    let load = &ran.results["rows"][0]["loads"][0];
    assert_eq!((&load["requests"]["ok"], &load["requests"]["failed"]), (&6.into(), &0.into()), "{ran:?}");
    assert!(!ran.files.is_empty() && !ran.out.contains("canary"), "{ran:?}");
    assert!(ran.files.iter().all(|text| !text.contains("canary")), "{ran:?}");
    let without = run_against(guarded(), &ordering("X-Other"));
    without.ended_with(1);
    assert!(without.out.contains("status 403") || without.out.contains("were 403"), "{without:?}");
    assert!(
        !without.out.contains("canary") && without.files.iter().all(|text| !text.contains("canary")),
        "{without:?}"
    );
}
