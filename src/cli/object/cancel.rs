//! `loadtest cancel NAME`: ends a run; everything is put back.

use serde_json::json;

use super::{Connection, Said, is_busy};
use crate::cli::exit;

/// Which test.
#[derive(clap::Args)]
pub struct Args {
    /// Name of the LoadTest.
    name: String,
    #[command(flatten)]
    connection: Connection,
}

/// Sets spec.cancel. A test that is over is left as it is.
///
/// # Errors
/// There is no such test, or the right to change it is missing.
pub async fn cancel(args: &Args) -> Result<u8, Said> {
    let place = args.connection.open().await?;
    let test = place.test(&args.name).await?;
    if !is_busy(&test) {
        println!("{} is over already; its results stay as they are.", args.name);
        return Ok(exit::PASSED);
    }
    place.edit(&args.name, json!({"cancel": true})).await?;
    println!("{} is being ended: no further request is sent, and what was changed is put back.", args.name);
    println!("To see it done: kubectl loadtest watch {} -n {}", args.name, place.namespace);
    Ok(exit::PASSED)
}
