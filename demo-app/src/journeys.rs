//! What journeys are tried on, without a database: documents that are ready later, and workflows that are run.
//!
//! | request | answer |
//! |---|---|
//! | `POST /login` `{"user", "password"}` | `{"token"}` and the same as a cookie; what follows needs one of both |
//! | `POST /documents`, a multipart form | 202 `{"documents": [{"id": n}]}` |
//! | `GET /documents/{id}` | `{"id", "status"}`: processing, later done |
//! | `POST /workflows` | 201 `{"id": n}` |
//! | `POST /workflows/{id}/tasks`, `POST /workflows/{id}/datasets` | 201 `{"id": n}` |
//! | `POST /workflows/{id}/runs` | 202 `{"id": n}`; from the so-manieth run of a workflow on 503, when that is configured |

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

/// Largest form, bytes.
const MOST_BYTES: usize = 64 << 20;
/// Documents and workflows that are remembered; the oldest are forgotten first.
const MOST_KEPT: usize = 100_000;

/// How they behave.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "journeys")]
pub struct Options {
    /// Milliseconds until an uploaded document is done.
    #[arg(long, env = "DOCUMENT_MILLISECONDS", default_value_t = 500)]
    pub document_milliseconds: u64,
    /// Every so-manieth document is never done; 0: all of them are.
    #[arg(long, env = "LOSE_EVERY", default_value_t = 0)]
    pub lose_every: u64,
    /// From this run of a workflow on, runs are refused with 503; 0: none is.
    #[arg(long, env = "REFUSE_RUNS_FROM", default_value_t = 0)]
    pub refuse_runs_from: u64,
    /// Memory that grows in a minute, percent of LEAK_BASE_MIB.
    #[arg(long, env = "LEAK_PERCENT_PER_MINUTE", default_value_t = 0)]
    pub leak_percent_per_minute: u64,
    /// Memory that is held from the start, MiB; where it isn't said, 64 with a leak and none without.
    #[arg(long, env = "LEAK_BASE_MIB")]
    pub leak_base_mib: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            document_milliseconds: 500,
            lose_every: 0,
            refuse_runs_from: 0,
            leak_percent_per_minute: 0,
            leak_base_mib: None,
        }
    }
}

struct Journeys {
    options: Options,
    state: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    next: u64,
    /// When each document was taken in; `None`: it is never done.
    documents: BTreeMap<u64, Option<Instant>>,
    uploaded: u64,
    /// Runs of each workflow.
    workflows: BTreeMap<u64, u64>,
}

impl Known {
    fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// The routes; what they remember begins empty.
pub fn router(options: Options) -> Router {
    let journeys = Journeys { options, state: Mutex::default() };
    Router::new()
        .route("/login", post(login))
        .route("/documents", post(upload))
        .route("/documents/{id}", get(document))
        .route("/workflows", post(workflow))
        .route("/workflows/{id}/tasks", post(part))
        .route("/workflows/{id}/datasets", post(part))
        .route("/workflows/{id}/runs", post(run))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .with_state(Arc::new(journeys))
}

/// Memory that is held from the start, and what is added in a minute; bytes.
fn held(options: &Options) -> (u64, u64) {
    let unsaid = if options.leak_percent_per_minute == 0 { 0 } else { 64 };
    let base = options.leak_base_mib.unwrap_or(unsaid) << 20;
    (base, base * options.leak_percent_per_minute / 100)
}

/// Holds the leak's base and lets it grow, for as long as the process lives.
pub async fn leak(options: Options) {
    const TICKS: u64 = 60;
    let (base, growth) = held(&options);
    // Written to, so that the memory is really there.
    let block = |bytes: u64| vec![1u8; usize::try_from(bytes).unwrap_or(0)];
    let mut held = vec![block(base)];
    if growth == 0 {
        return std::future::pending().await;
    }
    loop {
        tokio::time::sleep(Duration::from_secs(60 / TICKS)).await;
        held.push(block(growth / TICKS));
    }
}

fn known(journeys: &Journeys) -> MutexGuard<'_, Known> {
    journeys.state.lock().unwrap_or_else(PoisonError::into_inner)
}

const TOKEN: &str = "demo-session";

async fn login(body: Bytes) -> Response {
    let sent: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    if sent["user"].as_str().is_none_or(str::is_empty) || sent["password"] != "demo-password" {
        return refusal(StatusCode::UNAUTHORIZED, "write a user and the password demo-password");
    }
    let cookie = [(header::SET_COOKIE, format!("session={TOKEN}; Path=/; HttpOnly"))];
    (cookie, Json(json!({ "token": TOKEN }))).into_response()
}

fn is_known(headers: &HeaderMap) -> bool {
    let says = |name, wanted: &str| {
        headers.get_all(name).iter().any(|value| value.to_str().is_ok_and(|value| value.contains(wanted)))
    };
    says(header::AUTHORIZATION, &format!("Bearer {TOKEN}")) || says(header::COOKIE, &format!("session={TOKEN}"))
}

fn refusal(status: StatusCode, text: &str) -> Response {
    if status.is_server_error() {
        tracing::error!("{text}");
    }
    (status, Json(json!({ "error": text }))).into_response()
}

fn stranger() -> Response {
    refusal(StatusCode::UNAUTHORIZED, "log in first: POST /login")
}

async fn upload(State(journeys): State<Arc<Journeys>>, headers: HeaderMap, body: Bytes) -> Response {
    if !is_known(&headers) {
        return stranger();
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data; boundary=") || body.is_empty() {
        return refusal(StatusCode::BAD_REQUEST, "send a multipart form with a file");
    }
    let mut known = known(&journeys);
    known.uploaded += 1;
    let lost = journeys.options.lose_every;
    let done = (lost == 0 || !known.uploaded.is_multiple_of(lost)).then(Instant::now);
    let id = known.id();
    known.documents.insert(id, done);
    if known.documents.len() > MOST_KEPT {
        known.documents.pop_first();
    }
    (StatusCode::ACCEPTED, Json(json!({ "documents": [{ "id": id }], "bytes": body.len() }))).into_response()
}

async fn document(State(journeys): State<Arc<Journeys>>, Path(id): Path<u64>, headers: HeaderMap) -> Response {
    if !is_known(&headers) {
        return stranger();
    }
    let wait = Duration::from_millis(journeys.options.document_milliseconds);
    let Some(since) = known(&journeys).documents.get(&id).copied() else {
        return refusal(StatusCode::NOT_FOUND, "there is no such document");
    };
    let status = if since.is_some_and(|since| since.elapsed() >= wait) { "done" } else { "processing" };
    Json(json!({ "id": id, "status": status })).into_response()
}

async fn workflow(State(journeys): State<Arc<Journeys>>, headers: HeaderMap) -> Response {
    if !is_known(&headers) {
        return stranger();
    }
    let mut known = known(&journeys);
    let id = known.id();
    known.workflows.insert(id, 0);
    if known.workflows.len() > MOST_KEPT {
        known.workflows.pop_first();
    }
    (StatusCode::CREATED, Json(json!({ "id": id }))).into_response()
}

/// A task or dataset of a workflow.
async fn part(State(journeys): State<Arc<Journeys>>, Path(workflow): Path<u64>, headers: HeaderMap) -> Response {
    if !is_known(&headers) {
        return stranger();
    }
    let mut known = known(&journeys);
    if !known.workflows.contains_key(&workflow) {
        return refusal(StatusCode::NOT_FOUND, "there is no such workflow");
    }
    let id = known.id();
    (StatusCode::CREATED, Json(json!({ "id": id }))).into_response()
}

async fn run(State(journeys): State<Arc<Journeys>>, Path(workflow): Path<u64>, headers: HeaderMap) -> Response {
    if !is_known(&headers) {
        return stranger();
    }
    let mut known = known(&journeys);
    let id = known.id();
    let Some(runs) = known.workflows.get_mut(&workflow) else {
        return refusal(StatusCode::NOT_FOUND, "there is no such workflow");
    };
    *runs += 1;
    if journeys.options.refuse_runs_from > 0 && *runs >= journeys.options.refuse_runs_from {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, "connection pool limit reached");
    }
    (StatusCode::ACCEPTED, Json(json!({ "id": id }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_that_is_asked_for_is_held_without_a_leak_too() {
        let of = |leak_percent_per_minute, leak_base_mib| {
            held(&Options { leak_percent_per_minute, leak_base_mib, ..Options::default() })
        };
        assert_eq!([of(0, None), of(0, Some(64))], [(0, 0), (64 << 20, 0)]);
        assert_eq!([of(1, None), of(20, Some(100))], [(64 << 20, (64 << 20) / 100), (100 << 20, 20 << 20)]);
    }
}
