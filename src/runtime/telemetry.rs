//! Logs: one JSON object a line in the cluster, text for people elsewhere.

use tracing_subscriber::fmt::format::{Format, Json, JsonFields};
use tracing_subscriber::fmt::{MakeWriter, SubscriberBuilder};
use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging to standard error. `RUST_LOG` sets the level; info when it is absent or can't be read.
pub fn start(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // A second start (in tests) keeps the first.
    let _ = if json {
        objects(filter, std::io::stderr).try_init()
    } else {
        fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init()
    };
}

/// One JSON object a line.
fn objects<W>(filter: EnvFilter, writer: W) -> SubscriberBuilder<JsonFields, Format<Json>, EnvFilter, W>
where
    W: for<'w> MakeWriter<'w> + 'static,
{
    let subscriber = fmt().with_env_filter(filter).with_writer(writer);
    subscriber.json().with_current_span(false).with_span_list(false).flatten_event(true)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_text_that_somebody_wrote_stays_within_its_line_and_its_field() {
        const HOSTILE: &str = "x\n{\"level\":\"ERROR\",\"message\":\"forged\"}\n\u{1b}[2J\",\"level\":\"ERROR";
        let written = tempfile::NamedTempFile::new().expect("a file");
        let writer = Arc::new(written.reopen().expect("the file"));
        let subscriber = objects(EnvFilter::new("info"), writer).finish();
        tracing::subscriber::with_default(subscriber, || tracing::info!(name = HOSTILE, "record"));
        let text = std::fs::read_to_string(written.path()).expect("the log");
        let object: serde_json::Value = serde_json::from_str(text.trim_end()).expect("one object");
        assert_eq!((object["level"].as_str(), object["name"].as_str()), (Some("INFO"), Some(HOSTILE)));
        assert!(text.ends_with('\n') && !text.trim_end().chars().any(char::is_control), "{text}");
    }
}
