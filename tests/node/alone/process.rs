//! An operator as a process of the test, for the scenario's namespace; ended with its value.

use std::fs::File;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::space::Space;
use crate::wait::{PATIENCE, eventually};

/// A running operator.
pub struct Operator {
    name: &'static str,
    process: Child,
    folder: TempDir,
}

impl Operator {
    /// Starts one; `more` are further arguments.
    pub fn start(space: &Space, name: &'static str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.yaml");
        std::fs::write(&config, format!("watchNamespaces: [{}]\n", space.name)).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_loadtest"))
            .args(["controller", "--agent-image", "dev.local/loadtest-operator:dev", "--listen", "127.0.0.1:0"])
            .args(["--pod-name", name, "--config"])
            .arg(&config)
            .args(more)
            .env("KUBECONFIG", &space.cluster.config)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("RUST_LOG", "info")
            .stdout(Stdio::null())
            .stderr(File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        Self { name, process, folder }
    }

    /// Starts one that takes part in an election by a Lease of the scenario's namespace.
    pub fn elected(space: &Space, name: &'static str) -> Self {
        Self::start(space, name, &["--leader-election", "--lease-name", "operator", "--lease-namespace", &space.name])
    }

    /// All that it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Waits until it logged these words.
    pub async fn says(&self, words: &str) {
        eventually(&format!("operator {} says {words:?}", self.name), PATIENCE, async || {
            let log = self.log();
            if log.contains(words) { Ok(()) } else { Err(log.lines().last().unwrap_or_default().to_owned()) }
        })
        .await;
    }

    /// Stops it where it stands (STOP), or lets it go on (CONT).
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([&format!("-{signal}"), &self.process.id().to_string()]).status();
        assert!(sent.unwrap().success(), "kill -{signal} of operator {}", self.name);
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            println!("operator {}:\n{}", self.name, lines[lines.len().saturating_sub(40)..].join("\n"));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
