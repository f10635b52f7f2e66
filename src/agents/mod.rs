//! The pods' main functions: the generator, which sends a row's load, the observer, which samples beside it, and the act, which
//! runs a statement or sends a request; and the first two in one process, without a cluster.

pub mod act;
pub mod channel;
pub mod emit;
mod fire;
pub mod generate;
mod guard;
pub mod local;
pub mod observe;
mod plan_file;
mod refusal;
mod sampling;

pub use refusal::Refusal;
