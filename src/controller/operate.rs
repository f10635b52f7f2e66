//! What the operator does all the time: it reconciles every LoadTest that it watches, and looks at what runs that are
//! over left behind.

use std::sync::Arc;

use futures::StreamExt;
use kube::Api;
use kube::core::DeserializeGuard;
use kube::runtime::{Controller, watcher};
use tracing::warn;

use super::context::Context;
use super::io::call;
use super::reconcile::{on_error, reconcile};
use super::write::standing;
use crate::api::Glance;
use crate::runtime::server::Health;
use crate::runtime::shutdown;

/// LoadTests in one answer of the first list: an answer is held as a whole, and each may be 250 KiB.
const PAGE: u32 = 20;

/// Watches LoadTests and applies the standing rule, for ever. Dropping the future ends it anywhere, as a crash would.
pub async fn operate(context: Arc<Context>, health: Health) {
    let watches =
        context.namespaces().into_iter().map(|namespace| watch(Arc::clone(&context), namespace, health.clone()));
    tokio::select! {
        _ = futures::future::join_all(watches) => {}
        () = standing::watch(&context) => {}
    }
}

/// Waits for the resource definition, then reconciles every LoadTest of a namespace, or of all of them.
async fn watch(context: Arc<Context>, namespace: Option<String>, health: Health) {
    let api: Api<DeserializeGuard<Glance>> = match &namespace {
        Some(namespace) => Api::namespaced(context.client.clone(), namespace),
        None => Api::all(context.client.clone()),
    };
    while let Err(error) = call(api.list(&kube::api::ListParams::default().limit(1))).await {
        health.not_ready("waiting for the LoadTest resource definition, or the right to list it");
        warn!(%error, namespace, "LoadTests can't be listed yet");
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    }
    health.ready();
    let controller = Controller::new(api, watcher::Config::default().page_size(PAGE));
    context.watched.add(controller.store());
    controller
        .graceful_shutdown_on(shutdown::requested())
        .run(reconcile, on_error, context)
        .for_each(|_| std::future::ready(()))
        .await;
}
