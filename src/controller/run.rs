//! The controller process: its watches, its standing rule, its server; until it is told to stop.

use std::path::PathBuf;
use std::sync::Arc;

use futures::StreamExt;
use kube::core::DeserializeGuard;
use kube::runtime::{Controller, watcher};
use kube::{Api, Client};
use tracing::{info, warn};

use super::config::Config;
use super::context::Context;
use super::reconcile::{on_error, reconcile};
use super::write::standing;
use crate::api::LoadTest;
use crate::runtime::{server, shutdown};

/// How the controller is started.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The operator's configuration file.
    #[arg(long, default_value = "/etc/loadtest/config.yaml")]
    pub config: PathBuf,
    /// Image of the generator and observer pods.
    #[arg(long, env = "AGENT_IMAGE")]
    pub agent_image: String,
    /// Name of this pod, for its events.
    #[arg(long, env = "POD_NAME")]
    pub pod_name: Option<String>,
    /// Where /healthz and /readyz are served.
    #[arg(long, default_value = "0.0.0.0:8080")]
    pub listen: std::net::SocketAddr,
}

/// Runs until SIGTERM. What is under way goes on in the cluster and is taken up by the next process.
///
/// # Errors
/// A sentence: the configuration can't be read, there is no cluster, or the address is taken.
pub async fn run(args: Args) -> Result<(), String> {
    let config = Config::read(&args.config)?;
    let client = Client::try_default().await.map_err(|e| format!("no Kubernetes cluster: {e}"))?;
    let context = Arc::new(Context::new(client.clone(), config, args.agent_image, args.pod_name));
    let health = server::Health::default();
    let listener = tokio::net::TcpListener::bind(args.listen).await;
    let listener = listener.map_err(|e| format!("can't listen on {}: {e}", args.listen))?;
    let serving = server::serve(listener, health.clone());
    let controllers: Vec<_> = context
        .namespaces()
        .into_iter()
        .map(|namespace| watch(Arc::clone(&context), namespace, health.clone()))
        .collect();
    info!(version = crate::runtime::version(), image = context.image, "started");
    tokio::select! {
        () = futures::future::join_all(controllers).map_unit() => {}
        () = standing::watch(&context) => {}
        served = serving => served.map_err(|e| format!("the server ended: {e}"))?,
        () = shutdown::requested() => info!("asked to stop; runs go on in the cluster and are taken up by the next process"),
    }
    Ok(())
}

/// Waits for the resource definition, then reconciles every LoadTest of a namespace, or of all of them.
async fn watch(context: Arc<Context>, namespace: Option<String>, health: server::Health) {
    let api: Api<DeserializeGuard<LoadTest>> = match &namespace {
        Some(namespace) => Api::namespaced(context.client.clone(), namespace),
        None => Api::all(context.client.clone()),
    };
    while let Err(error) = api.list(&kube::api::ListParams::default().limit(1)).await {
        health.not_ready("waiting for the LoadTest resource definition, or the right to list it");
        warn!(%error, namespace, "LoadTests can't be listed yet");
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    }
    health.ready();
    Controller::new(api, watcher::Config::default())
        .graceful_shutdown_on(shutdown::requested())
        .run(reconcile, on_error, context)
        .for_each(|_| std::future::ready(()))
        .await;
}

/// Drops what a future brings.
trait MapUnit: Future + Sized {
    async fn map_unit(self) {
        self.await;
    }
}

impl<F: Future> MapUnit for F {}
