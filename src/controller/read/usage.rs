//! CPU and memory that the targets' pods use while a row loads, from the metrics API where it is there.

use crate::controller::io::call;
use crate::controller::session::Session;
use crate::evidence::cluster::metrics::{PodMetrics, Used, used};

/// How often the metrics API is asked while a row loads.
const USED_EVERY: i64 = 10_000;

/// Asks the metrics API, where it is there, what the targets' pods use; keeps the most.
pub async fn sample(session: &mut Session<'_>) {
    let Some(fire) = session.state.fire.filter(|fire| session.now() > fire.start_at) else { return };
    if session.now() - session.memory.used_at < USED_EVERY {
        return;
    }
    session.memory.used_at = session.now();
    let uri = format!("/apis/metrics.k8s.io/v1beta1/namespaces/{}/pods", session.namespace());
    let Ok(request) = http_get(&uri) else { return };
    let Ok(list) = call(session.context.client.request::<serde_json::Value>(request)).await else { return };
    let metrics: Vec<PodMetrics> = serde_json::from_value(list["items"].clone()).unwrap_or_default();
    for target in session.test.spec.targets.clone() {
        let Some(pods) = session.memory.pods.get(&target.name.0) else { continue };
        let now_used = used(&metrics, pods, target.container.as_deref(), (fire.start_at, session.now()));
        let most = session.memory.used.get(&target.name.0).copied().unwrap_or(Used::default());
        session.memory.used.insert(target.name.0, most.max(now_used));
    }
    session.remember();
}

fn http_get(uri: &str) -> Result<http::Request<Vec<u8>>, http::Error> {
    http::Request::get(uri).body(Vec::new())
}
