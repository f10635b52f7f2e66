//! PURE: records and samples in, rows, thresholds, verdict and table out.

pub mod collect;
pub mod database;
pub mod decimal;
pub mod histogram;
pub mod load_figures;
pub mod measurements;
pub mod merge;
pub mod note;
pub mod record;
pub mod sample;
pub mod series;
pub mod threshold;
