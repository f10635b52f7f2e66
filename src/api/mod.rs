//! The LoadTest API, version v1alpha1. The types are the source; `crd()` is the CRD made from them.

mod crd;
mod database;
mod figures;
mod fingerprint;
mod judgement;
mod load;
mod measurement;
mod pods;
mod reason;
mod row;
mod rules;
mod run;
mod shared;
mod spec;
mod status;
mod sweep;
mod target;
mod vars;

pub use crd::{crd, crd_json};
pub use database::*;
pub use figures::*;
pub use fingerprint::*;
pub use judgement::*;
pub use load::*;
pub use measurement::*;
pub use pods::*;
pub use reason::*;
pub use row::*;
pub use run::*;
pub use shared::*;
pub use spec::*;
pub use status::*;
pub use sweep::*;
pub use target::*;
pub use vars::*;
