//! The reader beside hyper's, over generated answers: they must see the same.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tokio::io::AsyncWriteExt;

use super::{Body, Closed, Memo, Reader, Want};

/// Status and body, or no answer.
type Seen = Option<(u16, Vec<u8>)>;

const CASES: u32 = 3000;

/// Whole answers and wreckage of them.
fn answer() -> impl Strategy<Value = Vec<u8>> {
    let version = prop_oneof![8 => Just("HTTP/1.1"), 2 => Just("HTTP/1.0"), 1 => Just("HTTP/1.2"), 1 => Just("HTTP/2")];
    let status = prop_oneof![6 => Just("200"), 1 => Just("204"), 1 => Just("304"), 1 => Just("404"), 1 => Just("503"), 1 => Just("099"), 1 => Just("20")];
    let reason = prop_oneof![Just(" OK"), Just(""), Just(" "), Just(" \u{e9}"), Just("  x y")];
    let line_end = prop_oneof![9 => Just("\r\n"), 1 => Just("\n")];
    let interim = prop_oneof![6 => Just(""), 1 => Just("HTTP/1.1 100 Continue\r\n\r\n"), 1 => Just("HTTP/1.1 103 E\r\na: b\r\n\r\n")];
    let header = prop_oneof![
        4 => (0u32..12).prop_map(|n| format!("Content-Length: {n}")),
        1 => Just("content-length: 3, 3".to_string()),
        1 => Just("content-length: x".into()),
        1 => Just("content-length: 99999999999999999999".into()),
        4 => Just("Transfer-Encoding: chunked".into()),
        1 => Just("transfer-encoding: gzip, chunked".into()),
        1 => Just("transfer-encoding: chunked, gzip".into()),
        1 => Just("transfer-encoding: identity".into()),
        2 => Just("connection: close".into()),
        1 => Just("connection: keep-alive".into()),
        2 => "[a-z]{1,5}: ?[ -~]{0,9}".prop_map(|line| line),
        1 => Just("x : y".into()),
        1 => Just(" folded".into()),
    ];
    let body = prop_oneof![
        4 => "[a-c]{0,12}".prop_map(|text| text),
        4 => chunks(),
        1 => "[0-9a-f;\r\n ]{0,16}".prop_map(|text| text),
    ];
    let headers = proptest::collection::vec((header, line_end.clone()), 0..4);
    (interim, version, status, reason, line_end, headers, body, 0u8..8).prop_map(
        |(interim, version, status, reason, end, headers, body, cut)| {
            let mut text = format!("{interim}{version} {status}{reason}{end}");
            headers.iter().for_each(|(header, end)| text.push_str(&format!("{header}{end}")));
            text.push_str(&format!("\r\n{body}"));
            let mut bytes = text.into_bytes();
            if cut == 0 {
                bytes.truncate(bytes.len() * 2 / 3);
            }
            bytes
        },
    )
}

fn chunks() -> impl Strategy<Value = String> {
    let chunk = ("[a-c]{1,9}", prop_oneof![5 => Just(""), 1 => Just(";x=y"), 1 => Just(" "), 1 => Just(" ; a")])
        .prop_map(|(data, extension)| format!("{:x}{extension}\r\n{data}\r\n", data.len()));
    let end = prop_oneof![6 => Just("0\r\n\r\n"), 1 => Just("0\r\nx: y\r\n\r\n"), 1 => Just("00;e\r\n\r\n"), 1 => Just("0\r\n"), 1 => Just("")];
    (proptest::collection::vec(chunk, 0..4), end).prop_map(|(chunks, end)| format!("{}{end}", chunks.concat()))
}

fn ours(bytes: &[u8], piece: usize, head_only: bool) -> Seen {
    let mut reader = Reader::new(Want { head_only, body: Some(1 << 20), ..Want::default() });
    let mut memo = Memo::default();
    let mut whole = false;
    for piece in bytes.chunks(piece) {
        whole = reader.feed(piece, &mut memo).ok()?.is_some();
        if whole {
            break;
        }
    }
    whole = whole || reader.close() == Ok(Closed::Whole);
    let reply = reader.take_reply();
    let Body::Kept(body) = reply.body else { unreachable!() };
    whole.then(|| (reply.status, body.to_vec()))
}

async fn hypers(bytes: Vec<u8>, head_only: bool) -> Seen {
    let (client, mut server) = tokio::io::duplex(1 << 16);
    let (mut sender, connection) = http1::handshake::<_, Empty<Bytes>>(TokioIo::new(client)).await.ok()?;
    let driver = tokio::spawn(connection);
    let method = if head_only { "HEAD" } else { "GET" };
    let request = hyper::Request::builder().method(method).uri("/").header("host", "h").body(Empty::new()).unwrap();
    let exchange = async {
        let response = sender.send_request(request).await.ok()?;
        let status = response.status().as_u16();
        Some((status, response.into_body().collect().await.ok()?.to_bytes().to_vec()))
    };
    let peer = async {
        // What comes before the request would be an answer that nobody asked for.
        let mut request = [0; 1024];
        let _ = tokio::io::AsyncReadExt::read(&mut server, &mut request).await;
        let _ = server.write_all(&bytes).await;
        drop(server);
    };
    let (seen, ()) = tokio::join!(exchange, peer);
    driver.abort();
    seen
}

/// The same answers in every run of the tests.
fn same_every_time() -> TestRunner {
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]))
}

#[test]
fn the_reader_sees_what_hyper_sees() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (mut runner, answers) = (same_every_time(), (answer(), 1usize..40, proptest::bool::weighted(0.1)));
    let (mut good, mut bad) = (0, 0);
    for _ in 0..CASES {
        let (bytes, piece, head_only) = answers.new_tree(&mut runner).unwrap().current();
        let theirs = runtime.block_on(hypers(bytes.clone(), head_only));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(ours(&bytes, piece, head_only), theirs, "HEAD {head_only}, pieces of {piece}: {text:?}");
        *if theirs.is_some() { &mut good } else { &mut bad } += 1;
    }
    assert!(good > CASES / 4 && bad > CASES / 10, "{good} good and {bad} bad answers prove little");
}
