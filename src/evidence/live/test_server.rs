//! A real PostgreSQL server of its own for each test, on loopback, gone when dropped.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Server;

/// A running server. Password of the superuser `postgres` and of `plain`: `canary-password`.
pub struct TestServer {
    child: Child,
    folder: tempfile::TempDir,
    pub port: u16,
}

/// The newest server binaries that are installed; none, with a message, when there are none.
fn binaries() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let version = path.file_name()?.to_str()?.parse().ok()?;
            path.join("bin/initdb").exists().then(|| (version, path.join("bin")))
        })
        .collect();
    found.sort();
    if found.is_empty() {
        eprintln!("SKIPPED: no PostgreSQL server under /usr/lib/postgresql; install the package postgresql");
    }
    found.pop().map(|(_, path)| path)
}

impl TestServer {
    /// Starts one with at most `max_connections` sessions, three of them for the superuser.
    pub fn start(max_connections: u32) -> Option<Self> {
        let binaries = binaries()?;
        let folder = tempfile::Builder::new().prefix("pg-test-").tempdir().expect("a folder");
        let data = folder.path().join("data");
        std::fs::write(folder.path().join("password"), "canary-password").expect("the password");
        give_away(folder.path());
        let initdb = as_postgres(&binaries.join("initdb"))
            .args(["-A", "scram-sha-256", "-U", "postgres", "--no-sync", "--pwfile"])
            .arg(folder.path().join("password"))
            .arg("-D")
            .arg(&data)
            .stdout(Stdio::null())
            .status();
        assert!(initdb.expect("initdb runs").success(), "initdb failed");
        let port = free_port();
        let child = as_postgres(&binaries.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-k", ""])
            .args(["-c", &format!("max_connections={max_connections}"), "-c", "fsync=off"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("postgres runs");
        let server = Self { child, folder, port };
        server.wait();
        Some(server)
    }

    /// postgres://… of a user, with what may follow it.
    pub fn url(&self, user: &str, query: &str) -> String {
        format!("postgres://{user}:canary-password@127.0.0.1:{}/postgres{query}", self.port)
    }

    /// Where the observer would find it.
    pub fn server(&self, user: &str) -> Server {
        Server::from_url(&self.url(user, "")).expect("a good URL")
    }

    /// Restarts nothing, ends it: as a crashed database looks.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn wait(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "the server did not start; folder {}", self.folder.path().display());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        // SIGINT is PostgreSQL's fast shutdown; its children end with it.
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0)
}

/// A server refuses to run as root, so root runs it as the user postgres of the package.
fn as_postgres(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program).current_dir("/");
    command
}

fn give_away(folder: &Path) {
    if is_root() {
        let owned = Command::new("chown").arg("-R").arg("postgres:postgres").arg(folder).status();
        assert!(owned.expect("chown runs").success());
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}
