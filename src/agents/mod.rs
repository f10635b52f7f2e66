//! The pods' main functions: the generator, which sends a row's load, and the observer, which samples beside it;
//! and both in one process, without a cluster.

pub mod channel;
pub mod emit;
mod fire;
pub mod generate;
mod guard;
pub mod local;
pub mod observe;
mod refusal;
mod sampling;

pub use refusal::Refusal;
