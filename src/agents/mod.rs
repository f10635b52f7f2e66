//! The pods' main functions: the generator, which sends a row's load, and the observer, which samples beside it.

pub mod channel;
mod emit;
pub mod generate;
mod guard;
pub mod observe;
