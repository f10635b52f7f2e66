//! The row's ConfigMap: written when its records are read, again when the row is done.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tracing::warn;

use crate::controller::io::call;
use crate::controller::session::Session;

/// Creates or replaces a ConfigMap of ours; what it holds is also in the status, so a failure is only logged.
pub async fn write_config_map(session: &Session<'_>, map: &ConfigMap) {
    let api = session.api::<ConfigMap>();
    let created = call(api.create(&kube::api::PostParams::default(), map)).await;
    let answer = match created {
        Err(error) if error.already_exists() => {
            let patch = Patch::Merge(json!({"data": map.data}));
            call(api.patch(&map.name_any(), &PatchParams::default(), &patch)).await
        }
        other => other,
    };
    if let Err(error) = answer {
        warn!(name = map.name_any(), error = error.message(), "a ConfigMap could not be written");
    }
}

/// What a row's ConfigMap holds; `None`: there is none, or it can't be read.
pub async fn kept(session: &Session<'_>, row: i32) -> Option<Value> {
    let map = call(session.api::<ConfigMap>().get_opt(&session.run().row(row))).await.ok()??;
    serde_json::from_str(map.data?.get("row.json")?).ok()
}

/// Tasks of the row's warm-up, as its ConfigMap keeps them.
pub async fn kept_warmup(session: &Session<'_>, row: i32) -> Option<u64> {
    kept(session, row).await?["warmupTasks"].as_u64()
}
