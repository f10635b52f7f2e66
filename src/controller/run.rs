//! The controller process: its configuration, its work, its server; until it is told to stop.

use std::path::PathBuf;
use std::sync::Arc;

use kube::Client;
use tracing::info;

use super::config::Config;
use super::context::Context;
use super::operate::operate;
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
    info!(version = crate::runtime::version(), image = context.image, "started");
    tokio::select! {
        () = operate(Arc::clone(&context), health.clone()) => {}
        served = serving => served.map_err(|e| format!("the server ended: {e}"))?,
        () = shutdown::requested() => info!("asked to stop; runs go on in the cluster and are taken up by the next process"),
    }
    Ok(())
}
