//! Load: when it is due, how it is sent, what came back. Knows no Kubernetes.
//!
//! A load is armed ([`Armed::arm`]: texts checked, host looked up and pinned), then run once ([`Armed::run`]) from a
//! given instant to its end. Three rooms: [`pace`] says when, [`http`] sends and reads, [`measure`] keeps what came back.

mod breaker;
mod descriptors;
#[cfg(test)]
mod disturbed_tests;
#[cfg(test)]
mod endings_tests;
#[cfg(test)]
mod fixture;
pub mod http;
#[cfg(test)]
mod journey_tests;
mod load;
pub mod measure;
pub mod pace;
#[cfg(test)]
mod peers;
#[cfg(test)]
pub(crate) mod scripted;
#[cfg(test)]
mod tests;

pub use breaker::Breaker;
pub use load::{ArmError, Armed, Start};
pub use measure::snapshot::Snapshot;
pub use pace::stop::{Stop, StopSwitch, stop_switch};
