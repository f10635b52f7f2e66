//! The Lease in the operator's own namespace, by crate kube-lease-manager.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client, Config};
use kube_lease_manager::{LeaseManager, LeaseManagerBuilder, LeaseManagerError};
use tracing::info;

use super::election::{MERCY, Seat};
use super::io::CallError;

/// Seconds that a lease holds after its last renewal; so long is nobody at work when a leader vanishes.
const LEASE_SECONDS: u64 = 15;
/// Seconds before its end when a lease is renewed.
const RENEW_BEFORE_SECONDS: u64 = 10;
/// Longest connection or answer. A renewal is two calls: it has failed, and the leader's mercy is over, before the lease ends.
const CALL: Duration = Duration::from_secs(2);
const _: () = assert!(4 * CALL.as_secs() + MERCY.as_secs() <= RENEW_BEFORE_SECONDS);

/// How the operator elects who of its processes works.
#[derive(Clone, Debug, clap::Args)]
pub struct ElectionArgs {
    /// Of several processes only the one that holds a Lease works; the others wait.
    #[arg(long)]
    pub leader_election: bool,
    /// Name of the Lease.
    #[arg(long, default_value = "loadtest-operator")]
    pub lease_name: String,
    /// Namespace of the Lease: the operator's own.
    #[arg(long, env = "POD_NAMESPACE")]
    pub lease_namespace: Option<String>,
}

/// The lease, and the name by which this process is known there.
pub struct Place {
    client: Client,
    name: String,
    namespace: String,
    identity: String,
}

impl Place {
    /// The lease of these arguments; asks nobody. `pod` is how people know this process.
    ///
    /// # Errors
    /// A sentence: no namespace is given, or there is no cluster.
    pub async fn new(args: &ElectionArgs, pod: Option<&str>) -> Result<Self, String> {
        let namespace = args.lease_namespace.clone().filter(|namespace| !namespace.is_empty());
        let namespace = namespace
            .ok_or("leader election needs the operator's namespace: set --lease-namespace or POD_NAMESPACE")?;
        let mut config = Config::infer().await.map_err(|error| format!("no Kubernetes cluster: {error}"))?;
        // What fails is tried again here, before the lease ends; kube by itself would try for longer.
        config.default_retry = false;
        config.connect_timeout = Some(CALL);
        config.read_timeout = Some(CALL);
        config.write_timeout = Some(CALL);
        let client = Client::try_from(config).map_err(|error| format!("no Kubernetes cluster: {error}"))?;
        // A container that was started again has the same pod, and is another process.
        let identity = format!("{}_{}", pod.unwrap_or("loadtest"), uuid::Uuid::new_v4());
        Ok(Self { client, name: args.lease_name.clone(), namespace, identity })
    }

    /// Name of the Lease.
    pub fn lease(&self) -> &str {
        &self.name
    }

    /// Takes part: the Lease is made when there is none.
    ///
    /// # Errors
    /// A sentence: the Lease can't be read or made.
    pub async fn sit(&self) -> Result<LeaseManager, String> {
        let manager = LeaseManagerBuilder::new(self.client.clone(), &self.name)
            .with_namespace(&self.namespace)
            .with_identity(&self.identity)
            .with_field_manager(format!("loadtest-operator-{}", self.identity))
            .with_duration(LEASE_SECONDS)
            .with_grace(RENEW_BEFORE_SECONDS)
            .build();
        let manager = manager.await.map_err(|error| self.say(&plain(error)))?;
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), &self.namespace);
        let lease = leases.get(&self.name).await.map_err(|error| self.say(&plain(error.into())))?;
        let leader = lease.spec.and_then(|spec| spec.holder_identity).unwrap_or_else(|| "nobody".into());
        info!(lease = self.name, leader, identity = self.identity, "takes part in the election of a leader");
        Ok(manager)
    }

    /// Gives the lease back, if this process holds it, so that another leads sooner.
    pub async fn leave(&self) {
        // The end of the process doesn't wait for it: the lease runs out by itself.
        let leave = async { self.sit().await?.release().await.map_err(|error| self.say(&plain(error))) };
        match tokio::time::timeout(2 * CALL, leave).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => info!(%error, "the lease could not be given back; it runs out by itself"),
            Err(_) => info!("the lease could not be given back in time; it runs out by itself"),
        }
    }

    fn say(&self, error: &str) -> String {
        format!("Lease {} in namespace {}: {error}", self.name, self.namespace)
    }
}

/// What it says to people: of an answer its message.
fn plain(error: LeaseManagerError) -> String {
    match error {
        LeaseManagerError::KubeError(error) => CallError::Kube(Box::new(error)).message(),
        other => other.to_string(),
    }
}

impl Seat for LeaseManager {
    async fn changed(&self) -> Result<bool, String> {
        Self::changed(self).await.map_err(plain)
    }
}
