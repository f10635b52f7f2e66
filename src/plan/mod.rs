//! PURE: a spec in, a validated plan out; every error at once.

mod act_input;
mod action_rules;
mod axis;
#[cfg(feature = "operator")]
mod documents;
mod field_error;
mod flow;
mod generator_input;
mod hash;
mod inputs;
mod journey_rules;
mod metric_rules;
mod observer_input;
mod pattern;
mod places;
#[allow(clippy::module_inception)]
mod plan;
mod pod_fields;
mod schedule;
mod step_input;
mod unfold;
mod url_rules;
mod validate;
mod variables;
mod worst_case;

#[cfg(test)]
mod tests;

pub use act_input::*;
#[cfg(feature = "operator")]
pub use documents::{Checked, check, check_documents};
pub use field_error::FieldError;
pub use flow::{Flow, Walk};
pub use generator_input::*;
pub use hash::{HASH_VERSION, hash};
pub use inputs::*;
pub use observer_input::*;
pub use pattern::pattern;
pub use plan::*;
pub use schedule::{Act, MAX_ACTS, Random, act_part, acts, run_acts, windows};
pub use step_input::*;
pub use unfold::MAX_ROWS;
pub use url_rules::{Destination, destination, is_allowed};
pub use validate::plan;
pub use variables::{Piece, names, pieces};
pub use worst_case::{least_seconds, worst_case_seconds};
