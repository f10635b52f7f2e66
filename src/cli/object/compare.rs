//! `loadtest compare A B`: two runs side by side, if they may be compared.

use std::io::Write;
use std::path::Path;

use super::kept::Kept;
use super::{Connection, Said};
use crate::cli::exit;
use crate::cli::run::screen::fitted;
use crate::cli::run::terminal::width;
use crate::report::Results;
use crate::report::compare::{comparison, differences, fields};

/// Which runs.
#[derive(clap::Args)]
pub struct Args {
    /// The run that is compared with: NAME (its last run), NAME@RUN, a file as `report --from` takes it, or a folder that
    /// `run --report` wrote.
    a: String,
    /// The other run.
    b: String,
    #[command(flatten)]
    connection: Connection,
}

/// Prints both runs' figures and their ratios. Runs of different plans, operators, nodes or databases are refused with
/// [`exit::INVALID`], and the fields named; the targets' images may differ, for a new version is what is compared.
///
/// # Errors
/// A run is not there, or the two can't be compared.
pub async fn compare(args: &Args) -> Result<u8, Said> {
    let (a, b) = (results(&args.a, &args.connection).await?, results(&args.b, &args.connection).await?);
    let found = differences(&a, &b);
    if !found.is_empty() {
        let mut text = format!("{} and {} can't be compared, they differ in", args.a, args.b);
        found.iter().for_each(|one| text += &format!("\n  {}: {} | {}", one.field, one.first, one.second));
        return Err(Said { text, code: exit::INVALID });
    }
    let text = comparison(&a, &b) + &images(&a, &b);
    let text = width(&std::io::stdout()).map_or(text.clone(), |width| fitted(&text, width));
    // Who closed standard output doesn't want to read it.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(exit::PASSED)
}

/// A file, or a folder with results, where there is one of that name; else a LoadTest of the cluster.
async fn results(what: &str, connection: &Connection) -> Result<Results, Said> {
    let path = Path::new(what);
    if path.is_file() || path.join("results.json").is_file() {
        return Kept::open(Some(path), connection).await?.results(None, None).await;
    }
    if what.contains('/') || what.ends_with(".json") {
        let text = format!("{what}: there is no such file, and no folder with a results.json");
        return Err(Said { text, code: exit::USAGE });
    }
    let (name, run) = match what.split_once('@') {
        None => (what, None),
        Some((name, run)) => {
            let text = format!("{what:?}: after @ stands the number of a run");
            (name, Some(run.parse().map_err(|_| Said { text, code: exit::USAGE })?))
        }
    };
    Kept::open(None, connection).await?.results(Some(name), run).await
}

/// The targets' images, where they differ.
fn images(a: &Results, b: &Results) -> String {
    let of = |results: &Results| {
        let all = results.fingerprint.iter().flat_map(fields).filter(|(name, _)| name.ends_with(".images"));
        all.collect::<Vec<_>>()
    };
    if of(a) == of(b) {
        return String::new();
    }
    let mut out = "\nThe images differ:\n".to_owned();
    for (run, all) in [("A", of(a)), ("B", of(b))] {
        all.iter().for_each(|(name, value)| out += &format!("  {run} {name}: {value}\n"));
    }
    out
}
