//! The operator: watches LoadTests and takes one step after the other. With cli/, the only user of kube's client.
//!
//! A pass is a pipeline: read the LoadTest, plan, decide (reading what the decision asks for), then record or act.

mod apply;
mod collect;
pub mod config;
mod context;
mod error;
mod events;
mod evidence;
mod facts;
mod finish;
mod io;
mod logs;
mod observer;
mod pods;
mod preflight;
mod quota;
mod reconcile;
mod record;
mod run;
mod session;
mod standing;
mod targets;

pub use config::Config;
pub use run::{Args, run};
