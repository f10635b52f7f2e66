//! The operator: watches LoadTests and takes one step after the other. With cli/, the only user of kube's client.
//!
//! A pass is a pipeline: read the LoadTest, plan, decide (reading what the decision asks for), then record or act.

pub mod clock;
pub mod config;
pub mod context;
mod counted;
mod election;
mod error;
pub mod io;
mod lease;
mod limits;
pub mod metrics;
mod operate;
mod planned;
mod read;
mod reconcile;
mod run;
mod session;
mod watched;
mod write;

pub use config::Config;
pub use operate::operate;
pub use run::{Args, run};
