//! Where the figures come from: one file a source. `aws` is the controller's only, `live` the agents' only, and
//! `cluster` is a pure reading of what the controller fetched.

pub mod aws;
pub mod cluster;
pub mod live;
