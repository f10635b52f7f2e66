//! Load tests as Kubernetes resources. `docs/architecture.md` has the map.

pub mod agents;
pub mod api;
pub mod build;
pub mod cli;
pub mod controller;
pub mod engine;
pub mod evidence;
pub mod lifecycle;
pub mod plan;
pub mod report;
pub mod results;
pub mod runtime;
