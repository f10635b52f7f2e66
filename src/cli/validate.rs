//! `loadtest validate FILE...`: what an API server and the operator would say, without either.

use std::path::PathBuf;
use std::process::ExitCode;

use super::exit;
use crate::plan::{Checked, check_documents};

/// Which files.
#[derive(clap::Args)]
pub struct Args {
    /// Manifests; `-` is standard input. Documents of other kinds are passed over.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Prints each LoadTest's plan or all of its errors.
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
                code = exit::USAGE;
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
            println!("{file}: LoadTest {} is valid: {} rows", test.name, plan.rows.len());
            for row in &plan.rows {
                let set: Vec<String> = row.set.iter().map(|s| format!("{}={}", s.name, s.value)).collect();
                println!("  row {:>2}  {}", row.number, if set.is_empty() { "-".into() } else { set.join("  ") });
            }
            exit::PASSED
        }
        Err(errors) => {
            println!("{file}: LoadTest {} has {} errors:", test.name, errors.len());
            for error in errors {
                println!("  {error}");
            }
            exit::INVALID
        }
    }
}
