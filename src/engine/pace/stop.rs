//! How a load is told to end before its time.

use tokio::sync::watch;

/// Ends every load that holds its [`Stop`]. The first word stays.
#[derive(Debug)]
pub struct StopSwitch(watch::Sender<Option<&'static str>>);

/// Tells a load that it should end.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<Option<&'static str>>);

/// A switch and what it stops.
pub fn stop_switch() -> (StopSwitch, Stop) {
    let (sender, receiver) = watch::channel(None);
    (StopSwitch(sender), Stop(receiver))
}

impl StopSwitch {
    /// No new requests from now on; `why` is the word in the records (`stop-at`, `sigterm`).
    pub fn stop(&self, why: &'static str) {
        self.0.send_if_modified(|word| word.is_none() && word.replace(why).is_none());
    }
}

impl Stop {
    /// Whether the switch was used.
    pub fn is_requested(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Waits until the switch is used and says why; for ever when it never is.
    pub async fn requested(&mut self) -> &'static str {
        match self.0.wait_for(Option::is_some).await.map(|word| *word) {
            Ok(Some(why)) => why,
            _ => std::future::pending().await,
        }
    }
}
