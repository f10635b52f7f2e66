//! Loads beside actions, outages of a server whose outages are known, and how connections are used.

use std::time::Duration;

use super::fixture::{load, step};
use super::scripted::{Act, OK, Seen, Server};
use super::stop_switch;
use super::tests::{arm, failures, now, run};
use crate::api::ConnectionUse;
use crate::plan::{Arrivals, DuringInput, ExcusedInput, LoadInput, PartContent, PartInput};
use crate::results::gathered::record::LoadRecord;

const FIFTY_A_SECOND: Arrivals = Arrivals::Rate { count: 50, per_seconds: 1, seconds: 2, max_in_flight: 100 };

fn busy() -> Act {
    Act::Reply(Duration::ZERO, 503, "{}")
}

fn number(seen: &Seen) -> u32 {
    seen.line.rsplit('/').next().unwrap().parse().unwrap()
}

/// 50 requests a second, each with its number.
fn probe(url: &str) -> LoadInput {
    let mut one = load("probe", url, FIFTY_A_SECOND);
    one.steps[0].path = "/$(seq)".into();
    one
}

async fn run_with(load: &LoadInput, windows: &[ExcusedInput]) -> LoadRecord {
    let (_switch, stop) = stop_switch();
    arm(load, 0).await.excusing(windows).run(now(), stop, None).await
}

/// Known outages: requests 20 to 44, which are due from 400 to 880 ms, and 70.
async fn disturbed() -> Server {
    Server::start(|seen| if (20..45).contains(&number(seen)) || number(seen) == 70 { busy() } else { OK }).await
}

#[tokio::test]
async fn outages_are_those_of_the_server_to_the_probe() {
    let server = disturbed().await;
    let recovery = run(&probe(&server.url())).await.recovery.unwrap();
    let spans: Vec<_> = recovery.outages.iter().map(|one| (one.from_ms - 1_000_000, one.to_ms - 1_000_000)).collect();
    assert_eq!(spans, [(400, 900), (1_400, 1_420)]);
    assert_eq!((recovery.count, recovery.longest_ms, recovery.recovery_ms), (2, 500, None));
    let closed = run(&load("c", &server.url(), Arrivals::Iterations { clients: 1, iterations_per_client: 1 })).await;
    assert_eq!(closed.recovery, None, "without a rate nobody knows what was due");
}

#[tokio::test]
async fn what_fails_while_an_action_lasts_is_excused_and_its_own_answers_are_good() {
    let server = disturbed().await;
    let window = ExcusedInput { action: "down".into(), from_ms: 390, to_ms: 1_390, end_ms: Some(690) };
    let excused = run_with(&probe(&server.url()), std::slice::from_ref(&window)).await;
    assert_eq!((excused.counts.sent, excused.counts.ok, excused.counts.excused), (100, 74, Some(25)));
    assert_eq!(failures(&excused), [("status 503", 1)]);
    assert_eq!(excused.counts.contradictions(), Vec::<String>::new());
    assert_eq!(excused.recovery.unwrap().recovery_ms, Some(210), "from the action's end at 690 to 900");

    let mut accepting = probe(&server.url());
    accepting.steps[0].during = Some(DuringInput { action: "down".into(), status: vec![503] });
    let accepted = run_with(&accepting, &[window]).await;
    assert_eq!((accepted.counts.ok, accepted.counts.excused, accepted.counts.failed), (99, Some(0), 1));
    assert_eq!(accepted.recovery.unwrap().count, 2, "an accepted 503 has not recovered");
}

#[tokio::test]
async fn a_load_that_starts_later_counts_from_its_own_start_and_its_actions_from_the_row_s() {
    let server = Server::start(|_| busy()).await;
    let mut late = probe(&server.url());
    late.start_after_seconds = 1;
    let window = ExcusedInput { action: "a".into(), from_ms: 1_000, to_ms: 1_990, end_ms: None };
    let began = std::time::Instant::now();
    let record = run_with(&late, &[window]).await;
    assert!(server.seen()[0].at.duration_since(began) >= Duration::from_secs(1));
    assert_eq!(
        (record.counts.first_due_ms, record.counts.excused, record.counts.failed),
        (Some(1_001_000), Some(50), 50)
    );
    let recovery = record.recovery.unwrap();
    assert!(recovery.outages[0].open && recovery.outages[0].from_ms == 1_001_000, "{recovery:?}");
}

#[tokio::test]
async fn a_form_with_a_large_file_arrives_whole_and_the_connection_goes_on() {
    let server = Server::start(|_| OK).await;
    let mut one = load("u", &server.url(), Arrivals::Iterations { clients: 1, iterations_per_client: 2 });
    one.steps = vec![step("upload", "POST", "/")];
    let (filename, content) = (Some("doc-$(seq).txt".into()), PartContent::Generated(3_000_000));
    one.steps[0].upload = vec![PartInput { name: "files".into(), filename, content }];
    let record = run(&one).await;
    assert_eq!((record.counts.ok, server.connections()), (2, 1), "{:?}", failures(&record));
    let seen = server.seen();
    assert!(seen.iter().all(|seen| seen.body.len() > 3_000_000 && seen.body.ends_with("--\r\n")));
    assert!(seen[0].head.contains("content-type: multipart/form-data; boundary=loadtest"), "{}", seen[0].head);
    assert!(seen[1].body.contains("filename=\"doc-1.txt\"") && seen[0].body[200..] != seen[1].body[200..]);
}

#[tokio::test]
async fn an_answer_that_comes_before_the_whole_body_was_taken_is_read() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        // Takes nothing of the body, and stays.
        std::future::pending::<()>().await;
    });
    let mut one = load("u", &url, Arrivals::Iterations { clients: 1, iterations_per_client: 1 });
    one.steps = vec![step("upload", "POST", "/")];
    one.steps[0].random_body = Some((16 << 20, 16 << 20));
    assert_eq!(failures(&run(&one).await), [("status 413", 1)]);
}

#[tokio::test]
async fn connections_are_kept_or_made_anew_for_each_iteration_or_request() {
    for (connection, connections) in
        [(ConnectionUse::KeepAlive, 1), (ConnectionUse::PerIteration, 3), (ConnectionUse::PerRequest, 6)]
    {
        let server = Server::start(|_| OK).await;
        let mut one = load("c", &server.url(), Arrivals::Iterations { clients: 1, iterations_per_client: 3 });
        one.steps = vec![step("a", "GET", "/"), step("b", "GET", "/")];
        one.connection = connection;
        let record = run(&one).await;
        assert_eq!((record.counts.ok, server.connections()), (6, connections), "{connection:?}");
        let asks = server.seen().iter().all(|seen| seen.head.contains("connection: close"));
        assert_eq!(asks, connection == ConnectionUse::PerRequest);
    }
}
