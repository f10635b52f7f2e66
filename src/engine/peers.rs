//! The engine against peers that are slow, odd, broken or gone, plain and in TLS.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::fixture::load;
use super::http::address::AddressRules;
use super::http::template::Constants;
use super::pace::schedule::Share;
use super::scripted::{Act, Server};
use super::{Armed, Start, stop_switch};
use crate::plan::{Arrivals, LoadInput};
use crate::results::gathered::record::LoadRecord;

/// One client, so many iterations, a timeout of one second.
fn rounds(url: &str, iterations_per_client: u64) -> LoadInput {
    let mut one = load("l", url, Arrivals::Iterations { clients: 1, iterations_per_client });
    one.steps[0].timeout_seconds = 1;
    one
}

async fn run(load: &LoadInput) -> LoadRecord {
    let constants = Constants::new("r", 0, &BTreeMap::new());
    let share = Share::whole(std::slice::from_ref(load), 0);
    let armed = Armed::arm(load, share, &constants, &AddressRules::Any).await.unwrap();
    let (_switch, stop) = stop_switch();
    armed.run(Start { at: Instant::now(), wall_ms: 0 }, stop, None).await
}

fn failures(record: &LoadRecord) -> Vec<(&str, u64)> {
    record.counts.failures.iter().map(|(class, count)| (class.as_str(), *count)).collect()
}

#[tokio::test]
async fn what_comes_too_late_is_told_apart_by_how_far_it_came() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf";
    for (act, class) in
        [(Act::Hang, "first byte timeout"), (Act::Open(half), "timeout"), (Act::Open("HTTP/"), "timeout")]
    {
        let server = Server::start(move |_| act.clone()).await;
        let record = run(&rounds(&server.url(), 1)).await;
        assert_eq!((failures(&record), record.counts.timed_out), (vec![(class, 1)], 1));
    }
    // A listener that nobody accepts from: TCP is there, TLS never.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let record = run(&rounds(&format!("https://{}", silent.local_addr().unwrap()), 1)).await;
    assert_eq!((failures(&record), record.counts.timed_out), (vec![("connect timeout", 1)], 1));
}

#[tokio::test]
async fn bytes_behind_an_answer_end_its_connection_and_are_no_answer() {
    let two = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\naHTTP/1.1 500 Stray\r\ncontent-length: 0\r\n\r\n";
    let server = Server::start(move |_| Act::Open(two)).await;
    let record = run(&rounds(&server.url(), 4)).await;
    assert_eq!((record.counts.ok, record.counts.failed, server.connections()), (4, 0, 4));
}

/// The request is not sent on it, so sending it elsewhere runs nothing twice: also a POST.
#[tokio::test]
async fn an_answer_that_nobody_asked_for_is_not_taken_for_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let counts = Arc::new(AtomicU32::new(0));
    let connections = counts.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let number = connections.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut buffer = [0; 1024];
                while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                    let _ = stream.write_all(b"HTTP/1.1 201 Made\r\ncontent-length: 0\r\n\r\n").await;
                    if number == 0 {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        let _ = stream.write_all(b"HTTP/1.1 408 Idle\r\ncontent-length: 0\r\n\r\n").await;
                    }
                }
            });
        }
    });
    let mut one = load("l", &url, Arrivals::Rate { count: 5, per_seconds: 1, seconds: 1, max_in_flight: 5 });
    one.steps[0].method = "POST".into();
    let record = run(&one).await;
    assert_eq!((record.counts.ok, failures(&record)), (5, vec![]));
    assert_eq!((record.statuses.get(&201), counts.load(Ordering::SeqCst)), (Some(&5), 2));
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_costs_no_post() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 1024];
            let _ = stream.read(&mut buffer).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    let mut one = load("l", &url, Arrivals::Rate { count: 5, per_seconds: 1, seconds: 1, max_in_flight: 5 });
    one.steps[0].method = "POST".into();
    let record = run(&one).await;
    assert_eq!((record.counts.ok, failures(&record)), (5, vec![]));
}

/// The peer answers a large body before it came, reads no more of it and resets the connection.
#[tokio::test]
async fn an_answer_before_the_request_was_sent_is_an_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicU32::new(0));
    let connections = count.clone();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            connections.fetch_add(1, Ordering::SeqCst);
            let mut head = [0; 256];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\n{}").await;
            open.push(stream);
        }
    });
    let mut one = rounds(&url, 3);
    one.steps[0].method = "POST".into();
    // More than the kernel's buffers of both sides hold.
    one.steps[0].body = Some("x".repeat(32 << 20));
    let record = run(&one).await;
    assert_eq!((failures(&record), count.load(Ordering::SeqCst)), (vec![("status 413", 3)], 3));
}

/// A request that the kernel takes in many pieces arrives whole, and the next one on its connection too.
#[tokio::test]
async fn a_large_request_is_sent_in_pieces_and_arrives_whole() {
    let body = "0123456789abcdef".repeat(1 << 19);
    let right = body.clone();
    let act = move |seen: &super::scripted::Seen| {
        Act::Reply(Duration::ZERO, if seen.body == right { 200 } else { 400 }, "{}")
    };
    let server = Server::start(act).await;
    let mut one = rounds(&server.url(), 3);
    one.steps[0].method = "POST".into();
    one.steps[0].timeout_seconds = 30;
    one.steps[0].body = Some(body);
    let record = run(&one).await;
    assert_eq!((record.counts.ok, failures(&record), server.connections()), (3, vec![], 1));
}

#[tokio::test]
async fn a_peer_without_end_is_bounded() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for begin in [
            "HTTP/1.1 200 OK\r\nx: ",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;",
        ] {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            tokio::spawn(async move {
                let mut buffer = [0; 1024];
                let _ = stream.read(&mut buffer).await;
                let _ = stream.write_all(begin.as_bytes()).await;
                while stream.write_all(&[b'y'; 4096]).await.is_ok() {}
            });
        }
    });
    let record = run(&rounds(&url, 3)).await;
    assert_eq!(failures(&record), [("invalid http", 2), ("timeout", 1)]);
}

/// A server of TLS whose certificate nobody trusts, and how many sessions it has had. `odd`: it ends the second answer
/// of each session without the end that TLS knows, and in mid-body.
async fn tls(odd: bool) -> (String, Arc<AtomicU32>) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_string()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicU32::new(0));
    let sessions = count.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, sessions) = (acceptor.clone(), sessions.clone());
            tokio::spawn(async move {
                if let Ok(session) = acceptor.accept(stream).await {
                    sessions.fetch_add(1, Ordering::SeqCst);
                    answer(session, odd).await;
                }
            });
        }
    });
    (url, count)
}

async fn answer(mut session: impl AsyncRead + AsyncWrite + Unpin, odd: bool) {
    let mut buffer = [0; 4096];
    for turn in 0.. {
        if !session.read(&mut buffer).await.is_ok_and(|read| read > 0) {
            return;
        }
        let cut = odd && turn == 1;
        // In two records, so that a head comes in pieces.
        let head: [&[u8]; 2] = [b"HTTP/1.1 200 OK\r\ncontent-", b"length: 8\r\n\r\n"];
        for part in head.into_iter().chain([if cut { &b"half"[..] } else { b"whole it" }]) {
            let _ = session.write_all(part).await;
            let _ = session.flush().await;
        }
        if cut {
            return;
        }
    }
}

#[tokio::test]
async fn sessions_of_tls_are_used_again_and_their_early_ends_are_seen() {
    for (odd, ok, failed, sessions) in [(false, 6, vec![], 1), (true, 3, vec![("reset", 3)], 3)] {
        let (url, count) = tls(odd).await;
        let mut one = rounds(&url, 6);
        one.steps[0].timeout_seconds = 5;
        one.tls.insecure_skip_verify = true;
        let record = run(&one).await;
        assert_eq!((record.counts.ok, failures(&record), count.load(Ordering::SeqCst)), (ok, failed, sessions));
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_a_failure_of_tls() {
    let (url, _) = tls(false).await;
    assert_eq!(failures(&run(&rounds(&url, 2)).await), [("tls", 2)]);
}
