//! `loadtest init deploy/api deploy/worker`: a manifest for what runs already, with comments to go on from.

mod found;
mod manifest;

use std::io::Write;

use k8s_openapi::api::core::v1::Service;
use kube::api::ListParams;
use serde_json::Value;

use self::found::{Found, found};
use self::manifest::manifest;
use super::workload::{absent, managers, named, workload};
use super::{Connection, Said};
use crate::cli::exit;

/// Which workloads.
#[derive(clap::Args)]
pub struct Args {
    /// deployment/NAME or statefulset/NAME, as kubectl writes them; at most 8.
    #[arg(required = true, num_args = 1..=8)]
    workloads: Vec<String>,
    /// Name of the LoadTest; without it that of the first workload, as far as a test may be called so.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

/// Prints a manifest that `validate` accepts and that changes nothing yet: sizes are comments.
///
/// # Errors
/// A workload is not there, or no Service leads to any of them.
pub async fn init(args: &Args) -> Result<u8, Said> {
    let usage = |text: String| Said { text, code: exit::USAGE };
    let place = args.connection.open().await?;
    let services = place.api::<Service>().list(&ListParams::default()).await;
    let services = services.map_err(|error| place.why("Service", "", &error))?;
    let services: Vec<Value> =
        services.items.iter().map(|service| serde_json::to_value(service).unwrap_or(Value::Null)).collect();
    let mut all: Vec<Found> = Vec::new();
    for named_workload in &args.workloads {
        let (kind, name) = named(named_workload).map_err(usage)?;
        let live = workload(&place, kind, name).await?.ok_or_else(|| absent(&place, kind, name))?;
        let managers = managers(&place, kind, &live).await;
        all.push(found(kind, &live, &services, managers));
    }
    if all.iter().all(|one| one.service.is_none()) {
        let text = format!(
            "no Service of namespace {} selects the pods of {}; name also the workload that takes the requests",
            place.namespace,
            args.workloads.join(", ")
        );
        return Err(usage(text));
    }
    let name = args.name.clone().unwrap_or_else(|| all[0].name.clone());
    let text = manifest(&name, &place.namespace, &all);
    // Who closed standard output doesn't want to read it.
    let _ = std::io::stdout().write_all(text.as_bytes());
    for warning in all.iter().flat_map(Found::warnings) {
        eprintln!("note: {warning}");
    }
    eprintln!("next: kubectl loadtest plan -f FILE    what it would do, without starting it");
    Ok(exit::PASSED)
}
