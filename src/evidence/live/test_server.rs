//! A real PostgreSQL server of its own for each test, on loopback, gone when dropped.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Server;

/// A running server. Password of the superuser `postgres` and of `plain`: `canary-password`.
pub struct TestServer {
    child: Child,
    folder: tempfile::TempDir,
    pub port: u16,
    /// The program and its arguments.
    command: Vec<OsString>,
}

/// Every major whose server binaries are here: those of `dev/postgres` (or of the folder that LOADTEST_POSTGRES names), and
/// Debian's.
fn binaries() -> BTreeMap<u32, PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = variable("LOADTEST_CACHE").or_else(|| {
        let caches = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")))?;
        Some(caches.join("loadtest-operator"))
    });
    let fetched = variable("LOADTEST_POSTGRES").or_else(|| Some(cache?.join("postgres")));
    let mut found = BTreeMap::new();
    for folder in fetched.into_iter().chain([PathBuf::from("/usr/lib/postgresql")]) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let bin = entry.path().join("bin");
            let major = entry.file_name().to_str().and_then(|name| name.parse().ok());
            if let Some(major) = major.filter(|_| bin.join("initdb").exists()) {
                found.insert(major, bin);
            }
        }
    }
    found
}

impl TestServer {
    /// Starts the newest there is, with at most `max_connections` sessions, three of them for the superuser. None, with a
    /// message, when there is no server at all.
    pub fn start(max_connections: u32) -> Option<Self> {
        let Some((_, newest)) = binaries().pop_last() else {
            eprintln!("SKIPPED: no PostgreSQL server; run dev/postgres, or install the package postgresql");
            return None;
        };
        Some(Self::run(&newest, &[("max_connections", &max_connections.to_string())], &[]))
    }

    /// Starts this major with these settings; none, with a message, when it isn't here.
    pub fn of(major: u32, settings: &[(&str, &str)]) -> Option<Self> {
        let Some(found) = binaries().remove(&major) else {
            eprintln!("UNTESTED: PostgreSQL {major} is not here; dev/postgres {major} gets it");
            return None;
        };
        Some(Self::run(&found, settings, &[]))
    }

    /// Starts the newest with TLS: PEM of its certificate and key.
    pub fn with_tls(certificate: &str, key: &str) -> Option<Self> {
        let (_, newest) = binaries().pop_last()?;
        let files = [("server.crt", certificate), ("server.key", key)];
        Some(Self::run(&newest, &[("ssl", "on")], &files))
    }

    fn run(binaries: &Path, settings: &[(&str, &str)], files: &[(&str, &str)]) -> Self {
        let folder = tempfile::Builder::new().prefix("pg-test-").tempdir().expect("a folder");
        let data = folder.path().join("data");
        std::fs::write(folder.path().join("password"), "canary-password").expect("the password");
        let initdb = unprivileged(&binaries.join("initdb"))
            .args(["-A", "scram-sha-256", "-U", "postgres", "--no-sync", "--no-locale", "-E", "UTF8", "--pwfile"])
            .arg(folder.path().join("password"))
            .arg("-D")
            .arg(&data)
            .stdout(Stdio::null())
            .status();
        assert!(initdb.expect("initdb runs").success(), "initdb failed");
        for (name, text) in files {
            std::fs::write(data.join(name), text).expect("a file of the server");
            std::fs::set_permissions(data.join(name), PermissionsExt::from_mode(0o600)).expect("its mode");
        }
        let port = free_port();
        let mut server = unprivileged(&binaries.join("postgres"));
        server.arg("-D").arg(&data).args(["-h", "127.0.0.1", "-p", &port.to_string(), "-k", "", "-c", "fsync=off"]);
        for (name, value) in settings {
            server.arg("-c").arg(format!("{name}={value}"));
        }
        let command: Vec<OsString> =
            std::iter::once(server.get_program()).chain(server.get_args()).map(OsString::from).collect();
        let server = Self { child: spawn(&command), folder, port, command };
        server.wait();
        server
    }

    /// postgres://… of a user, with what may follow it.
    pub fn url(&self, user: &str, query: &str) -> String {
        format!("postgres://{user}:canary-password@127.0.0.1:{}/postgres{query}", self.port)
    }

    /// Where the observer would find it.
    pub fn server(&self, user: &str) -> Server {
        Server::from_url(&self.url(user, "")).expect("a good URL")
    }

    /// Ends it as an administrator does, and starts it again on the same data and port.
    pub fn restart(&mut self) {
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
        self.child = spawn(&self.command);
        self.wait();
    }

    /// Restarts nothing, ends it: as a crashed database looks.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Until it takes sessions: it says so in a file, after it listens.
    fn wait(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        let said = self.folder.path().join("data/postmaster.pid");
        let is_ready = || std::fs::read_to_string(&said).is_ok_and(|text| text.lines().any(|l| l.trim() == "ready"));
        while !is_ready() {
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

fn spawn(command: &[OsString]) -> Child {
    let mut server = Command::new(&command[0]);
    server.args(&command[1..]).current_dir("/").stdout(Stdio::null()).stderr(Stdio::null());
    server.spawn().expect("postgres runs")
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0)
}

/// A server refuses to run as root: root runs it in a user namespace of its own, where it is somebody else.
fn unprivileged(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-user=1000", "--map-group=1000", "--"]).arg(program).current_dir("/");
    command
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}
