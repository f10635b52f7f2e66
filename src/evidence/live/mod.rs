//! Live sources, asked from the test's own namespace: the agents' only. No error text of theirs holds a URL, a user, a
//! password, a query string or a value of a variable.

mod asked;
mod connect;
mod http;
mod literals;
mod number;
mod pages;
mod postgres;
mod secrets;
mod sessions;
mod sources;
mod sql;
mod statements;
mod tls;
mod values;
mod work;

pub use asked::{Asked, send_once};
pub use connect::{Lost, Server, Session};
pub use http::{AddressCheck, HttpSource};
pub use postgres::{PostgresSource, Seen};
pub use secrets::{Secrets, resolve};
pub use sources::{Sources, sample_step_ms};
pub use sql::{SqlSource, run_statement};
pub use values::{Value, Values};

#[cfg(test)]
mod figures_tests;
#[cfg(test)]
mod http_tests;
#[cfg(test)]
mod lies_tests;
#[cfg(test)]
mod majors_tests;
#[cfg(test)]
mod pages_tests;
#[cfg(test)]
pub mod postgres_tests;
#[cfg(test)]
pub mod test_server;
#[cfg(test)]
mod tls_tests;
