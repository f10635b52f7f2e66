//! Tests of timed items against a scripted server of pages.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use super::pages::durations;
use super::{HttpSource, Values, http_tests};
use crate::plan::{HeaderInput, MeasurementSource, TlsInput};
use crate::results::gathered::durations::DurationsRecord;

/// Answers each request for `/tasks?page=N` with `page(N)`; says what it was asked.
async fn serve(page: impl Fn(usize) -> Value + Send + 'static) -> (u16, UnboundedReceiver<String>) {
    http_tests::serve(move |head| {
        let number = head.split("page=").nth(1).and_then(|rest| rest.split([' ', '&']).next()?.parse().ok());
        http_tests::ok(&page(number.unwrap_or(1)).to_string())
    })
    .await
}

fn source(port: u16) -> HttpSource {
    let of = json!({"items": "/results", "next": "/next", "from": "/created", "to": "/started_at"});
    let source = MeasurementSource::Http {
        url: format!("http://127.0.0.1:{port}/tasks?since=$(row.start)"),
        json_pointer: String::new(),
        headers: vec![HeaderInput { name: "X-Token".into(), value: "$(vars.token)".into() }],
        basic_auth: None,
        tls: TlsInput::default(),
        durations: Some(serde_json::from_value(of).unwrap()),
    };
    HttpSource::new(&source, Arc::new(|_| None)).unwrap().unwrap()
}

async fn read(port: u16) -> Result<DurationsRecord, String> {
    let row = crate::plan::ObservedRow { row: 1, start_ms: Some(0), end_ms: Some(1) };
    let values = Values::of_run("demo-1", 0, &BTreeMap::from([("token".into(), "canary".into())])).in_row(&row, None);
    let source = source(port);
    durations(&source, source.durations().unwrap(), &values).await
}

/// An item that waited so many milliseconds; `None`: it waits.
fn item(milliseconds: Option<i64>) -> Value {
    let to = milliseconds.map(|ms| jiff::Timestamp::from_millisecond(1_795_244_400_000 + ms).unwrap().to_string());
    json!({"created": "2026-11-21T08:00:00+01:00", "started_at": to})
}

#[tokio::test]
async fn every_page_is_read_and_every_item_timed() {
    let (port, mut asked) = serve(|page| {
        let items: Vec<Value> = (1..=100).map(|n| item(Some((page as i64 - 1) * 100_000 + n * 1_000))).collect();
        // The second page is named by its path alone.
        let next = match page {
            1 => json!("/tasks?page=2"),
            2 => json!("http://127.0.0.1/tasks?page=3"),
            _ => Value::Null,
        };
        json!({"results": items, "next": next})
    })
    .await;
    let record = read(port).await.unwrap();
    let times = record.times.unwrap();
    assert_eq!((record.timed, record.missing), (300, 0));
    assert_eq!((times.minimum, times.p50, times.p95, times.maximum, times.average), (1.0, 150.0, 285.0, 300.0, 150.5));
    asked.close();
    let mut heads = Vec::new();
    while let Some(head) = asked.recv().await {
        heads.push(head);
    }
    assert!(heads[0].starts_with("GET /tasks?since=1970-01-01T00:00:00.000Z "), "{heads:?}");
    assert!(heads.len() == 3 && heads.iter().all(|head| head.contains("canary")), "the headers go with each page");
}

#[tokio::test]
async fn an_item_that_has_not_both_instants_is_missing_and_not_zero() {
    let (port, _asked) = serve(
        |_| json!({"results": [item(Some(1_500)), item(None), {"created": "2026-11-21T07:00:00Z"}, item(Some(-500))]}),
    )
    .await;
    let record = read(port).await.unwrap();
    assert_eq!((record.timed, record.missing), (2, 2));
    assert_eq!(record.times.map(|times| (times.minimum, times.maximum)), Some((-0.5, 1.5)));
}

#[tokio::test]
async fn the_next_page_is_asked_of_the_same_host_whatever_host_it_names() {
    let (port, mut asked) = serve(|page| {
        let next = if page == 1 { json!("https://elsewhere.example/tasks?page=2") } else { Value::Null };
        json!({"results": [item(Some(1_000))], "next": next})
    })
    .await;
    assert_eq!(read(port).await.unwrap().timed, 2);
    asked.recv().await;
    assert!(asked.recv().await.unwrap().starts_with("GET /tasks?page=2 "));
}

#[tokio::test]
async fn what_can_not_be_read_whole_gives_no_figure_and_says_why() {
    let endless = serve(|page| json!({"results": [], "next": format!("/tasks?page={}", page + 1)})).await;
    assert!(read(endless.0).await.unwrap_err().starts_with("there are more than 2000 pages"));
    let circle = serve(|_| json!({"results": [], "next": "/tasks?page=1"})).await;
    assert!(read(circle.0).await.unwrap_err().contains("its own next one"));
    for (answer, want) in [
        (json!({"items": []}), "there is no array at \"/results\""),
        (json!({"results": {}}), "there is no array at \"/results\""),
        (json!({"results": [{"created": "yesterday"}]}), "an item has no instant of RFC 3339 at \"/created\""),
        (json!({"results": [{"created": 7}]}), "an item has no text at \"/created\""),
        (json!({"results": [], "next": 7}), "at \"/next\" stands no text"),
    ] {
        let (port, _asked) = serve(move |_| answer.clone()).await;
        let why = read(port).await.unwrap_err();
        assert!(why.starts_with(want) && !why.contains("canary") && !why.contains("127.0.0.1"), "{why}");
    }
    let second =
        serve(|page| if page == 1 { json!({"results": [], "next": "/tasks?page=2"}) } else { json!([]) }).await;
    assert_eq!(read(second.0).await.unwrap_err(), "page 2: there is no array at \"/results\"");
}
