//! `loadtest report NAME`: what came of a test, for a terminal or as one of the report's files.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::kept::Kept;
use super::{Connection, Said};
use crate::cli::exit;
use crate::cli::run::screen::{fitted, wrapped};
use crate::cli::run::summary::summary;
use crate::cli::run::terminal::width;
use crate::report::Results;
use crate::report::comment::comment;
use crate::report::html::{html, sentences};

/// Which test, and in which form.
#[derive(clap::Args)]
pub struct Args {
    /// Name of the LoadTest; with --from it may be left out where the file holds one.
    #[arg(required_unless_present = "from")]
    name: Option<String>,
    /// One HTML file without script or network, below 500 KB.
    #[arg(long, group = "form")]
    html: bool,
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
    /// One row only, by its number: its percentiles, answers and failures; or with --html its charts.
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["markdown", "csv", "json", "junit"])]
    row: Option<i32>,
    /// An earlier run, by its number; without it the last one.
    #[arg(long, value_name = "NUMBER")]
    run: Option<i64>,
    /// Ask no cluster: read what `kubectl get loadtest,configmap -o yaml` printed, or a results.json; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["namespace", "context", "kubeconfig"])]
    from: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

/// Prints the report of the last run that is over.
///
/// # Errors
/// There is no such test, no run of it is over, or its report is gone.
pub async fn report(args: &Args) -> Result<u8, Said> {
    let kept = Kept::open(args.from.as_deref(), &args.connection).await?;
    let mut files = kept.files(args.name.as_deref(), args.run).await?;
    let file = match (args.csv, args.json, args.junit) {
        (true, ..) => "results.csv",
        (_, true, _) => "results.json",
        (.., true) => "junit.xml",
        _ => "table.md",
    };
    let text = if args.html {
        html(&only(kept.whole(&files).await?, args.row)?)
    } else if let Some(number) = args.row {
        of_row(&only(kept.whole(&files).await?, Some(number))?)
    } else {
        let text = files.remove(file).ok_or_else(|| lacks(file, args.from.as_deref()))?;
        match (args.markdown, file) {
            (true, _) => comment(&kept.whole(&files).await?, &text),
            (_, "table.md") => for_reading(&text, kept.whole(&files).await.ok().as_ref(), width(&std::io::stdout())),
            _ => text,
        }
    };
    // Who closed standard output doesn't want to read it.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(exit::PASSED)
}

/// What can't be made from the results alone is a file of its own.
fn lacks(file: &str, from: Option<&Path>) -> Said {
    let can = "--html, --json and --row NUMBER are made from results.json alone";
    match from {
        None => Said { text: format!("the report has no {file}; {can}"), code: exit::UNASKED },
        Some(from) => Said {
            text: format!(
                "{} has no {file}, which this form is; {can}. The other forms are in the folder that loadtest run --report wrote, \
                 and in what kubectl get loadtest,configmap -o yaml prints",
                from.display()
            ),
            code: exit::USAGE,
        },
    }
}

/// The table under its headline and the three sentences, as wide as the terminal.
fn for_reading(table: &str, results: Option<&Results>, width: Option<usize>) -> String {
    let (headline, rest) = table.split_once('\n').unwrap_or((table, ""));
    let mut text = format!("{}\n\n", headline.trim_start_matches("# "));
    for (title, sentence) in results.iter().flat_map(|results| sentences(results)) {
        // Before the table is looked at: it shall not be turned round for a long sentence's sake.
        text += &wrapped(&format!("{title:<11} {sentence}"), width.unwrap_or(usize::MAX), "            ");
        text.push('\n');
    }
    text += rest;
    width.map_or(text.clone(), |width| fitted(&text, width))
}

/// The results of one row, where one is asked for.
fn only(mut results: Results, row: Option<i32>) -> Result<Results, Said> {
    let Some(number) = row else { return Ok(results) };
    let known: Vec<String> = results.rows.iter().map(|row| row.row.row.to_string()).collect();
    results.rows.retain(|row| row.row.row == number);
    if results.rows.is_empty() {
        let text = format!("there is no row {number}; the rows that were done: {}", known.join(", "));
        return Err(Said { text, code: exit::USAGE });
    }
    Ok(results)
}

/// What a table has no room for.
fn of_row(results: &Results) -> String {
    let mut out = String::new();
    for row in &results.rows {
        let verdict = row.row.verdict.map_or_else(|| "-".into(), |verdict| format!("{verdict:?}"));
        out += &format!("{} run {}, row {}: {verdict}", results.name(), results.test.run, row.row.row);
        row.row.set.iter().for_each(|set| out += &format!("  {}={}", set.name, set.value));
        out.push('\n');
        match &row.details {
            Some(detail) => out += &summary(&row.row, detail),
            None => out += "  its histograms and timelines are gone with its ConfigMap\n",
        }
        row.row.observations.iter().for_each(|text| out += &format!("  {text}\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        "# Load test shop/t, run 3: Passed\n\nAll held.\n\n| Run | Tasks |\n|----:|------:|\n|   1 |   600 |\n";

    fn results() -> Results {
        let json = serde_json::json!({"test": {"namespace": "shop", "name": "t", "run": 3}, "verdict": "Passed", "reason": "ThresholdsMet",
            "message": "All held.", "plan": {"hash": "h", "rows": 1, "spec": {"loads": []}},
            "rows": [{"row": 1, "verdict": "Passed", "tasksPerSecond": "10", "loads": []}]});
        Results::read(&json.to_string()).unwrap()
    }

    #[test]
    fn the_answer_and_what_it_rests_on_stand_between_the_headline_and_the_table() {
        let text = for_reading(TABLE, Some(&results()), None);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..3], ["Load test shop/t, run 3: Passed", "", "ANSWER      It did 10 tasks/s."]);
        assert_eq!(lines[3], "LIMITED BY  - (no figure that is there was at its limit)");
        assert!(lines[4].starts_with("BELIEVE     The row is valid"), "{text}");
        assert!(text.ends_with(TABLE.split_once("All held.").unwrap().1), "{text}");
    }

    #[test]
    fn long_sentences_are_wrapped_and_leave_the_table_as_it_is() {
        let text = for_reading(TABLE, Some(&results()), Some(40));
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
        assert!(text.contains("|   1 |   600 |"), "{text}");
        assert!(for_reading(TABLE, None, None).contains("| Run | Tasks |"));
    }
}
