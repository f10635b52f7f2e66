//! The controller process: its configuration, its server, its work while it leads; until it is told to stop.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;
use tracing::info;

use super::config::Config;
use super::context::Context;
use super::election::{keep, lead};
use super::io::Clients;
use super::lease::{ElectionArgs, Place};
use super::metrics::Metrics;
use super::operate::operate;
use super::watched::Watched;
use crate::runtime::health::Health;
use crate::runtime::{process, server, shutdown};

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
    /// Where /healthz, /readyz and /metrics are served.
    #[arg(long, default_value = "0.0.0.0:8080")]
    pub listen: std::net::SocketAddr,
    #[command(flatten)]
    pub election: ElectionArgs,
}

/// Runs until SIGTERM. What is under way goes on in the cluster and is taken up by the next process.
///
/// # Errors
/// A sentence: the configuration can't be read, there is no cluster, or the address is taken.
pub async fn run(args: Args) -> Result<(), String> {
    let config = Config::read(&args.config)?;
    let registry = process::registry().map_err(|e| e.to_string())?;
    let metrics = Metrics::new(&registry).map_err(|e| e.to_string())?;
    let clients = Clients::infer(&metrics).await?;
    let place = match args.election.leader_election {
        true => Some(Place::new(&args.election, args.pod_name.as_deref()).await?),
        false => None,
    };
    let health = Health::default();
    let listener = tokio::net::TcpListener::bind(args.listen).await;
    let listener = listener.map_err(|e| format!("can't listen on {}: {e}", args.listen))?;
    let watched = Watched::default();
    let refresh = {
        let (watched, metrics) = (watched.clone(), metrics.clone());
        move || watched.tell(&metrics)
    };
    let serving = server::serve(listener, health.clone(), registry, refresh);
    info!(version = crate::runtime::version(), image = args.agent_image, "started");
    // A context for each term: who leads anew looks anew.
    let working = || {
        let (image, pod) = (args.agent_image.clone(), args.pod_name.clone());
        let mut context = Context::new(clients.clone(), config.clone(), image, pod, metrics.clone());
        watched.clear();
        context.watched = watched.clone();
        operate(Arc::new(context), health.clone())
    };
    tokio::select! {
        () = in_turn(place.as_ref(), &health, &metrics, working) => {}
        served = serving => served.map_err(|e| format!("the server ended: {e}"))?,
        () = shutdown::requested() => info!("asked to stop; runs go on in the cluster and are taken up by the next process"),
    }
    if let Some(place) = &place {
        place.leave().await;
    }
    Ok(())
}

/// Works: always, or while the lease is held. A process that waits for the lease is ready: it does all that it is there for.
async fn in_turn<W: Future<Output = ()>>(
    place: Option<&Place>,
    health: &Health,
    metrics: &Metrics,
    working: impl Fn() -> W,
) {
    let Some(place) = place else { return working().await };
    let leads = watch::Sender::new(false);
    let sit = async || {
        let seat = place.sit().await;
        match &seat {
            _ if *leads.borrow() => {}
            Ok(_) => health.ready(),
            Err(error) => health.not_ready(error),
        }
        seat
    };
    tokio::select! {
        () = lead(leads.subscribe(), working) => {}
        () = keep(&leads, sit) => {}
        () = tell(leads.subscribe(), |leads| metrics.leads(place.lease(), leads)) => {}
    }
}

/// Says whether this process leads, now and whenever that changes.
async fn tell(mut leads: watch::Receiver<bool>, say: impl Fn(bool)) {
    say(*leads.borrow_and_update());
    while leads.changed().await.is_ok() {
        say(*leads.borrow_and_update());
    }
}
