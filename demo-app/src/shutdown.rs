//! The end of the process: SIGTERM or SIGINT set a flag that everything watches.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Becomes true once, when the process shall end.
pub type Stop = watch::Receiver<bool>;

/// A flag that SIGTERM and SIGINT set.
///
/// # Errors
/// When the signals can't be caught.
pub fn on_signal() -> Result<Stop, crate::Error> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (set, stop) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => (), _ = interrupt.recv() => () }
        tracing::info!("asked to end: finishing what is in progress");
        set.send_replace(true);
        set.closed().await; // dropping the sender would end the receivers' waits with an error
    });
    Ok(stop)
}

/// Waits until the flag is set (or can never be set any more).
pub async fn requested(stop: &mut Stop) {
    let _ = stop.wait_for(|set| *set).await;
}
