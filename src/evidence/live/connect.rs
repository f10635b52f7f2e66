//! Connections to PostgreSQL, and what can be said about one that did not come about.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::tls::{Check, client_config};

/// Longest wait for a new connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Why PostgreSQL did not answer, in words without secrets: a server's own message may quote the user or a value, so
/// only its SQLSTATE is told (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Lost {
    pub text: String,
    /// SQLSTATE 53300: the server has no connection left.
    pub refused: bool,
}

impl Lost {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), refused: false }
    }
}

impl From<tokio_postgres::Error> for Lost {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(code) = error.code() else {
            return Self::new(transport(&error));
        };
        let text = match code {
            &SqlState::TOO_MANY_CONNECTIONS => "the server has no connection left (SQLSTATE 53300)",
            &SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                "the server refused the user or the password"
            }
            &SqlState::INVALID_CATALOG_NAME => "the database does not exist",
            &SqlState::CANNOT_CONNECT_NOW => "the server is starting up or shutting down",
            &SqlState::ADMIN_SHUTDOWN | &SqlState::CRASH_SHUTDOWN => "the server ended the connection",
            &SqlState::QUERY_CANCELED => "the statement took too long",
            &SqlState::INSUFFICIENT_PRIVILEGE => "the user lacks a right for the statement (SQLSTATE 42501)",
            &SqlState::UNDEFINED_TABLE => "a table of the statement does not exist (SQLSTATE 42P01)",
            &SqlState::UNDEFINED_COLUMN => "a column of the statement does not exist (SQLSTATE 42703)",
            &SqlState::SYNTAX_ERROR => "the statement has a syntax error (SQLSTATE 42601)",
            &SqlState::READ_ONLY_SQL_TRANSACTION => "the statement writes, and measurements only read (SQLSTATE 25006)",
            code => return Self::new(format!("the server answered with SQLSTATE {}", code.code())),
        };
        Self { text: text.into(), refused: code == &SqlState::TOO_MANY_CONNECTIONS }
    }
}

fn transport(error: &tokio_postgres::Error) -> String {
    use std::error::Error;
    let io = error.source().and_then(|s| s.downcast_ref::<std::io::Error>());
    match io.map(std::io::Error::kind) {
        Some(std::io::ErrorKind::ConnectionRefused) => "the connection was refused: nothing listens there".into(),
        Some(std::io::ErrorKind::TimedOut) => "no answer in time".into(),
        Some(std::io::ErrorKind::InvalidData) => "the TLS handshake failed: the certificate is not trusted".into(),
        Some(kind) => format!("the connection failed: {kind}"),
        None if error.is_closed() => "the connection was closed".into(),
        None => "the connection failed".into(),
    }
}

/// Where a PostgreSQL server is, and how to connect. Holds the password: has no `Debug`.
#[derive(Clone)]
pub struct Server {
    config: Config,
    tls: MakeRustlsConnect,
    /// Transactions of ours on this server, all connections together.
    own: Arc<AtomicI64>,
}

impl Server {
    /// Reads postgres://user:password@host:port/database?sslmode=….
    ///
    /// sslmode as in libpq: disable, allow, prefer (default), require (encrypted, not verified; with sslrootcert as verify-ca), verify-ca, verify-full;
    /// sslrootcert names a PEM file, or `system` for the well-known authorities, which is also the default.
    ///
    /// # Errors
    /// When it is none, or asks for what is not supported; the text says which part without quoting it.
    pub fn from_url(url: &str) -> Result<Self, Lost> {
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(Lost::new("the URL in the Secret must begin with postgres://"));
        }
        let (plain, mode, ca_file) = take_ssl(url);
        let (ssl_mode, check) = match mode.as_deref().unwrap_or("prefer") {
            "disable" => (SslMode::Disable, Check::Nothing),
            "allow" | "prefer" => (SslMode::Prefer, Check::Nothing),
            "require" if ca_file.is_none() => (SslMode::Require, Check::Nothing),
            // As libpq: a root certificate is there to be used.
            "require" | "verify-ca" => (SslMode::Require, Check::Authority),
            "verify-full" => (SslMode::Require, Check::AuthorityAndName),
            _ => {
                return Err(Lost::new(
                    "sslmode in the URL must be disable, allow, prefer, require, verify-ca or verify-full",
                ));
            }
        };
        let invalid =
            |_| Lost::new("the URL in the Secret cannot be read; write postgres://user:password@host:port/database");
        let mut config: Config = plain.parse().map_err(invalid)?;
        if config.get_hosts().is_empty() {
            return Err(Lost::new("the URL in the Secret names no host"));
        }
        config.ssl_mode(ssl_mode).connect_timeout(CONNECT_TIMEOUT);
        let ca_file = ca_file.filter(|f| f != "system");
        let tls = MakeRustlsConnect::new(client_config(check, ca_file.as_deref(), None).map_err(Lost::new)?);
        Ok(Self { config, tls, own: Arc::default() })
    }

    /// A new connection that calls itself `application`; its statements end after `statement_timeout`.
    ///
    /// # Errors
    /// Why none came about within [`CONNECT_TIMEOUT`].
    pub async fn connect(&self, application: &str, statement_timeout: Duration) -> Result<Session, Lost> {
        let mut config = self.config.clone();
        config.application_name(application);
        let open = async {
            let (client, connection) = config.connect(self.tls.clone()).await?;
            // Its errors also end the client's calls, which report them.
            let connection = tokio::spawn(async move { drop(connection.await) });
            let session = Session { client, connection, own: self.own.clone() };
            // To open a session is a transaction of the server, too.
            self.own.fetch_add(1, Ordering::Relaxed);
            let set = format!("SET statement_timeout = {}", statement_timeout.as_millis());
            session.transaction().batch_execute(&set).await?;
            Ok(session)
        };
        timeout(CONNECT_TIMEOUT, open).await.unwrap_or_else(|_| Err(Lost::new("no connection within 5 s")))
    }

    /// Opens and closes a connection: milliseconds until it was ready for queries.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn probe(&self, application: &str) -> Result<f64, Lost> {
        let mut config = self.config.clone();
        config.application_name(application);
        let began = tokio::time::Instant::now();
        let opened = timeout(CONNECT_TIMEOUT, config.connect(self.tls.clone())).await;
        let (client, connection) = opened.map_err(|_| Lost::new("no connection within 5 s"))??;
        let took = began.elapsed().as_secs_f64() * 1000.0;
        self.own.fetch_add(1, Ordering::Relaxed);
        drop(client);
        // Says goodbye; a server that doesn't take it must not hold us up.
        let _ = timeout(Duration::from_secs(1), connection).await;
        Ok(took)
    }
}

/// An open connection, closed when dropped.
pub struct Session {
    client: Client,
    connection: JoinHandle<()>,
    own: Arc<AtomicI64>,
}

impl Session {
    /// The client, for one more transaction of ours.
    pub(super) fn transaction(&self) -> &Client {
        self.own.fetch_add(1, Ordering::Relaxed);
        &self.client
    }

    /// The same, where it must be borrowed alone.
    pub(super) fn transaction_mut(&mut self) -> &mut Client {
        self.own.fetch_add(1, Ordering::Relaxed);
        &mut self.client
    }

    /// Transactions of ours on this server until now, those of all our sessions.
    pub(super) fn own_transactions(&self) -> i64 {
        self.own.load(Ordering::Relaxed)
    }

    /// True when it can't be used any more.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed() || self.connection.is_finished()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// The URL without sslmode and sslrootcert, which the driver doesn't know in full, and those two.
fn take_ssl(url: &str) -> (String, Option<String>, Option<String>) {
    // A password may hold a question mark; the driver looks for the query after the first @ as well.
    let after_user = url.find('@').unwrap_or(0);
    let Some(at) = url[after_user..].find('?').map(|q| after_user + q) else {
        return (url.into(), None, None);
    };
    let (mut mode, mut ca_file) = (None, None);
    let mut others = Vec::new();
    for pair in url[at + 1..].split('&').filter(|p| !p.is_empty()) {
        let decoded = url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned());
        match pair.split('=').next() {
            Some("sslmode") => mode = decoded,
            Some("sslrootcert") => ca_file = decoded,
            _ => others.push(pair),
        }
    }
    let query = if others.is_empty() { String::new() } else { format!("?{}", others.join("&")) };
    (format!("{}{query}", &url[..at]), mode, ca_file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_of_libpq_that_the_driver_lacks_are_taken_out() {
        let (url, mode, ca) =
            take_ssl("postgres://u:p?x@h/d?sslmode=verify-full&connect_timeout=3&sslrootcert=%2Fca.pem");
        assert_eq!(url, "postgres://u:p?x@h/d?connect_timeout=3");
        assert_eq!((mode.as_deref(), ca.as_deref()), (Some("verify-full"), Some("/ca.pem")));
        assert_eq!(take_ssl("postgres://u@h/d"), ("postgres://u@h/d".into(), None, None));
    }

    #[test]
    fn every_sslmode_of_libpq_is_understood() {
        for mode in ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] {
            assert!(Server::from_url(&format!("postgres://u:p@h/d?sslmode={mode}")).is_ok(), "{mode}");
        }
    }

    #[test]
    fn a_wrong_url_is_refused_without_quoting_it() {
        let wrong = [
            "mysql://canary:canary@h/d",
            "host=h password=canary",
            "postgres://canary:canary@h:canary/d",
            "postgres://u:canary@h/d?sslmode=canary",
            "postgres://u:canary@/d",
            "postgres://u:canary@h/d?canary=1",
        ];
        for url in wrong {
            let error = Server::from_url(url).err().unwrap_or_else(|| panic!("{url} was accepted"));
            assert!(!error.text.contains("canary"), "{error}");
        }
    }
}
