//! `loadtest restore KIND/NAME`: puts a workload back from the claim that it carries, for when no operator is left.

use kube::api::{DynamicObject, Patch, PatchParams};
use kube::core::DeserializeGuard;
use kube::{Api, ResourceExt};
use serde_json::Value;

use super::workload::{named, resource};
use super::{Connection, Place, Said};
use crate::api::{Glance, Phase};
use crate::build::{CLAIM, release_patch};
use crate::cli::exit;
use crate::lifecycle::is_of;

/// Which workload.
#[derive(clap::Args)]
pub struct Args {
    /// deployment/NAME or statefulset/NAME, as kubectl writes them.
    workload: String,
    /// Also while its LoadTest is running. An operator that works would size it again; end the test first.
    #[arg(long)]
    force: bool,
    /// Show what would be written, and write nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Writes the original size where the size is still the test's, and takes the claim away.
///
/// # Errors
/// There is no such workload, it carries no claim, its test is running, or the right to change it is missing.
pub async fn restore(args: &Args) -> Result<u8, Said> {
    let usage = |text: String| Said { text, code: exit::USAGE };
    let (kind, name) = named(&args.workload).map_err(usage)?;
    let kind = resource(kind);
    let place = args.connection.open().await?;
    let api: Api<DynamicObject> = Api::namespaced_with(place.client.clone(), &place.namespace, &kind);
    let found = api.get(name).await.map_err(|error| place.why(&kind.kind, name, &error))?;
    let Some(claim) = found.labels().get(CLAIM).cloned() else {
        println!("{} carries no claim of a load test: nothing to put back.", args.workload);
        return Ok(exit::PASSED);
    };
    if let Some(test) = running(&place, &claim).await?.filter(|_| !args.force) {
        let text = format!("LoadTest {test} is using it; end that first: kubectl loadtest cancel {test}");
        return Err(usage(text));
    }
    let live = serde_json::to_value(&found).unwrap_or(Value::Null);
    let release = release_patch(&live).map_err(|error| usage(format!("{}: {error}", args.workload)))?;
    let patch: json_patch::Patch = serde_json::from_value(release.patch).map_err(|error| usage(error.to_string()))?;
    let params = PatchParams { dry_run: args.dry_run, ..PatchParams::default() };
    if args.dry_run {
        patch.0.iter().for_each(|one| println!("{one}"));
    }
    let written = api.patch(name, &params, &Patch::Json::<()>(patch)).await;
    written.map_err(|error| place.why(&kind.kind, name, &error))?;
    let done = if args.dry_run { "would be put back" } else { "is put back" };
    println!("{} {done}; its claim is gone.", args.workload);
    for field in release.skipped {
        println!("  {field:?} was left alone: somebody else changed it since.");
    }
    Ok(exit::PASSED)
}

/// Name of the LoadTest that the claim is of, while it is not finished.
async fn running(place: &Place, claim: &str) -> Result<Option<String>, Said> {
    let tests = place.api::<DeserializeGuard<Glance>>().list(&kube::api::ListParams::default()).await;
    let tests = match tests {
        // The resource definition is gone with the operator: so are all tests.
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok(None),
        tests => tests.map_err(|error| place.why("LoadTest", "", &error))?,
    };
    let ours = tests.items.into_iter().filter_map(|test| test.0.ok()).find(|test| {
        let active = !matches!(test.status.phase, None | Some(Phase::Pending | Phase::Finished));
        active && test.uid().is_some_and(|uid| is_of(claim, &uid))
    });
    Ok(ours.map(|test| test.name_any()))
}
