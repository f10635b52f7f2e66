//! `loadtest rerun NAME`: the same test once more, as a run of its own.

use jiff::Timestamp;
use serde_json::json;

use super::{Connection, Said, is_busy};
use crate::cli::exit;

/// Which test.
#[derive(clap::Args)]
pub struct Args {
    /// Name of the LoadTest.
    name: String,
    /// spec.runId of the new run; without it the time of day.
    #[arg(long, value_name = "ID")]
    run_id: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

/// Gives spec.runId another value.
///
/// # Errors
/// There is no such test, it runs, it has that runId already, or the right to change it is missing.
pub async fn rerun(args: &Args) -> Result<u8, Said> {
    let place = args.connection.open().await?;
    let test = place.test(&args.name).await?;
    let name = &args.name;
    if is_busy(&test) {
        let text =
            format!("{name} has not finished; wait for it (kubectl loadtest watch {name}) or end it (cancel) first");
        return Err(Said { text, code: exit::USAGE });
    }
    let run_id = args.run_id.clone().unwrap_or_else(|| Timestamp::now().strftime("%Y%m%d-%H%M%S").to_string());
    if test.spec.run_id.as_deref() == Some(run_id.as_str()) {
        let text = format!("{name} has been run with runId {run_id} already; another --run-id makes another run");
        return Err(Said { text, code: exit::USAGE });
    }
    // A test that was cancelled would be refused at once.
    place.edit(name, json!({"runId": run_id, "cancel": false, "suspend": false})).await?;
    println!("{name} runs again as {run_id}.");
    println!("To see it: kubectl loadtest watch {name} -n {}", place.namespace);
    Ok(exit::PASSED)
}
