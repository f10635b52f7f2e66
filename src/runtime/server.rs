//! The controller's HTTP server: alive, ready, and its metrics.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus::{Registry, TEXT_FORMAT, TextEncoder};
use tokio::net::TcpListener;
use tracing::info;

/// Whether the controller works, and what it waits for otherwise.
#[derive(Clone, Debug)]
pub struct Health(Arc<Mutex<Option<String>>>);

impl Default for Health {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Some("starting".into()))))
    }
}

impl Health {
    /// LoadTests are watched.
    pub fn ready(&self) {
        if self.lock().take().is_some() {
            let milliseconds = super::process::age().map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
            info!(milliseconds, "ready; milliseconds since the process was started");
        }
    }

    /// What is waited for.
    pub fn not_ready(&self, why: &str) {
        *self.lock() = Some(why.to_owned());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves until the process ends. `refresh` is called before the metrics are read.
///
/// # Errors
/// The listener broke.
pub async fn serve<F>(listener: TcpListener, health: Health, registry: Registry, refresh: F) -> std::io::Result<()>
where
    F: Fn() + Clone + Send + Sync + 'static,
{
    let metrics = get(move || {
        refresh();
        std::future::ready(metrics(&registry))
    });
    let router = Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(readyz))
        .route("/metrics", metrics)
        .with_state(health);
    axum::serve(listener, router).await
}

async fn readyz(State(health): State<Health>) -> (StatusCode, String) {
    match health.lock().clone() {
        None => (StatusCode::OK, "ok".into()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
    }
}

/// In the text format that every Prometheus reads.
fn metrics(registry: &Registry) -> axum::response::Response {
    match TextEncoder::new().encode_to_string(&registry.gather()) {
        Ok(text) => ([(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
