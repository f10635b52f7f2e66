//! `loadtest plan -f FILE`: what a manifest would do. Nothing is started, and nothing is written but dry runs.

mod checks;
mod outline;

use std::path::{Path, PathBuf};

use serde_json::Value;

use self::checks::{Answer, checks};
use self::outline::outline;
use super::{Connection, Said};
use crate::cli::exit;
use crate::plan::check;

/// Which manifest.
#[derive(clap::Args)]
pub struct Args {
    /// The manifest; `-` is standard input.
    #[arg(short, long)]
    file: PathBuf,
    /// The LoadTest, where the file holds several.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

/// Prints rows, time, peak load, what is changed and put back, and then what the cluster says to it. Ends with [`exit::INVALID`] when
/// something would keep the test from starting.
///
/// # Errors
/// The file holds no LoadTest or a wrong one, or nobody could be asked.
pub async fn plan(args: &Args) -> Result<u8, Said> {
    let document = document(&args.file, args.name.as_deref())?;
    let checked = check(document.clone());
    let name = checked.name;
    let plan = checked.plan.map_err(|errors| {
        let all: String = errors.iter().map(|error| format!("\n  {error}")).collect();
        Said { text: format!("LoadTest {name} can't be planned:{all}"), code: exit::INVALID }
    })?;
    let written = document["metadata"]["namespace"].as_str().map(str::to_owned);
    if let (Some(written), Some(asked)) = (&written, &args.connection.namespace)
        && written != asked
    {
        let text = format!("the manifest says namespace {written}, the command line {asked}");
        return Err(Said { text, code: exit::USAGE });
    }
    let mut connection = args.connection.clone();
    connection.namespace = written.or(connection.namespace);
    let place = match connection.open().await {
        Ok(place) => place,
        Err(said) => {
            print!("{}", outline(&name, &plan, &[]));
            return Err(said);
        }
    };
    let (live, answers) = checks(&place, &name, &plan).await?;
    print!("{}", outline(&format!("{}/{name}", place.namespace), &plan, &live));
    println!("before it starts:");
    answers.iter().for_each(|answer| println!("  {answer}"));
    let refused = answers.iter().filter(|answer| matches!(answer, Answer::No(_))).count();
    println!("{}", match refused {
        0 => "Nothing was started: kubectl apply starts it. The operator looks at all of this once more, and at its own limits.".into(),
        1 => "Nothing was started, and as it stands it would not start.".to_owned(),
        n => format!("Nothing was started, and as it stands it would not start, for {n} reasons."),
    });
    Ok(if refused == 0 { exit::PASSED } else { exit::INVALID })
}

/// The LoadTest of a file as it was written.
fn document(file: &Path, name: Option<&str>) -> Result<Value, Said> {
    let shown = file.display();
    let usage = |text: String| Said { text, code: exit::USAGE };
    let text = match file.as_os_str() == "-" {
        true => std::io::read_to_string(std::io::stdin()),
        false => std::fs::read_to_string(file),
    };
    let text = text.map_err(|error| usage(format!("{shown}: {error}")))?;
    // A snippet of the text would show what stands around the error.
    let options = serde_saphyr::options! { with_snippet: false };
    let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(&text, options)
        .map_err(|error| usage(format!("{shown} can't be read as YAML: {}", error.render().trim())))?;
    let mut tests: Vec<Value> = documents.into_iter().filter(|document| document["kind"] == "LoadTest").collect();
    if let Some(name) = name {
        tests.retain(|test| test["metadata"]["name"] == name);
    }
    match (tests.pop(), tests.is_empty()) {
        (Some(test), true) => Ok(test),
        (None, _) => Err(usage(format!("{shown}: no such LoadTest in it"))),
        _ => Err(usage(format!("{shown} holds several LoadTests; choose one with --name"))),
    }
}
