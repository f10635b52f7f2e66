//! PURE: records and samples in, rows, thresholds, verdict and table out.

pub mod collect;
pub mod compact;
pub mod database;
pub mod decimal;
pub mod detail;
pub mod drain;
pub mod drift;
pub mod histogram;
pub mod instrument;
pub mod judge;
pub mod line;
pub mod load_figures;
pub mod measurements;
pub mod merge;
pub mod note;
pub mod observations;
pub mod record;
pub mod row;
pub mod row_input;
pub mod sample;
pub mod series;
pub mod server;
pub mod statements;
pub mod summary;
pub mod table;
pub mod threshold;
pub mod verdict;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod lies;
#[cfg(test)]
mod merge_tests;
#[cfg(test)]
mod row_tests;
#[cfg(test)]
mod table_tests;
