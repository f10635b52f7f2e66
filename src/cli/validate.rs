//! `loadtest validate FILE...`: what an API server and the operator would say, without either.

use std::path::PathBuf;
use std::process::ExitCode;

use super::exit;
use super::percentiles::out_of_reach;
use crate::plan::{Checked, Plan, check_documents};
use crate::results::judged::threshold::is_late;

/// Which files.
#[derive(clap::Args)]
pub struct Args {
    /// Manifests; `-` is standard input. Documents of other kinds are passed over.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Prints each LoadTest's plan or all of its errors. Ends with the largest code of its files: 0 valid, 2 not read or without
/// a LoadTest, 3 not valid.
pub fn run(args: &Args) -> ExitCode {
    let mut code = exit::PASSED;
    for file in &args.files {
        let name = file.display();
        let text = if file.as_os_str() == "-" {
            std::io::read_to_string(std::io::stdin())
        } else {
            std::fs::read_to_string(file)
        };
        let text = match text {
            Ok(text) => text,
            Err(error) => {
                eprintln!("{name}: {error}");
                code = code.max(exit::USAGE);
                continue;
            }
        };
        let tests = check_documents(&text);
        if tests.is_empty() {
            eprintln!("{name}: no LoadTest in it");
            code = code.max(exit::USAGE);
        }
        for test in tests {
            code = code.max(report(&name.to_string(), &test));
        }
    }
    ExitCode::from(code)
}

fn report(file: &str, test: &Checked) -> u8 {
    match &test.plan {
        Ok(plan) => {
            println!("{file}: LoadTest {} is valid: {}", test.name, counted(plan.rows.len(), "row"));
            for row in &plan.rows {
                let set: Vec<String> = row.set.iter().map(|s| format!("{}={}", s.name, s.value)).collect();
                println!("  row {:>2}  {}", row.number, if set.is_empty() { "-".into() } else { set.join("  ") });
            }
            short_rows(plan).iter().chain(&out_of_reach(plan)).for_each(|note| println!("  note: {note}"));
            exit::PASSED
        }
        Err(errors) => {
            println!("{file}: LoadTest {} has {}:", test.name, counted(errors.len(), "error"));
            for error in errors {
                println!("  {error}");
            }
            exit::INVALID
        }
    }
}

fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// Seconds that hold two whole minutes wherever they begin.
const TWO_WHOLE_MINUTES: i32 = 180;

/// The thresholds on figures of CloudWatch, when there are rows that may be too short to be judged by them.
fn short_rows(plan: &Plan) -> Vec<String> {
    let long = |row: &&crate::plan::PlannedRow| {
        row.loads.iter().any(|load| load.duration_seconds.is_some_and(|seconds| seconds >= TWO_WHOLE_MINUTES))
    };
    let short = plan.rows.iter().filter(|row| !long(row)).count();
    let late = plan.spec.thresholds.iter().enumerate().filter(|(_, threshold)| short > 0 && is_late(&threshold.metric));
    late.map(|(index, threshold)| {
        format!(
            "spec.thresholds[{index}]: {short} of {} may be too short for {}: CloudWatch speaks for a row with two whole minutes in \
             it, as any durationSeconds of {TWO_WHOLE_MINUTES} has; where no row has, the whole test is judged, once",
            counted(plan.rows.len(), "row"),
            threshold.metric
        )
    })
    .collect()
}
