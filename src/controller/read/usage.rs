//! What is looked at while a row loads: CPU and memory that the targets' pods use, from the metrics API where it is there,
//! and other tests' load.

use super::others;
use crate::controller::io::call;
use crate::controller::session::Session;
use crate::evidence::cluster::metrics::{PodMetrics, Used, used};
use crate::lifecycle::Millis;

/// How often that is looked at.
const USED_EVERY: i64 = 10_000;

/// Looks, when it is time: keeps the most that the pods used.
pub async fn sample(session: &mut Session<'_>) {
    let Some(fire) = session.state.fire.filter(|fire| session.now() > fire.start_at) else { return };
    if session.now() - session.memory.used_at < USED_EVERY {
        return;
    }
    session.memory.used_at = session.now();
    others::look(session, fire.start_at).await;
    measure(session, fire.start_at).await;
    session.remember();
}

/// Asks the metrics API, where it is there.
async fn measure(session: &mut Session<'_>, since: Millis) {
    let uri = format!("/apis/metrics.k8s.io/v1beta1/namespaces/{}/pods", session.namespace());
    let Ok(request) = http_get(&uri) else { return };
    let Ok(list) = call(session.context.client.request::<serde_json::Value>(request)).await else { return };
    let metrics: Vec<PodMetrics> = serde_json::from_value(list["items"].clone()).unwrap_or_default();
    for target in session.test.spec.targets.clone() {
        let Some(pods) = session.memory.pods.get(&target.name.0) else { continue };
        let now_used = used(&metrics, pods, target.container.as_deref(), (since, session.now()));
        let most = session.memory.used.get(&target.name.0).copied().unwrap_or(Used::default());
        session.memory.used.insert(target.name.0, most.max(now_used));
    }
}

fn http_get(uri: &str) -> Result<http::Request<Vec<u8>>, http::Error> {
    http::Request::get(uri).body(Vec::new())
}
