//! The controller's HTTP server: alive, ready.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;

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
        *self.lock() = None;
    }

    /// What is waited for.
    pub fn not_ready(&self, why: &str) {
        *self.lock() = Some(why.to_owned());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves until the process ends.
///
/// # Errors
/// The listener broke.
pub async fn serve(listener: TcpListener, health: Health) -> std::io::Result<()> {
    let router =
        Router::new().route("/healthz", get(|| async { "ok" })).route("/readyz", get(readyz)).with_state(health);
    axum::serve(listener, router).await
}

async fn readyz(State(health): State<Health>) -> (StatusCode, String) {
    match health.lock().clone() {
        None => (StatusCode::OK, "ok".into()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
    }
}
