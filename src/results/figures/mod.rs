//! The figures of a row, each made from what was gathered; and what they say about the instrument.

pub mod database;
pub mod decimal;
pub mod drain;
pub mod drift;
pub mod instrument;
pub mod load_figures;
pub mod measurements;
pub mod note;
pub mod observations;
pub mod rate;
pub mod server;
mod timed;
