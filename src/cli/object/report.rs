//! `loadtest report NAME`: what came of a test, for a terminal or as one of the report's files.

use std::io::Write;

use k8s_openapi::api::core::v1::ConfigMap;

use super::{Connection, Place, Said};
use crate::api::LoadTest;
use crate::cli::exit;
use crate::cli::run::screen::fitted;
use crate::cli::run::terminal::width;

/// Which test, and in which form.
#[derive(clap::Args)]
pub struct Args {
    /// Name of the LoadTest.
    name: String,
    /// As the Markdown that a pull request's comment takes.
    #[arg(long, group = "form")]
    markdown: bool,
    /// As comma-separated values, a line a row.
    #[arg(long, group = "form")]
    csv: bool,
    /// As JSON: plan, rows with histograms and timelines, fingerprint.
    #[arg(long, group = "form")]
    json: bool,
    /// As JUnit's XML: a failure is a threshold, an error an invalid row.
    #[arg(long, group = "form")]
    junit: bool,
    /// An earlier run, by its number; without it the last one.
    #[arg(long, value_name = "NUMBER")]
    run: Option<i64>,
    #[command(flatten)]
    connection: Connection,
}

/// Prints the report of the last run that is over.
///
/// # Errors
/// There is no such test, no run of it is over, or its report is gone.
pub async fn report(args: &Args) -> Result<u8, Said> {
    let place = args.connection.open().await?;
    let test = place.test(&args.name).await?;
    let map = config_map(&test, args.run)?;
    let files = read(&place, &map).await?;
    let file = match (args.markdown, args.csv, args.json, args.junit) {
        (_, true, ..) => "results.csv",
        (_, _, true, _) => "results.json",
        (.., true) => "junit.xml",
        _ => "table.md",
    };
    let text = files.data.unwrap_or_default().remove(file);
    let text = text.ok_or_else(|| Said { text: format!("ConfigMap {map} has no {file}"), code: exit::UNASKED })?;
    let plain = file == "table.md" && !args.markdown;
    let shown = match width(&std::io::stdout()).filter(|_| plain) {
        Some(width) => fitted(text.trim_start_matches("# "), width),
        None => text,
    };
    // Who closed standard output doesn't want to read it.
    let _ = std::io::stdout().write_all(shown.as_bytes());
    Ok(exit::PASSED)
}

/// Name of the ConfigMap that holds the report of that run, or of the last one.
fn config_map(test: &LoadTest, run: Option<i64>) -> Result<String, Said> {
    let name = test.metadata.name.clone().unwrap_or_default();
    let status = test.status.as_ref();
    let last = status.and_then(|status| status.run.as_ref()).map(|run| run.id);
    let of_last = status.and_then(|status| status.report_ref.as_ref()).map(|report| report.name.clone());
    let found = match run {
        Some(number) if Some(number) != last => {
            let past = status.into_iter().flat_map(|status| &status.history).find(|past| past.id == number);
            past.and_then(|past| past.report.clone())
        }
        _ => of_last,
    };
    found.ok_or_else(|| {
        let what =
            run.map_or_else(|| "no run of it is over".into(), |number| format!("it has no report of run {number}"));
        Said { text: format!("{name}: {what}; kubectl loadtest watch {name} shows where it stands"), code: exit::USAGE }
    })
}

async fn read(place: &Place, map: &str) -> Result<ConfigMap, Said> {
    place.api::<ConfigMap>().get(map).await.map_err(|error| place.why("ConfigMap", map, &error))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn finished() -> LoadTest {
        serde_json::from_value(json!({
            "apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest", "metadata": {"name": "peak"},
            "spec": {"loads": [{"name": "m", "url": "http://web/"}]},
            "status": {"reportRef": {"name": "peak-abcde-3-report"}, "run": {"id": 3, "generation": 1, "planHash": "h",
                "hashVersion": 1, "protocolVersion": 1},
                "history": [{"id": 2, "verdict": "Failed", "report": "peak-abcde-2-report"}]}}))
        .unwrap()
    }

    #[test]
    fn the_last_run_is_reported_unless_another_is_named() {
        let test = finished();
        assert_eq!(config_map(&test, None).unwrap(), "peak-abcde-3-report");
        assert_eq!(config_map(&test, Some(3)).unwrap(), "peak-abcde-3-report");
        assert_eq!(config_map(&test, Some(2)).unwrap(), "peak-abcde-2-report");
        assert!(config_map(&test, Some(1)).unwrap_err().text.contains("no report of run 1"));
    }

    #[test]
    fn a_test_that_never_ended_has_no_report_and_says_where_to_look() {
        let test = LoadTest { status: None, ..finished() };
        let said = config_map(&test, None).unwrap_err();
        assert_eq!(said.code, exit::USAGE);
        assert!(said.text.contains("no run of it is over; kubectl loadtest watch peak"), "{}", said.text);
    }
}
