//! PURE: Kubernetes objects that the controller fetched in, small values out.

pub mod demand;
pub mod log_reach;
pub mod log_tally;
pub mod logs;
pub mod memory;
pub mod metrics;
pub mod pods;
pub mod quota;
pub mod rollout;
pub mod route;
pub mod target;
