//! The parts of the demo application, as a library so that its tests can start them in their own process.

pub mod api;
pub mod database;
pub mod journeys;
pub mod shutdown;
pub mod task;
pub mod worker;

/// Why the application could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection URL is not one (its text is never shown, because it holds the password).
    #[error("DATABASE_URL is not a PostgreSQL connection URL; write postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
    DatabaseUrl,
    /// No connection pool could be made.
    #[error("the connection pool could not be made: {0}")]
    Pool(#[from] deadpool_postgres::BuildError),
    /// The database did not answer in time.
    #[error("no answer from the database for {seconds} s: {cause}")]
    DatabaseAway {
        /// How long it was tried, in seconds.
        seconds: u64,
        /// The last error.
        cause: String,
    },
    /// The socket could not be opened or served, or signals not be caught.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
