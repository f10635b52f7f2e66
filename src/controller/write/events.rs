//! Events about a LoadTest: one for each reason.

use std::time::Duration;

use kube::Resource;
use kube::runtime::events::{Event, EventType};
use tracing::{debug, warn};

use crate::api::{Reason, ReasonKind};
use crate::controller::io::call;
use crate::controller::session::Session;

/// Longest that an event is waited for: less than the lead of a start.
const LONGEST: Duration = Duration::from_secs(2);

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
    of_action(session, reason, "Run", note).await;
}

/// The same about something that was done; events of one name and reason become one with a count.
pub async fn of_action(session: &Session<'_>, reason: Reason, action: &str, note: &str) {
    let normal = matches!(reason.kind(), ReasonKind::Waiting | ReasonKind::End) || reason == Reason::Restored;
    let event = Event {
        type_: if normal { EventType::Normal } else { EventType::Warning },
        reason: reason.to_string(),
        note: Some(note.chars().take(1000).collect()),
        action: action.into(),
        secondary: None,
    };
    let about = session.test.object_ref(&());
    let published = call(session.context.events.publish(&event, &about));
    match tokio::time::timeout(LONGEST, published).await {
        Ok(Ok(())) => debug!(%reason, "event"),
        Ok(Err(error)) => warn!(%reason, error = error.message(), "an event could not be published"),
        Err(_) => warn!(%reason, "an event took too long to publish"),
    }
}
