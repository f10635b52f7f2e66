//! The controller's HTTP server: alive, ready, and its metrics.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus::{Registry, TEXT_FORMAT, TextEncoder};
use tokio::net::TcpListener;

use super::health::Health;

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
    match health.look() {
        Ok(()) => (StatusCode::OK, "ok".into()),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
    }
}

/// In the text format that every Prometheus reads.
fn metrics(registry: &Registry) -> axum::response::Response {
    match TextEncoder::new().encode_to_string(&registry.gather()) {
        Ok(text) => ([(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
