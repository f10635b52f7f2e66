//! PURE: records and samples in, rows, thresholds, verdict and table out.

pub mod record;
pub mod sample;
