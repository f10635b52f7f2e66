//! What every process has: a server for probes, logs, an orderly end.

pub mod health;
pub mod process;
pub mod server;
pub mod shutdown;
pub mod telemetry;

use std::sync::LazyLock;

/// Version and, where it is known, commit of this binary.
pub fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| match option_env!("LOADTEST_COMMIT") {
        Some(commit) => format!("{}+{commit}", env!("CARGO_PKG_VERSION")),
        None => env!("CARGO_PKG_VERSION").to_owned(),
    });
    &VERSION
}
