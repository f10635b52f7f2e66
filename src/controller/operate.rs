//! What the operator does all the time: it reconciles every LoadTest that it watches, and looks at what runs that are
//! over left behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use kube::Api;
use kube::api::ListParams;
use kube::core::DeserializeGuard;
use kube::runtime::{Controller, controller, watcher};
use tokio::sync::Notify;

use super::context::Context;
use super::io::call;
use super::reconcile::{on_error, reconcile};
use super::write::standing;
use crate::api::Glance;
use crate::runtime::health::{Health, Part};
use crate::runtime::shutdown;

/// LoadTests in one answer of the first list: an answer is held as a whole, and each may be 250 KiB.
const PAGE: u32 = 20;

/// Pause before LoadTests that could not be listed are asked for again.
const PAUSE: Duration = Duration::from_secs(2);

type Tests = Api<DeserializeGuard<Glance>>;

/// Watches LoadTests and applies the standing rule, for ever. Dropping the future ends it anywhere, as a crash would.
pub async fn operate(context: Arc<Context>, health: Health) {
    let namespaces = context.namespaces();
    let left = AtomicUsize::new(namespaces.len());
    let watches =
        namespaces.into_iter().map(|namespace| watch(Arc::clone(&context), namespace, health.part(), &health, &left));
    tokio::select! {
        _ = futures::future::join_all(watches) => {}
        () = standing::watch(&context, &health) => {}
    }
}

/// Waits for the resource definition, then reconciles every LoadTest of a namespace, or of all of them. `left`: namespaces whose
/// LoadTests were not listed yet; the last one makes the process ready.
async fn watch(context: Arc<Context>, namespace: Option<String>, part: Part, health: &Health, left: &AtomicUsize) {
    let api: Tests = match &namespace {
        Some(namespace) => Api::namespaced(context.client.clone(), namespace),
        None => Api::all(context.client.clone()),
    };
    until_listed(&api, &part, true).await;
    if left.fetch_sub(1, Ordering::Relaxed) == 1 {
        health.ready();
    }
    let controller = Controller::new(api.clone(), watcher::Config::default().page_size(PAGE));
    context.watched.add(controller.store());
    let doubt = Notify::new();
    let work =
        controller.graceful_shutdown_on(shutdown::requested()).run(reconcile, on_error, context).for_each(|done| {
            if matches!(done, Err(controller::Error::QueueError(_))) {
                doubt.notify_one();
            }
            std::future::ready(())
        });
    // The watch tries again by itself, and says nothing.
    let look = async {
        loop {
            doubt.notified().await;
            until_listed(&api, &part, false).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = look => {}
    }
}

/// Comes back when LoadTests can be listed. Later than at the start, an API server that doesn't answer is none of the reasons to
/// say that this process is not ready: it is asked again for everything.
async fn until_listed(api: &Tests, part: &Part, starting: bool) {
    while let Err(error) = call(api.list(&ListParams::default().limit(1))).await {
        match error.remedy() {
            Some(remedy) => part.waits(remedy),
            None if starting => part.waits(format!("LoadTests can't be listed yet: {error}")),
            None => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
    part.works();
}
