//! One iteration of a load, as its schedule has it.

use crate::engine::http::template::Numbers;
use crate::engine::measure::elapsed::Elapsed;

/// One iteration that is to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Iteration {
    pub numbers: Numbers,
    /// From the load's start.
    pub due: Elapsed,
    /// It was due in the warm-up.
    pub warmup: bool,
    /// Of a rate: which of this generator's iterations it is.
    pub number: Option<u64>,
}
