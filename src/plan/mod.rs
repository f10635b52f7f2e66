//! PURE: a spec in, a validated plan out; every error at once.

mod generator_input;
mod observer_input;
#[allow(clippy::module_inception)]
mod plan;

pub use generator_input::*;
pub use observer_input::*;
pub use plan::*;
