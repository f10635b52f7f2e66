//! Events about a LoadTest: one for each reason.

use kube::Resource;
use kube::runtime::events::{Event, EventType};
use tracing::{debug, warn};

use crate::api::{Reason, ReasonKind};
use crate::controller::io::call;
use crate::controller::session::Session;

/// One event for each reason, not one for each pass.
pub async fn tell(session: &mut Session<'_>, reason: Reason, message: &str) {
    if session.memory.announced == Some(reason) {
        return;
    }
    session.memory.announced = Some(reason);
    session.remember();
    let message = if message.is_empty() { reason.meaning() } else { message };
    event(session, reason, message).await;
}

/// Publishes an event about the LoadTest; a lost event changes nothing.
pub async fn event(session: &Session<'_>, reason: Reason, note: &str) {
    let normal = matches!(reason.kind(), ReasonKind::Waiting | ReasonKind::End) || reason == Reason::Restored;
    let event = Event {
        type_: if normal { EventType::Normal } else { EventType::Warning },
        reason: reason.to_string(),
        note: Some(note.chars().take(1000).collect()),
        action: "Run".into(),
        secondary: None,
    };
    match call(session.context.events.publish(&event, &session.test.object_ref(&()))).await {
        Ok(()) => debug!(%reason, "event"),
        Err(error) => warn!(%reason, error = error.message(), "an event could not be published"),
    }
}
