//! The instruction count beside its bound.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::compare::instructions_of;
use crate::tool::Tool;

/// A bound.
#[derive(clap::Args)]
pub struct Args {
    /// Most instructions that a request may take in user mode.
    #[arg(long)]
    bound: u64,
}

/// Counts, and says so in the last line.
///
/// # Errors
/// It can't be counted, or is above the bound.
pub fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let program = std::env::current_exe()?.display().to_string();
    let server = Server::start(&program)?;
    let count = instructions_of(Tool::Ours, &program, &server.url)?.ceil() as u64;
    println!("instructions a request: {count} (bound {})", args.bound);
    if count > args.bound { Err("the engine takes more instructions a request than its bound".into()) } else { Ok(()) }
}

/// This program as a server, until it is dropped.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(program: &str) -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(program).arg("serve").stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut url = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut url)?;
        }
        Ok(Self { process, url: url.trim().into() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
