//! Load: when it is due, how it is sent, what came back. Knows no Kubernetes.
//!
//! A load is armed ([`Armed::arm`]: texts checked, host looked up and pinned), then run once ([`Armed::run`]) from a
//! given instant to its end.

pub mod address;
mod alarm;
mod bound;
mod breaker;
mod closed;
mod connection;
mod connector;
mod counts;
mod descriptors;
pub mod failure;
#[cfg(test)]
mod fixture;
mod jar;
mod lane;
mod load;
mod open;
#[cfg(test)]
mod peers;
mod reader;
pub mod recorder;
mod request;
pub mod resolve;
pub mod schedule;
#[cfg(test)]
pub(crate) mod scripted;
mod snapshot;
mod statuses;
mod stop;
mod stream;
pub mod template;
#[cfg(test)]
mod tests;
mod timeline;
mod timer;
pub mod tls;
mod worker;

pub use breaker::Breaker;
pub use load::{ArmError, Armed, Start};
pub use snapshot::Snapshot;
pub use stop::{Stop, StopSwitch, stop_switch};
