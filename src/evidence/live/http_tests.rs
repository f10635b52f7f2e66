//! Tests of http measurements against a small server on loopback.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{AddressCheck, HttpSource, Values};
use crate::plan::{BasicAuthInput, HeaderInput, MeasurementSource, TlsInput};

fn anything() -> AddressCheck {
    Arc::new(|_| None)
}

/// Answers each request by its head; returns its port and what it was asked.
pub(super) async fn serve(answer: impl Fn(&str) -> String + Send + 'static) -> (u16, UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, asked) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 8192];
            let read = stream.read(&mut head).await.unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            let answer = answer(&head);
            let _ = sender.send(head);
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (port, asked)
}

pub(super) fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn source(url: String, pointer: &str) -> MeasurementSource {
    MeasurementSource::Http {
        url,
        json_pointer: pointer.into(),
        headers: vec![HeaderInput { name: "X-Token".into(), value: "$(vars.token)".into() }],
        basic_auth: Some(BasicAuthInput { username: "$(vars.token)".into(), password: "p".into() }),
        tls: TlsInput::default(),
        durations: None,
    }
}

fn values() -> Values {
    Values::of_run("demo-1", 0, &BTreeMap::from([("token".into(), "canary".into())]))
}

async fn asked(answer: String, pointer: &str) -> Result<f64, String> {
    let (port, _asked) = serve(move |_| answer.clone()).await;
    let source = source(format!("http://127.0.0.1:{port}/tasks?key=canary"), pointer);
    HttpSource::new(&source, anything()).unwrap().unwrap().ask(&values()).await
}

#[tokio::test]
async fn a_number_or_the_length_of_an_array_is_taken() {
    assert_eq!(asked(ok(r#"{"count": 7}"#), "/count").await, Ok(7.0));
    assert_eq!(asked(ok(r#"{"items": [{"a": 1}, 2, 3]}"#), "/items").await, Ok(3.0));
    assert_eq!(asked(ok("[]"), "").await, Ok(0.0), "an empty array is a length of 0");
    assert_eq!(asked(ok(r#"{"a": {"b/c": [1.5]}}"#), "/a/b~1c/0").await, Ok(1.5));
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_an_error_and_never_zero() {
    let redirect = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"count\": 7";
    let long = ok(&format!("\"{}\"", "x".repeat(1 << 20)));
    let wrong = [
        (ok(r#"{"other": 7}"#), "nothing"),
        (ok(r#"{"count": null}"#), "null"),
        (ok(r#"{"count": "7"}"#), "text"),
        (ok(r#"{"count": {}}"#), "object"),
        (ok("<html>"), "no JSON"),
        ("HTTP/1.1 500 Oops\r\ncontent-length: 12\r\n\r\n{\"count\": 7}".into(), "status 500"),
        (redirect.into(), "status 302"),
        (cut.into(), "broke off"),
        (long, "1 MiB"),
    ];
    for (answer, words) in wrong {
        let error = asked(answer, "/count").await.unwrap_err();
        assert!(error.contains(words), "{error} should say {words}");
        assert!(!error.contains("canary") && !error.contains("127.0.0.1"), "{error}");
    }
}

#[tokio::test]
async fn variables_stand_in_headers_and_basic_auth() {
    let (port, mut heads) = serve(|_| ok("1")).await;
    let source = source(format!("http://127.0.0.1:{port}/$(run.id)"), "");
    let http = HttpSource::new(&source, anything()).unwrap().unwrap();
    assert_eq!(http.ask(&values()).await, Ok(1.0));
    let head = heads.recv().await.unwrap().to_lowercase();
    assert!(head.starts_with("get /demo-1 http/1.1") && head.contains("x-token: canary"), "{head}");
    assert!(head.contains("authorization: basic y2fuyxj5onA=".to_lowercase().as_str()), "{head}");
}

#[tokio::test]
async fn a_denied_address_is_not_asked_however_it_is_written() {
    let denied: AddressCheck = Arc::new(|address| address.is_loopback().then_some("a loopback address"));
    let (port, mut heads) = serve(|_| ok("1")).await;
    for host in ["127.0.0.1", "localhost", "127.1", "2130706433"] {
        let source = source(format!("http://{host}:{port}/"), "");
        let error = HttpSource::new(&source, denied.clone()).unwrap().unwrap().ask(&values()).await.unwrap_err();
        assert!(error.contains("loopback"), "{host}: {error}");
    }
    assert!(heads.try_recv().is_err(), "nothing was sent");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let source = source(format!("http://127.0.0.1:{port}/?key=canary"), "");
    let error = HttpSource::new(&source, anything()).unwrap().unwrap().ask(&values()).await.unwrap_err();
    assert_eq!(error, "no connection came about");
}

#[test]
fn a_ca_file_that_is_not_there_is_said() {
    let mut source = source("https://h/".into(), "");
    if let MeasurementSource::Http { tls, .. } = &mut source {
        tls.ca_file = Some("/nowhere/ca.crt".into());
    }
    assert!(HttpSource::new(&source, anything()).err().unwrap().contains("/nowhere/ca.crt"));
}
