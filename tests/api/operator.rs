//! The operator as a process of its own, watching one namespace; stopped by its id.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::cluster::Cluster;

/// A running operator.
pub struct Operator {
    process: Child,
    folder: TempDir,
}

impl Operator {
    /// Starts one for a namespace. `more` are further lines of its configuration.
    pub fn start(cluster: &Cluster, namespace: &str, more: &str) -> Self {
        Self::start_as(Path::new(&cluster.config), namespace, more)
    }

    /// Starts one as who the file `kubeconfig` says.
    pub fn start_as(kubeconfig: &Path, namespace: &str, more: &str) -> Self {
        Self::start_with(kubeconfig, namespace, more, &[])
    }

    /// Starts one that finds AWS at this endpoint.
    pub fn start_beside(cluster: &Cluster, namespace: &str, more: &str, endpoint: &str) -> Self {
        let keys = [("AWS_ACCESS_KEY_ID", "AKIACANARY"), ("AWS_SECRET_ACCESS_KEY", "canary")];
        let environment = [keys[0], keys[1], ("AWS_ENDPOINT_URL", endpoint)];
        Self::start_with(Path::new(&cluster.config), namespace, more, &environment)
    }

    /// LOADTEST_OPERATOR names another build of the program.
    fn start_with(kubeconfig: &Path, namespace: &str, more: &str, environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.yaml");
        std::fs::write(&config, format!("watchNamespaces: [{namespace}]\n{more}")).unwrap();
        let process = Command::new(
            std::env::var_os("LOADTEST_OPERATOR").unwrap_or_else(|| env!("CARGO_BIN_EXE_loadtest").into()),
        )
        .args(["controller", "--agent-image", "dev.local/operator:1", "--listen", "127.0.0.1:0", "--config"])
        .arg(&config)
        .env("KUBECONFIG", kubeconfig)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("RUST_LOG", "info")
        .envs(environment.iter().copied())
        .stdout(Stdio::null())
        .stderr(File::create(folder.path().join("log")).unwrap())
        .spawn()
        .unwrap();
        Self { process, folder }
    }

    /// All that it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// A figure of its memory in MiB: `VmRSS` is what it has now, `VmHWM` the most that it had.
    pub fn memory(&self, figure: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(figure)).expect("a figure of /proc/PID/status");
        let kib: f64 = line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap();
        kib / 1024.0
    }

    /// It still is the process that was started, and nothing in it panicked.
    pub fn assert_never_restarted(&mut self) {
        let ended = self.process.try_wait().unwrap();
        assert_eq!(ended, None, "the operator ended:\n{}", self.last_lines());
        assert!(!self.log().contains("panicked at"), "a part of the operator panicked:\n{}", self.last_lines());
    }

    fn last_lines(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the operator's last lines:\n{}", self.last_lines());
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
