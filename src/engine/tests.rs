//! The engine against a server on loopback whose answers are scripted.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::fixture::{load, step};
use super::http::address::AddressRules;
use super::http::template::Constants;
use super::pace::schedule::Share;
use super::scripted::{Act, OK, Server};
use super::*;
use crate::plan::{Arrivals, HeaderInput, LoadInput, TasksInput};
use crate::results::gathered::histogram::decode;
use crate::results::gathered::record::LoadRecord;

pub fn iterations(clients: u32, iterations_per_client: u64) -> Arrivals {
    Arrivals::Iterations { clients, iterations_per_client }
}

pub fn rate(count: u32, seconds: u32, max_in_flight: u32) -> Arrivals {
    Arrivals::Rate { count, per_seconds: 1, seconds, max_in_flight }
}

pub async fn arm(load: &LoadInput, index: u32) -> Armed {
    let loads = std::slice::from_ref(load);
    let (_, share) = Share::of_index(loads, index).unwrap();
    let constants = Constants::new("demo-1", 0, &BTreeMap::new());
    Armed::arm(load, share, &constants, &AddressRules::Any).await.unwrap()
}

pub fn now() -> Start {
    Start { at: Instant::now(), wall_ms: 1_000_000 }
}

pub async fn run(load: &LoadInput) -> LoadRecord {
    let (_switch, stop) = stop_switch();
    arm(load, 0).await.run(now(), stop, None).await
}

pub fn failures(record: &LoadRecord) -> Vec<(&str, u64)> {
    record.counts.failures.iter().map(|(class, count)| (class.as_str(), *count)).collect()
}

#[tokio::test]
async fn each_client_keeps_its_connection_and_every_count_is_exact() {
    let server = Server::start(|_| OK).await;
    let record = run(&load("l", &server.url(), iterations(3, 4))).await;
    assert_eq!(
        (
            record.counts.due,
            record.counts.sent,
            record.counts.ok,
            record.counts.failed,
            record.counts.unsent,
            record.counts.capped
        ),
        (12, 12, 12, 0, 0, 0)
    );
    assert_eq!(record.statuses, [(200, 12)].into());
    assert_eq!((server.seen().len(), server.connections()), (12, 3));
    assert_eq!(decode(&record.connect).unwrap().len(), 3);
    assert_eq!(decode(&record.latency).unwrap().len(), 12);
    assert_eq!((record.counts.tasks, record.stopped), (None, None));
}

#[tokio::test]
async fn an_announced_close_costs_a_connection_and_no_request() {
    let server = Server::start(|_| Act::Raw("HTTP/1.1 204 No\r\nconnection: close\r\n\r\n")).await;
    let record = run(&load("l", &server.url(), iterations(2, 5))).await;
    assert_eq!((record.counts.ok, record.counts.failed, server.seen().len(), server.connections()), (10, 0, 10, 10));
}

#[tokio::test]
async fn seqs_and_clients_are_unique_over_all_generators() {
    let server = Server::start(|_| OK).await;
    let mut one = load("l", &server.url(), iterations(5, 3));
    one.generators = 2;
    one.steps[0].path = "/$(seq)".into();
    one.steps[0].method = "POST".into();
    one.steps[0].body = Some("$(client) $(run.id)".into());
    let (_switch, stop) = stop_switch();
    for index in [0, 1] {
        arm(&one, index).await.run(now(), stop.clone(), None).await;
    }
    assert_eq!(server.lines(), (0..15).map(|seq| format!("POST /{seq}")).collect());
    let mut bodies: Vec<_> = server.seen().into_iter().map(|seen| seen.body).collect();
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies, (0..5).map(|client| format!("{client} demo-1")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_rate_is_never_sent_before_it_is_due_and_all_of_it_is() {
    let server = Server::start(|_| OK).await;
    let mut one = load("l", &server.url(), rate(40, 1, 100));
    one.steps[0].path = "/$(seq)".into();
    let (_switch, stop) = stop_switch();
    let start = now();
    let record = arm(&one, 0).await.run(start, stop, None).await;
    assert_eq!((record.counts.due, record.counts.sent, record.counts.ok), (40, 40, 40));
    assert_eq!(server.lines().len(), 40);
    for seen in server.seen() {
        let seq: u32 = seen.line.strip_prefix("GET /").unwrap().parse().unwrap();
        assert!(seen.at >= start.at + Duration::from_millis(25) * seq, "{}", seen.line);
    }
    assert_eq!(record.timeline.buckets.iter().map(|bucket| bucket.ok).sum::<u32>(), 40);
    assert_eq!(record.counts.first_due_ms, Some(1_000_000));
}

#[tokio::test]
async fn the_warm_up_is_sent_and_not_counted() {
    let server = Server::start(|_| OK).await;
    let mut one = load("l", &server.url(), rate(20, 1, 100));
    one.warmup_seconds = 1;
    one.steps[0].tasks = TasksInput::PerResponse(2);
    let record = run(&one).await;
    assert_eq!((record.counts.warmup_sent, record.counts.due, record.counts.sent, record.counts.ok), (20, 20, 20, 20));
    assert_eq!((record.counts.warmup_tasks, record.counts.tasks), (Some(40), Some(40)));
    assert_eq!((record.counts.first_due_ms, record.timeline.start_ms), (Some(1_001_000), 1_001_000));
}

/// A server that does one thing at a time and stands still at the first: a closed loop would report one slow answer.
#[tokio::test]
async fn the_wait_behind_a_slow_answer_is_in_the_latency_of_all_who_waited() {
    let until = Instant::now() + Duration::from_secs(1);
    let server = Server::start(move |_| Act::Reply(until.saturating_duration_since(Instant::now()), 200, "")).await;
    let record = run(&load("l", &server.url(), rate(20, 2, 100))).await;
    let latency = decode(&record.latency).unwrap();
    assert_eq!(latency.len(), 40);
    // Armed and started well within 400 ms of the server's start, 8 or more were due with 200 ms left to wait.
    assert!(latency.len() - latency.count_between(0, 199_000) >= 8);
}

#[tokio::test]
async fn what_was_due_while_too_many_were_open_is_capped_and_nothing_else() {
    let server = Server::start(|_| Act::Hang).await;
    let mut one = load("l", &server.url(), rate(20, 1, 2));
    one.steps[0].timeout_seconds = 1;
    let record = run(&one).await;
    assert_eq!((record.counts.due, record.counts.sent, record.counts.capped, record.counts.unsent), (20, 2, 18, 0));
    assert_eq!((record.counts.failed, record.counts.timed_out), (2, 2));
    assert_eq!(failures(&record), [("first byte timeout", 2)]);
    assert_eq!(decode(&record.latency).unwrap().len(), 0);
}

#[tokio::test]
async fn failures_are_told_apart() {
    for (act, class) in [
        (Act::Reply(Duration::ZERO, 503, ""), "status 503"),
        (Act::Close, "reset"),
        (Act::Raw("hello\r\n\r\n"), "invalid http"),
        (Act::Raw("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"), "reset"),
        (Act::Reply(Duration::ZERO, 200, "{}"), "task count missing"),
        (Act::Reply(Duration::ZERO, 200, "<"), "bad json"),
    ] {
        let server = Server::start(move |_| act.clone()).await;
        let mut one = load("l", &server.url(), iterations(1, 2));
        one.steps[0].tasks = TasksInput::JsonPointer("/n".into());
        let record = run(&one).await;
        assert_eq!(failures(&record), [(class, 2)]);
        assert_eq!(
            (record.counts.sent, record.counts.ok, record.counts.failed, record.counts.tasks),
            (2, 0, 2, Some(0))
        );
    }
}

#[tokio::test]
async fn a_port_without_a_listener_is_refused_and_plain_text_is_no_tls() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let plain = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let talking = plain.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            let mut hello = [0; 16];
            let _ = stream.read(&mut hello).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    for (url, class) in [(format!("http://{free}"), "connect refused"), (format!("https://{talking}"), "tls")] {
        let record = run(&load("l", &url, iterations(1, 1))).await;
        assert_eq!(failures(&record), [(class, 1)]);
        assert_eq!(decode(&record.connect).unwrap().len(), 0);
    }
}

#[tokio::test]
async fn a_post_whose_connection_died_is_not_sent_again_and_a_get_is_once() {
    for (method, sent_to_server, ok) in [("POST", 2, 1), ("GET", 3, 2)] {
        let server = Server::start(|seen| if (seen.connection, seen.turn) == (0, 1) { Act::Close } else { OK }).await;
        let mut one = load("l", &server.url(), iterations(1, 2));
        one.steps[0].method = method.into();
        let record = run(&one).await;
        assert_eq!((server.seen().len(), record.counts.sent, record.counts.ok), (sent_to_server, 2, ok), "{method}");
    }
}

#[tokio::test]
async fn a_get_that_dies_on_every_connection_is_tried_twice_and_has_failed() {
    let server = Server::start(|seen| if seen.connection == 0 && seen.turn == 0 { OK } else { Act::Close }).await;
    let record = run(&load("l", &server.url(), iterations(1, 2))).await;
    assert_eq!((server.seen().len(), record.counts.ok), (3, 1));
    assert_eq!(failures(&record), [("reset", 1)]);
}

#[tokio::test]
async fn steps_go_in_order_on_one_connection_and_a_failed_one_keeps_none_back() {
    let act = |seen: &scripted::Seen| match seen.line.as_str() {
        "GET /b" => Act::Reply(Duration::ZERO, 500, ""),
        _ => Act::Reply(Duration::ZERO, 200, "{\"n\": 7}"),
    };
    let server = Server::start(act).await;
    let mut one = load("l", &format!("{}/", server.url()), iterations(1, 2));
    one.headers = vec![HeaderInput { name: "X-Kind".into(), value: "load".into() }];
    one.steps = vec![step("a", "GET", "/a"), step("b", "GET", "/b"), step("c", "GET", "/c")];
    one.steps[2].tasks = TasksInput::JsonPointer("/n".into());
    let record = run(&one).await;
    let lines: Vec<_> = server.seen().into_iter().map(|seen| seen.line).collect();
    assert_eq!(lines, ["GET /a", "GET /b", "GET /c", "GET /a", "GET /b", "GET /c"]);
    assert!(server.seen().iter().all(|seen| seen.head.contains("x-kind: load\r\n")));
    assert_eq!(
        (server.connections(), record.counts.ok, record.counts.failed, record.counts.tasks),
        (1, 4, 2, Some(14))
    );
    let steps: Vec<_> =
        record.steps.iter().map(|s| (s.counts.name.as_str(), s.counts.sent, s.counts.ok, s.counts.failed)).collect();
    assert_eq!(steps, [("a", 2, 2, 0), ("b", 2, 0, 2), ("c", 2, 2, 0)]);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let server = Server::start(|_| Act::Raw("HTTP/1.1 302 F\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n")).await;
    let record = run(&load("l", &server.url(), iterations(1, 1))).await;
    assert_eq!((failures(&record), server.seen().len()), (vec![("status 302", 1)], 1));
}

/// A server that knows a client by the cookie it gave it at the first step.
#[tokio::test]
async fn each_client_of_a_journey_keeps_its_own_cookies() {
    let server = Server::start(|seen| match seen.line.as_str() {
        "GET /login" if seen.connection % 2 == 0 => {
            Act::Raw("HTTP/1.1 200 OK\r\nset-cookie: id=even; Path=/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        }
        "GET /login" => Act::Raw(
            "HTTP/1.1 200 OK\r\nset-cookie: id=odd\r\nset-cookie: x=1; Secure\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        ),
        _ if seen.head.contains("cookie: id=even\r\n") || seen.head.contains("cookie: id=odd\r\n") => OK,
        _ => Act::Reply(Duration::ZERO, 401, "{}"),
    })
    .await;
    for arrivals in [iterations(4, 2), rate(20, 1, 4)] {
        let mut journey = load("l", &server.url(), arrivals);
        journey.steps = vec![step("login", "GET", "/login"), step("buy", "POST", "/buy")];
        let record = run(&journey).await;
        let buy = &record.steps[1];
        assert_eq!((buy.counts.failed, buy.counts.ok), (0, record.counts.due / 2), "{:?}", failures(&record));
    }
    let mut single = load("l", &server.url(), iterations(1, 3));
    single.steps[0].path = "/buy".into();
    assert_eq!(failures(&run(&single).await), [("status 401", 3)], "a single request is no journey");
}
