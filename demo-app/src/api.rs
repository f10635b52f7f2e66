//! The HTTP API.
//!
//! | request | answer |
//! |---|---|
//! | `POST /tasks` (JSON body or none) | 202 `{"id": n}`, one task is waiting |
//! | `GET /burst?seconds=N` | after N seconds of taking in tasks: `{"tasks_executed": n}` |
//! | `GET /tasks/count?state=waiting,running&since=INSTANT` | `{"count": n}` |
//! | `GET /status` | `{"online_workers": […]}` |
//! | `GET /healthz`, `GET /readyz` | 200; readiness asks the database |
//! | `POST /login`, `/documents`, `/workflows` | see [`journeys`] |
//! | `POST /echo` | 200 and the body |
//! | `GET /slow?milliseconds=N`, `GET /flaky?percent=N` | for tests that shall fail |

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::database::{QueryError, Queue};
use crate::journeys;
use crate::shutdown::{Stop, requested};
use crate::task;

/// Configuration of the API.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// postgres://USER:PASSWORD@HOST:PORT/DATABASE
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// Seconds to wait for the database at the start.
    #[arg(long, env = "DATABASE_WAIT_SECONDS", default_value_t = 120)]
    pub database_wait_seconds: u64,
    /// Most database connections of this process.
    #[arg(long, env = "DB_POOL", default_value_t = 5, value_parser = positive)]
    pub db_pool: usize,
    /// Bursts worked on at once, like an application server's workers; further ones wait.
    #[arg(long, env = "API_CONCURRENCY", default_value_t = 2, value_parser = positive)]
    pub api_concurrency: usize,
    /// CPU work of taking in one task, in hashes of its payload (the default is about 2.5 ms of a core of 2025).
    #[arg(long, env = "BURN", default_value_t = 120_000)]
    pub burn: u32,
    /// Seconds after which a request that still waits is given up with 503.
    #[arg(long, env = "REQUEST_TIMEOUT_SECONDS", default_value_t = 60)]
    pub request_timeout_seconds: u64,
    /// Address to listen on.
    #[arg(long, env = "LISTEN", default_value = "0.0.0.0:8080")]
    pub listen: String,
    #[command(flatten)]
    pub journeys: journeys::Options,
}

fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| (1..=1000).contains(n)).ok_or_else(|| "write a whole number from 1 to 1000".to_owned())
}

struct Api {
    queue: Queue,
    bursts: Semaphore,
    burn: u32,
    timeout: Duration,
    flaky: AtomicU64,
    stop: Stop,
}

/// Serves until asked to end; bursts in progress then end early and answer what they did.
///
/// # Errors
/// When the database is not there at the start, or the address can't be listened on.
pub async fn run(options: Options, mut stop: Stop) -> Result<(), crate::Error> {
    let queue = Queue::new(&options.database_url, options.db_pool)?;
    queue.prepare(Duration::from_secs(options.database_wait_seconds)).await?;
    let listener = TcpListener::bind(&options.listen).await?;
    tracing::info!("listening on {}", listener.local_addr()?);
    let routes = router(&options, queue, stop.clone());
    tokio::spawn(journeys::leak(options.journeys.clone()));
    // A short answer must not wait for the client's delayed acknowledgement of the one before.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::warn!("TCP_NODELAY could not be set: {error}");
        }
    });
    axum::serve(listener, routes).with_graceful_shutdown(async move { requested(&mut stop).await }).await?;
    Ok(())
}

/// The routes over a queue whose tables are there.
pub fn router(options: &Options, queue: Queue, stop: Stop) -> Router {
    let api = Api {
        queue,
        bursts: Semaphore::new(options.api_concurrency),
        burn: options.burn,
        timeout: Duration::from_secs(options.request_timeout_seconds),
        flaky: AtomicU64::new(0),
        stop,
    };
    Router::new()
        .route("/tasks", post(create).get(list))
        .route("/tasks/count", get(count))
        .route("/burst", get(burst))
        .route("/status", get(status))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/slow", get(slow))
        .route("/flaky", get(flaky))
        .route("/echo", post(|body: Bytes| async { body }))
        .with_state(Arc::new(api))
        .merge(journeys::router(options.journeys.clone()))
}

/// An error answer: status and sentence. Server errors are logged, one line each.
struct Refusal(StatusCode, String);

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if self.0.is_server_error() {
            tracing::error!("{}", self.1);
        }
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

type Answer = Result<Json<Value>, Refusal>;

async fn create(State(api): State<Arc<Api>>, body: Bytes) -> Result<(StatusCode, Json<Value>), Refusal> {
    let sent = match body.is_empty() {
        true => json!({}),
        false => serde_json::from_slice(&body)
            .map_err(|error| Refusal(StatusCode::BAD_REQUEST, format!("the body is not JSON: {error}")))?,
    };
    let id = api.queue.enqueue(&task::payload(&sent, api.burn)).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "id": id }))))
}

#[derive(Deserialize)]
struct Seconds {
    seconds: u16,
}

async fn burst(State(api): State<Arc<Api>>, Query(Seconds { seconds }): Query<Seconds>) -> Answer {
    // A task of its own: what a client gave up goes on here, as in an application server with worker processes.
    let work = tokio::spawn(async move { api.burst(Duration::from_secs(seconds.into())).await });
    let tasks = work.await.map_err(|error| Refusal(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))??;
    Ok(Json(json!({ "tasks_executed": tasks })))
}

impl Api {
    /// Takes in tasks for so long, once there is room; answers how many.
    async fn burst(&self, length: Duration) -> Result<u64, Refusal> {
        let Ok(room) = tokio::time::timeout(self.timeout, self.bursts.acquire()).await else {
            let text = format!("request timed out after {} s waiting for other bursts", self.timeout.as_secs());
            return Err(Refusal(StatusCode::SERVICE_UNAVAILABLE, text));
        };
        let (start, mut tasks) = (Instant::now(), 0);
        while start.elapsed() < length && !*self.stop.borrow() {
            let payload = task::payload(&json!({ "burst": tasks, "seconds": length.as_secs() }), self.burn);
            self.queue.enqueue(&payload).await?;
            tasks += 1;
        }
        drop(room);
        Ok(tasks)
    }
}

#[derive(Deserialize)]
struct Selection {
    state: Option<String>,
    since: Option<Timestamp>,
}

async fn count(State(api): State<Arc<Api>>, Query(selection): Query<Selection>) -> Answer {
    let states = states(selection.state.as_deref()).map_err(|text| Refusal(StatusCode::BAD_REQUEST, text))?;
    Ok(Json(json!({ "count": api.queue.count(&states, selection.since).await? })))
}

/// Tasks on a page, where the request doesn't say.
const PAGE: i64 = 500;

#[derive(Deserialize)]
struct Page {
    since: Option<Timestamp>,
    after: Option<i64>,
    limit: Option<i64>,
}

async fn list(State(api): State<Arc<Api>>, Query(page): Query<Page>) -> Answer {
    let limit = page.limit.unwrap_or(PAGE).clamp(1, 1000);
    let tasks = api.queue.list(page.since, page.after.unwrap_or(0), limit).await?;
    let full = i64::try_from(tasks.len()).is_ok_and(|n| n == limit);
    let since = page.since.map(|since| format!("&since={since}")).unwrap_or_default();
    let next = tasks.last().filter(|_| full).map(|last| format!("/tasks?after={}&limit={limit}{since}", last.id));
    Ok(Json(json!({ "results": tasks, "next": next })))
}

const STATES: [&str; 4] = ["waiting", "running", "done", "failed"];

/// The states in `text`, all of them when it is not given.
fn states(text: Option<&str>) -> Result<Vec<String>, String> {
    let Some(text) = text else {
        return Ok(STATES.map(String::from).to_vec());
    };
    match text.split(',').find(|state| !STATES.contains(state)) {
        Some(_) => Err(format!("state: write one or more of {}, with commas between them", STATES.join(", "))),
        None => Ok(text.split(',').map(String::from).collect()),
    }
}

async fn status(State(api): State<Arc<Api>>) -> Answer {
    Ok(Json(json!({ "online_workers": api.queue.online_workers().await? })))
}

async fn ready(State(api): State<Arc<Api>>) -> Result<&'static str, Refusal> {
    api.queue.ping().await?;
    Ok("ready\n")
}

#[derive(Deserialize)]
struct Milliseconds {
    milliseconds: u64,
}

async fn slow(State(api): State<Arc<Api>>, Query(Milliseconds { milliseconds }): Query<Milliseconds>) -> Answer {
    let asked = Duration::from_millis(milliseconds);
    tokio::time::sleep(asked.min(api.timeout)).await;
    if asked > api.timeout {
        let text = format!("request timed out after {} s", api.timeout.as_secs());
        return Err(Refusal(StatusCode::GATEWAY_TIMEOUT, text));
    }
    Ok(Json(json!({ "milliseconds": milliseconds })))
}

#[derive(Deserialize)]
struct Percent {
    percent: u64,
}

async fn flaky(State(api): State<Arc<Api>>, Query(Percent { percent }): Query<Percent>) -> Answer {
    let turn = api.flaky.fetch_add(1, Ordering::Relaxed);
    if fails(turn, percent.min(100)) {
        return Err(Refusal(StatusCode::INTERNAL_SERVER_ERROR, "request failed, as asked".to_owned()));
    }
    Ok(Json(json!({ "turn": turn })))
}

/// Evenly spread: of each 100 turns in a row exactly `percent` fail.
fn fails(turn: u64, percent: u64) -> bool {
    (turn % 100 + 1) * percent / 100 > (turn % 100) * percent / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_so_many_of_a_hundred_turns_fail() {
        for percent in [0, 1, 20, 33, 100] {
            assert_eq!((0..100).filter(|turn| fails(*turn, percent)).count() as u64, percent);
        }
    }

    #[test]
    fn an_unknown_state_is_refused_and_none_means_all() {
        assert_eq!(states(Some("waiting,running")), Ok(vec!["waiting".to_owned(), "running".to_owned()]));
        assert!(states(Some("waiting,open")).is_err());
        assert_eq!(states(None).map(|all| all.len()), Ok(4));
    }
}
