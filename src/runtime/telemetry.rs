//! Logs: one JSON object a line in the cluster, text for people elsewhere.

use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging to standard error. `RUST_LOG` sets the level; info when it is absent or can't be read.
pub fn start(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start (in tests) keeps the first.
    let _ = if json {
        subscriber.json().with_current_span(false).with_span_list(false).flatten_event(true).try_init()
    } else {
        subscriber.try_init()
    };
}
