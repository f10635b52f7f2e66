//! Load tests as Kubernetes resources. `docs/architecture.md` has the map.

pub mod api;
pub mod plan;
pub mod results;
