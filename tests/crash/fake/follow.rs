//! A log that is followed: a body that goes on as lines are written, through rotations, as the kubelet's does.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;

use super::Fake;
use super::answer::Body;
use super::path::Path;
use crate::cluster::speech;

/// How soon a line is seen.
const SOON: Duration = Duration::from_millis(100);

/// The lines of an application from `sinceTime` on; never ends by itself.
pub fn body(fake: &Fake, path: &Path) -> Body {
    let since = path.query.get("sinceTime").and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let start = (fake.clone(), since.map_or(0, jiff::Timestamp::as_millisecond));
    let lines = stream::unfold(start, |(fake, from)| async move {
        loop {
            let written = fake.world().cluster.ways.app_log;
            let new: Vec<_> = written.iter().filter(|(at, _)| *at >= from).copied().collect();
            if let Some((last, _)) = new.last() {
                let next = last + 1;
                return Some((Ok::<_, Infallible>(Frame::data(Bytes::from(speech::lines(&new)))), (fake, next)));
            }
            tokio::time::sleep(SOON).await;
        }
    });
    BodyExt::boxed_unsync(StreamBody::new(lines))
}
