//! Load tests as Kubernetes resources. `docs/architecture.md` has the map.
//!
//! Without the feature `operator` the engine is built alone, with what it stands on: for the benchmarks.

#[cfg(feature = "operator")]
pub mod agents;
pub mod api;
#[cfg(feature = "operator")]
pub mod build;
#[cfg(feature = "operator")]
pub mod cli;
#[cfg(feature = "operator")]
pub mod controller;
pub mod engine;
#[cfg(feature = "operator")]
pub mod evidence;
#[cfg(feature = "operator")]
pub mod lifecycle;
pub mod plan;
#[cfg(feature = "operator")]
pub mod report;
pub mod results;
#[cfg(feature = "operator")]
pub mod runtime;
