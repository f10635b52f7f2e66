//! Iterations of several requests against a scripted server.

use std::time::Duration;

use super::fixture::{load, step};
use super::scripted::{Act, Server};
use super::tests::{failures, run};
use crate::plan::{AgainInput, Arrivals, CaptureFrom, CaptureInput, HeaderInput, LoadInput, TasksInput, UntilInput};
use crate::results::gathered::histogram::decode;

const ONCE: Arrivals = Arrivals::Iterations { clients: 1, iterations_per_client: 1 };

fn reply(status: u16, body: &'static str) -> Act {
    Act::Reply(Duration::ZERO, status, body)
}

fn capture(name: &str, pointer: &str) -> CaptureInput {
    CaptureInput { name: name.into(), from: CaptureFrom::JsonPointer(pointer.into()) }
}

/// Logs in, then sends the pair dataset, apply three times.
fn workflow(url: &str) -> LoadInput {
    let mut one = load("w", url, ONCE);
    one.headers = vec![HeaderInput { name: "authorization".into(), value: "Bearer $(vars.token)".into() }];
    one.steps = vec![
        step("login", "POST", "/login"),
        step("dataset", "POST", "/d"),
        step("apply", "POST", "/apply/$(vars.id)"),
    ];
    one.steps[0].capture = vec![capture("token", "/token")];
    one.steps[1].capture = vec![capture("id", "/id")];
    one.steps[2].again = Some(AgainInput { from: 1, times: 3 });
    one
}

#[tokio::test]
async fn what_a_step_captures_is_in_the_later_requests_of_its_iteration() {
    let server = Server::start(|seen| match seen.line.as_str() {
        "POST /login" => reply(200, r#"{"token": "t-1"}"#),
        "POST /d" if seen.turn < 2 => reply(201, r#"{"id": 7}"#),
        "POST /d" => reply(201, r#"{"id": "x/8"}"#),
        _ => reply(202, "{}"),
    })
    .await;
    let record = run(&workflow(&server.url())).await;
    let lines: Vec<String> = server.seen().into_iter().map(|seen| seen.line).collect();
    let expected =
        ["POST /login", "POST /d", "POST /apply/7", "POST /d", "POST /apply/x/8", "POST /d", "POST /apply/x/8"];
    assert_eq!(lines, expected);
    let with_token: Vec<bool> =
        server.seen().iter().map(|seen| seen.head.contains("authorization: bearer t-1")).collect();
    assert_eq!(with_token, [false, true, true, true, true, true, true]);
    assert_eq!((record.counts.due, record.counts.ok, record.counts.unsent, record.counts.skipped), (7, 7, 0, 0));
    assert_eq!(
        record.steps.iter().map(|step| (step.counts.each, step.counts.ok)).collect::<Vec<_>>(),
        [(1, 1), (3, 3), (3, 3)]
    );
}

#[tokio::test]
async fn a_single_request_may_capture_too_and_fails_without_the_value() {
    let server = Server::start(|seen| reply(200, if seen.turn == 0 { r#"{"id": 1}"# } else { "{}" })).await;
    let mut one = load("c", &server.url(), Arrivals::Iterations { clients: 1, iterations_per_client: 2 });
    one.steps[0].capture = vec![capture("id", "/id")];
    let record = run(&one).await;
    assert_eq!((record.counts.ok, failures(&record)), (1, vec![("capture missing", 1)]));
}

#[tokio::test]
async fn a_failure_is_told_with_its_step_and_which_time_it_was() {
    let server = Server::start(|seen| match (seen.line.as_str(), seen.turn) {
        ("POST /login", _) => reply(200, r#"{"token": "t"}"#),
        ("POST /d", _) => reply(200, r#"{"id": 1}"#),
        (_, 4..) => reply(500, "{}"),
        _ => reply(202, "{}"),
    })
    .await;
    let record = run(&workflow(&server.url())).await;
    assert_eq!(failures(&record), [("status 500", 2)]);
    let places: Vec<_> =
        record.steps[2].counts.places.iter().map(|one| (one.class.as_str(), one.turn, one.count)).collect();
    assert_eq!(places, [("status 500", 2, 1), ("status 500", 3, 1)]);
    assert!(record.steps[0].counts.places.is_empty() && record.steps[1].counts.places.is_empty());
}

#[tokio::test]
async fn what_needs_a_value_that_was_not_captured_is_not_made_and_was_never_due() {
    let server = Server::start(|seen| match seen.line.as_str() {
        "POST /login" => reply(200, "{}"),
        _ => reply(200, r#"{"id": 1}"#),
    })
    .await;
    let record = run(&workflow(&server.url())).await;
    assert_eq!(failures(&record), [("capture missing", 1)]);
    assert_eq!((record.counts.due, record.counts.sent, record.counts.unsent, record.counts.skipped), (1, 1, 0, 6));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn an_old_value_does_not_stand_in_for_one_that_was_not_captured_again() {
    let server = Server::start(|seen| match (seen.line.as_str(), seen.turn) {
        ("POST /login", _) => reply(200, r#"{"token": "t"}"#),
        ("POST /d", 1) => reply(200, r#"{"id": 1}"#),
        ("POST /d", _) => reply(500, "{}"),
        _ => reply(200, "{}"),
    })
    .await;
    let record = run(&workflow(&server.url())).await;
    assert_eq!((record.steps[2].counts.sent, record.counts.skipped, record.counts.due), (1, 2, 5));
    assert_eq!(failures(&record), [("status 500", 2)]);
}

#[tokio::test]
async fn a_step_that_takes_a_value_anew_is_sent_with_the_one_before() {
    let server = Server::start(|seen| match seen.line.as_str() {
        "POST /login" => reply(200, r#"{"token": "t-1"}"#),
        "POST /renew/t-1" => reply(200, r#"{"token": "t-2"}"#),
        "POST /renew/t-2" => reply(200, r#"{"token": "t-3"}"#),
        "GET /use/t-3" => reply(200, "{}"),
        _ => reply(403, "{}"),
    })
    .await;
    let mut one = load("r", &server.url(), ONCE);
    one.steps = vec![
        step("login", "POST", "/login"),
        step("renew", "POST", "/renew/$(vars.token)"),
        step("use", "GET", "/use/$(vars.token)"),
    ];
    one.steps[0].capture = vec![capture("token", "/token")];
    one.steps[1].capture = vec![capture("token", "/token")];
    one.steps[1].again = Some(AgainInput { from: 1, times: 2 });
    let record = run(&one).await;
    assert_eq!((record.counts.ok, failures(&record)), (4, vec![]));
}

/// One item: asked for until it is done.
fn item(url: &str) -> LoadInput {
    let mut one = load("i", url, ONCE);
    one.steps = vec![step("upload", "POST", "/up"), step("ready", "GET", "/ready")];
    one.steps[1].until = Some(UntilInput {
        json_pointer: "/status".into(),
        equals: vec!["done".into()],
        interval_milliseconds: 100,
        timeout_seconds: 1,
    });
    one.steps[1].tasks = TasksInput::PerResponse(1);
    one
}

#[tokio::test]
async fn an_item_s_time_is_from_its_iteration_due_to_the_answer_that_says_done() {
    let server = Server::start(|seen| match (seen.line.as_str(), seen.turn) {
        ("POST /up", _) => Act::Reply(Duration::from_millis(150), 202, "{}"),
        (_, 1 | 2) => reply(200, r#"{"status": "running"}"#),
        _ => reply(200, r#"{"status": "done"}"#),
    })
    .await;
    let record = run(&item(&server.url())).await;
    let items = record.items.clone().unwrap();
    assert_eq!((items.done, items.missing, items.polls, items.rows.len(), items.left_out), (1, 0, 3, 1, 0));
    assert_eq!((record.counts.due, record.counts.ok, record.counts.tasks), (2, 2, Some(1)));
    let (latency, service) = (decode(&record.latency).unwrap(), decode(&record.service).unwrap());
    assert_eq!((latency.len(), service.len()), (1, 2), "the load's latency is that of its items");
    let took = items.rows[0].micros.unwrap();
    assert!(took >= 350_000 && latency.max() + 1000 >= took, "{took} {}", latency.max());
    assert_eq!((items.rows[0].seq, items.rows[0].step, items.rows[0].due_ms), (0, 1, 1_000_000));
}

#[tokio::test]
async fn an_item_that_never_comes_is_missing_and_is_not_waited_for_without_end() {
    let server = Server::start(|seen| match seen.line.as_str() {
        "POST /up" => reply(202, "{}"),
        _ => reply(200, r#"{"status": "running"}"#),
    })
    .await;
    let record = run(&item(&server.url())).await;
    let items = record.items.clone().unwrap();
    assert_eq!((items.done, items.missing, items.rows[0].micros), (0, 1, None));
    assert_eq!((failures(&record), record.counts.tasks), (vec![("not done", 1)], Some(0)));
    assert!(items.polls >= 2 && items.polls <= 12, "{}", items.polls);
}

#[tokio::test]
async fn the_pause_after_an_answer_is_no_lateness_of_the_next_request() {
    let server = Server::start(|_| reply(200, "{}")).await;
    let mut one = load("p", &server.url(), ONCE);
    one.steps = vec![step("a", "GET", "/a"), step("b", "GET", "/b")];
    one.steps[0].pause_milliseconds = 300;
    let record = run(&one).await;
    let seen = server.seen();
    assert!(seen[1].at.duration_since(seen[0].at) >= Duration::from_millis(300));
    assert!(decode(&record.lateness).unwrap().max() < 200_000, "{}", decode(&record.lateness).unwrap().max());
}
