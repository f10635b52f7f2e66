//! A watch: the changes of one resource as a body that goes on, and what may go wrong with it.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Fake;
use super::answer::Body;
use super::path::Path;
use super::store::Change;

/// How watches go wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watching {
    #[default]
    Well,
    /// Every second event is not sent.
    Dropping,
    /// Every event is sent twice.
    Doubling,
    /// Of events that are sent together the last comes first; a single one waits for the next.
    Reordering,
    /// Each watch ends after its first event with 410 Gone.
    Expiring,
}

/// The changes after `version`, until the watch's time is over.
pub fn body(fake: &Fake, path: &Path, client: u32) -> Body {
    let seconds = path.query.get("timeoutSeconds").and_then(|text| text.parse().ok()).unwrap_or(290);
    let until = Instant::now() + Duration::from_secs(seconds);
    let version: u64 = path.query.get("resourceVersion").and_then(|text| text.parse().ok()).unwrap_or(0);
    let start = (fake.clone(), path.clone(), version, 0usize, false);
    let events = stream::unfold(start, move |(fake, path, version, sent, over)| async move {
        if over {
            return None;
        }
        let mut changed = fake.changed.subscribe();
        loop {
            let (found, way) = news(&fake, &path, version);
            if !found.is_empty() && !fake.is_dead(client) {
                let last = found.last().map_or(version, |change| change.version);
                let (text, over) = written(&found, way, sent, &path);
                let sent = sent + found.len();
                return Some((Ok::<_, Infallible>(Frame::data(Bytes::from(text))), (fake, path, last, sent, over)));
            }
            tokio::select! {
                _ = changed.changed() => {}
                () = tokio::time::sleep_until(until) => return None,
            }
        }
    });
    BodyExt::boxed_unsync(StreamBody::new(events))
}

fn news(fake: &Fake, path: &Path, version: u64) -> (Vec<Change>, Watching) {
    let world = fake.world();
    let new = |change: &&Change| {
        let place = path.namespace.is_empty() || change.key.1 == path.namespace;
        change.version > version && change.key.0 == path.resource && place
    };
    let found: Vec<Change> = world.store.changes.iter().filter(new).cloned().collect();
    // One alone is held back until another comes, so that there is something to put before it.
    let held = world.watching == Watching::Reordering && found.len() == 1;
    (if held { Vec::new() } else { found }, world.watching)
}

/// The lines for some changes, and whether the watch ends with them.
fn written(found: &[Change], way: Watching, sent: usize, path: &Path) -> (String, bool) {
    let line = |change: &Change| {
        let mut object = change.object.clone();
        object["apiVersion"] = path.api_version.clone().into();
        object["kind"] = path.kind.clone().into();
        json!({"type": change.kind, "object": object}).to_string() + "\n"
    };
    let lines = found.iter().map(line);
    match way {
        Watching::Well => (lines.collect(), false),
        Watching::Dropping => {
            let kept = lines.enumerate().filter(|(n, _)| (sent + n).is_multiple_of(2));
            (kept.map(|(_, line)| line).collect(), false)
        }
        Watching::Doubling => (lines.flat_map(|line| [line.clone(), line]).collect(), false),
        Watching::Reordering => (lines.rev().collect(), false),
        Watching::Expiring => {
            let gone: Value = json!({"type": "ERROR", "object": {"kind": "Status", "apiVersion": "v1", "metadata": {},
                "status": "Failure", "message": "too old resource version", "reason": "Expired", "code": 410}});
            (lines.take(1).chain([gone.to_string() + "\n"]).collect(), true)
        }
    }
}
