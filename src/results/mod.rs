//! PURE: records and samples in, rows, thresholds, verdict and table out. Four rooms, in the order in which a result goes through
//! them: [`gathered`], [`figures`], [`judged`], [`shown`].

pub mod figures;
pub mod gathered;
pub mod judged;
pub mod row;
pub mod row_input;
pub mod shown;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod lies;
#[cfg(test)]
mod row_tests;
