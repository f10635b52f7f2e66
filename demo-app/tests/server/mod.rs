//! A PostgreSQL server for one test: its own data folder and port, ended with the test.

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// The server; stopped when dropped.
pub struct Server {
    process: Child,
    port: u16,
    _folder: TempDir,
}

/// PostgreSQL refuses to run as root; then it runs as `nobody`.
const NOBODY: u32 = 65534;

impl Server {
    /// Starts a new server and waits until it accepts connections.
    ///
    /// # Panics
    /// When no PostgreSQL server is installed (Debian: package `postgresql`), or it does not start.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = std::fs::metadata(folder.path()).expect("its owner").uid() == 0;
        if root {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).expect("to give the folder away");
        }
        let data = folder.path().join("data");
        let mut initdb = command("initdb", root, folder.path());
        let made = initdb.args(["-A", "trust", "-U", "postgres", "-N", "-D"]).arg(&data).status().expect("initdb");
        assert!(made.success(), "initdb failed");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "max_connections=30"];
        let mut postgres = command("postgres", root, folder.path());
        postgres.arg("-D").arg(&data).args(["-p", &port.to_string()]);
        let process = postgres.args(settings.iter().flat_map(|set| ["-c", set])).spawn().expect("postgres");
        let mut server = Self { process, port, _folder: folder };
        while !is_ready(&data) {
            assert!(server.process.try_wait().expect("its state").is_none(), "postgres ended at once");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// Its connection URL.
    pub fn url(&self) -> String {
        format!("postgres://postgres:secret@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's fast shutdown; SIGKILL would leave its shared memory segment behind.
        let _ = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }
}

/// Whether the server takes sessions, as pg_ctl finds it out: its port is open before that.
fn is_ready(data: &Path) -> bool {
    std::fs::read_to_string(data.join("postmaster.pid"))
        .is_ok_and(|pid| pid.lines().nth(7).is_some_and(|state| state.trim() == "ready"))
}

fn command(name: &str, root: bool, folder: &Path) -> Command {
    let mut command = Command::new(program(name));
    command.current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    if root {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// Debian keeps the server's programs out of PATH.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let mut found: Vec<PathBuf> =
        versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.exists()).collect();
    found.sort();
    found.pop().unwrap_or_else(|| PathBuf::from(name))
}
