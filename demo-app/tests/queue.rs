//! The API and a worker around a real PostgreSQL, which the test starts on a free port of 127.0.0.1.

mod server;

use std::time::Duration;

use demo_app::api::{self, Options};
use demo_app::database::Queue;
use demo_app::worker;
use serde_json::{Value, json};
use server::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

fn options(server: &Server) -> Options {
    Options {
        database_url: server.url(),
        database_wait_seconds: 30,
        db_pool: 5,
        api_concurrency: 2,
        burn: 10,
        request_timeout_seconds: 1,
        listen: String::new(),
        journeys: demo_app::journeys::Options::default(),
    }
}

/// An API on a port of its own; its address.
async fn start_api(options: Options, stop: watch::Receiver<bool>) -> String {
    let queue = Queue::new(&options.database_url, options.db_pool).expect("a URL");
    queue.prepare(Duration::from_secs(30)).await.expect("the tables");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let routes = api::router(&options, queue, stop);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

/// Status and JSON of the answer.
async fn ask(address: &str, method: &str, path: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

async fn get(address: &str, path: &str) -> (u16, Value) {
    ask(address, "GET", path, "").await
}

/// Asks until the answer is as wanted; a minute is long enough on any machine.
async fn until(address: &str, path: &str, wanted: impl Fn(&Value) -> bool) {
    let asking = async {
        while !wanted(&get(address, path).await.1) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), asking)
        .await
        .unwrap_or_else(|_| panic!("{path} never answers as wanted"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_burst_says_it_ran_is_what_stands_in_the_database() {
    let server = Server::start();
    let (_stop, flag) = watch::channel(false);
    let address = start_api(options(&server), flag).await;
    let (status, answer) = get(&address, "/burst?seconds=1").await;
    let tasks = answer["tasks_executed"].as_i64().unwrap_or_default();
    assert!(status == 200 && tasks > 0, "{answer}");
    assert_eq!(get(&address, "/tasks/count?state=waiting").await, (200, json!({"count": tasks})));
    assert_eq!(get(&address, "/tasks/count?since=2999-01-01T00:00:00Z").await, (200, json!({"count": 0})));
    assert_eq!(get(&address, "/tasks/count?since=yesterday").await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_are_listed_page_by_page_with_their_instants() {
    let server = Server::start();
    let (_stop, flag) = watch::channel(false);
    let address = start_api(options(&server), flag).await;
    for _ in 0..5 {
        ask(&address, "POST", "/tasks", "").await;
    }
    let (mut path, mut pages) = ("/tasks?since=2020-01-01T00:00:00Z&limit=2".to_owned(), Vec::new());
    loop {
        let (_, page) = get(&address, &path).await;
        let tasks = page["results"].as_array().expect("an array").clone();
        assert!(tasks.iter().all(|task| task["created_at"].is_string() && task["started_at"].is_null()), "{page}");
        pages.push(tasks.len());
        let Some(next) = page["next"].as_str() else { break };
        path = next.to_owned();
    }
    assert_eq!(pages, [2, 2, 1]);
    assert_eq!(get(&address, "/tasks?since=2999-01-01T00:00:00Z").await.1, json!({"results": [], "next": null}));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_do_every_task_once_and_are_seen() {
    let server = Server::start();
    let (stop, flag) = watch::channel(false);
    let address = start_api(options(&server), flag.clone()).await;
    for body in ["", r#"{"n": 1}"#, r#"{"fail": true}"#] {
        assert_eq!(ask(&address, "POST", "/tasks", body).await.0, 202);
    }
    assert_eq!(ask(&address, "POST", "/tasks", "no JSON").await.0, 400);
    let workers: Vec<_> = ["one", "two"]
        .map(|name| worker::Options {
            database_url: server.url(),
            database_wait_seconds: 30,
            work_ms: 1,
            name: name.to_owned(),
        })
        .map(|options| tokio::spawn(worker::run(options, flag.clone())))
        .into();
    until(&address, "/tasks/count?state=waiting,running", |answer| *answer == json!({"count": 0})).await;
    until(&address, "/status", |answer| *answer == json!({"online_workers": ["one", "two"]})).await;
    assert_eq!(get(&address, "/tasks/count?state=done").await.1, json!({"count": 2}));
    assert_eq!(get(&address, "/tasks/count?state=failed").await.1, json!({"count": 1}));
    stop.send_replace(true);
    for worker in workers {
        worker.await.expect("no panic").expect("a proper end");
    }
    assert_eq!(get(&address, "/status").await.1, json!({"online_workers": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_processes_can_make_the_tables_at_once() {
    let server = Server::start();
    let url = server.url();
    let racing = (0..10).map(|_| {
        let queue = Queue::new(&url, 1).expect("a URL");
        tokio::spawn(async move { queue.prepare(Duration::ZERO).await.map_err(|error| error.to_string()) })
    });
    for done in racing.collect::<Vec<_>>() {
        assert_eq!(done.await.expect("no panic"), Ok(()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bursts_beyond_the_concurrency_wait_and_are_given_up() {
    let server = Server::start();
    let (_stop, flag) = watch::channel(false);
    let address = start_api(Options { api_concurrency: 1, ..options(&server) }, flag).await;
    let first = {
        let address = address.clone();
        tokio::spawn(async move { get(&address, "/burst?seconds=3").await.0 })
    };
    until(&address, "/tasks/count", |answer| *answer != json!({"count": 0})).await;
    let (status, answer) = get(&address, "/burst?seconds=1").await;
    assert!(status == 503 && answer["error"].to_string().contains("request timed out"), "{answer}");
    assert_eq!(first.await.expect("no panic"), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_database_it_is_alive_but_not_ready() {
    let server = Server::start();
    let (_stop, flag) = watch::channel(false);
    let address = start_api(options(&server), flag).await;
    assert_eq!(get(&address, "/readyz").await.0, 200);
    drop(server);
    assert_eq!(get(&address, "/readyz").await.0, 503);
    assert_eq!(get(&address, "/healthz").await.0, 200);
}

#[tokio::test]
async fn an_unreachable_database_ends_the_start_without_showing_the_password() {
    let queue = Queue::new("postgres://u:hunter2@127.0.0.1:1/d", 1).expect("a URL");
    let error = queue.prepare(Duration::ZERO).await.expect_err("nobody listens there").to_string();
    assert!(error.contains("no answer from the database") && !error.contains("hunter2"), "{error}");
    let error = Queue::new("postgres://u:hunter2@[/d", 1).err().expect("no URL").to_string();
    assert!(error.contains("DATABASE_URL") && !error.contains("hunter2"), "{error}");
}
