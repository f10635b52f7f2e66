//! PURE: which generator sends what, and when it is due.
//!
//! Invariants, each tested over all shares of a load:
//! - The union of the shares is the whole load: nothing is lost, nothing is sent by two generators.
//! - Never more than planned, whatever the clock says.
//! - Nothing is released before it is due; iteration k of a rate is due at k * per / count seconds, rounded up to the
//!   nanosecond from the exact fraction, so that it never drifts.
//! - `$(seq)` and `$(client)` are unique in the row, over all loads and generators.
//! - What is due before the warm-up's end is warm-up, everything else counts.

use std::time::Duration;

use crate::engine::measure::elapsed::Elapsed;
use crate::plan::{Arrivals, LoadInput};

const NANOS: u128 = 1_000_000_000;
/// Iterations a second that one thread sends with ease, handshakes included.
const RATE_OF_A_LANE: u32 = 500;

/// One generator's part of one load, and where its numbers begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Which of the load's generators, from 0.
    pub generator: u32,
    /// Generators of the load.
    pub generators: u32,
    /// Which of the row's loads, from 0.
    pub load: u32,
    /// Loads of the row.
    pub loads: u32,
    /// Clients of the loads before this one.
    pub first_client: u64,
}

impl Share {
    /// The load (its position) and the share of a completion index; `None` when there are fewer generators.
    pub fn of_index(loads: &[LoadInput], index: u32) -> Option<(usize, Self)> {
        let mut first = 0u32;
        for (position, load) in loads.iter().enumerate() {
            let generators = load.generators.max(1);
            if index - first < generators {
                return Some((position, Self { generator: index - first, generators, ..Self::whole(loads, position) }));
            }
            first = first.checked_add(generators)?;
        }
        None
    }

    /// The whole of the load at `position`, for a process that sends all loads itself.
    pub fn whole(loads: &[LoadInput], position: usize) -> Self {
        Self {
            generator: 0,
            generators: 1,
            load: position as u32,
            loads: loads.len() as u32,
            first_client: loads.iter().take(position).map(|load| u64::from(clients(load))).sum(),
        }
    }

    /// This generator's part of `total` things in a row: the first one and how many.
    fn part(&self, total: u32) -> (u32, u32) {
        let (share, rest) = (total / self.generators, total % self.generators);
        (self.generator * share + self.generator.min(rest), share + u32::from(self.generator < rest))
    }

    /// The row's number of the load's iteration `number`.
    fn seq(&self, number: u64) -> u64 {
        number * u64::from(self.loads) + u64::from(self.load)
    }
}

/// Clients of a load: those it names, or as many as may wait for an answer at once.
fn clients(load: &LoadInput) -> u32 {
    match load.arrivals {
        Arrivals::Iterations { clients, .. } | Arrivals::Seconds { clients, .. } => clients,
        Arrivals::Rate { max_in_flight, .. } => max_in_flight,
    }
}

/// The share of a closed load: clients that each go round by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    share: Share,
    all_clients: u32,
    first: u32,
    /// Clients of this generator.
    pub clients: u32,
    /// Iterations of each client; `None`: until [`Closed::end`].
    pub iterations: Option<u64>,
    /// No iteration is due at or after this, from the start.
    pub end: Option<Elapsed>,
    /// Iterations due before this are warm-up.
    pub warmup: Elapsed,
}

impl Closed {
    /// `$(client)` of this generator's client `client`, from 0.
    pub fn client(&self, client: u32) -> u64 {
        self.share.first_client + u64::from(self.first + client)
    }

    /// `$(seq)` of iteration `iteration` of this generator's client `client`, both from 0.
    pub fn seq(&self, client: u32, iteration: u64) -> u64 {
        self.share.seq(iteration * u64::from(self.all_clients) + u64::from(self.first + client))
    }

    /// Whether a client may begin its iteration `iteration`, due so long after the start.
    pub fn begins(&self, iteration: u64, due: Elapsed) -> bool {
        self.iterations.is_none_or(|most| iteration < most) && self.end.is_none_or(|end| due < end)
    }
}

/// The share of a rate: every n-th iteration of the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    share: Share,
    count: u32,
    per_seconds: u32,
    /// Iterations of the whole load.
    all: u64,
    first_slot: u32,
    /// Iterations of this generator that may be open at once.
    pub slots: u32,
    /// Iterations due before this are warm-up.
    pub warmup: Elapsed,
}

impl Open {
    /// Iterations of this generator, warm-up included.
    pub fn total(&self) -> u64 {
        self.own(self.all)
    }

    /// Iterations of this generator that are due in the warm-up.
    pub fn warmup_total(&self) -> u64 {
        self.warmup.nanos().checked_sub(1).map_or(0, |last| self.released(Elapsed::from_nanos(last)))
    }

    /// When this generator's iteration `i` is due, from the start.
    pub fn due(&self, i: u64) -> Elapsed {
        let nanos =
            (u128::from(self.number(i)) * u128::from(self.per_seconds) * NANOS).div_ceil(u128::from(self.count));
        Elapsed::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// How many of this generator's iterations are due so long after the start; never more than [`Open::total`].
    pub fn released(&self, elapsed: Elapsed) -> u64 {
        let due = u128::from(elapsed.nanos()) * u128::from(self.count) / (u128::from(self.per_seconds) * NANOS) + 1;
        self.own(u64::try_from(due).unwrap_or(u64::MAX).min(self.all))
    }

    /// `$(seq)` of this generator's iteration `i`.
    pub fn seq(&self, i: u64) -> u64 {
        self.share.seq(self.number(i))
    }

    /// `$(client)`: the place of an open iteration among all that may be open at once.
    pub fn client(&self, slot: u32) -> u64 {
        self.share.first_client + u64::from(self.first_slot + slot)
    }

    /// Every n-th iteration of this generator, for one of its `lanes` threads: the same rule by which the generators
    /// share the load.
    pub fn lane(self, lane: u32, lanes: u32) -> Self {
        let generator = self.share.generator + self.share.generators * lane;
        Self { share: Share { generator, generators: self.share.generators * lanes, ..self.share }, ..self }
    }

    /// The load's number of this generator's iteration `i`.
    fn number(&self, i: u64) -> u64 {
        i * u64::from(self.share.generators) + u64::from(self.share.generator)
    }

    /// How many of the load's first `all` iterations are this generator's.
    fn own(&self, all: u64) -> u64 {
        all.saturating_sub(u64::from(self.share.generator)).div_ceil(u64::from(self.share.generators))
    }
}

/// One generator's share of a load, with its times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    Closed(Closed),
    Open(Open),
}

impl Schedule {
    /// The share of `load`.
    pub fn new(load: &LoadInput, share: Share) -> Self {
        let warmup = Elapsed::from(Duration::from_secs(u64::from(load.warmup_seconds)));
        let closed = |clients, iterations, seconds: Option<u32>, warmup| {
            let (first, own) = share.part(clients);
            let end = seconds.map(|seconds| warmup + Duration::from_secs(u64::from(seconds)));
            Self::Closed(Closed { share, all_clients: clients, first, clients: own, iterations, end, warmup })
        };
        match load.arrivals {
            // A warm-up needs a duration: every iteration counts here.
            Arrivals::Iterations { clients, iterations_per_client } => {
                closed(clients, Some(iterations_per_client), None, Elapsed::ZERO)
            }
            Arrivals::Seconds { clients, seconds } => closed(clients, None, Some(seconds), warmup),
            Arrivals::Rate { count, per_seconds, seconds, max_in_flight } => {
                let whole = u64::from(load.warmup_seconds) + u64::from(seconds);
                let all = (u128::from(whole) * u128::from(count)).div_ceil(u128::from(per_seconds.max(1))) as u64;
                let (first_slot, slots) = share.part(max_in_flight);
                // A generator without any place could send nothing.
                let slots = slots.max(1);
                Self::Open(Open {
                    share,
                    count: count.max(1),
                    per_seconds: per_seconds.max(1),
                    all: if count == 0 { 0 } else { all },
                    first_slot,
                    slots,
                    warmup,
                })
            }
        }
    }

    /// Connections that may be open at once.
    pub fn connections(&self) -> u32 {
        match self {
            Self::Closed(closed) => closed.clients,
            Self::Open(open) => open.slots,
        }
    }

    /// Threads that share it on a machine of so many cores. At a small rate one core is idle most of the time, and a
    /// second one would only open more connections.
    pub fn lanes(&self, cores: u32) -> u32 {
        let most = match self {
            Self::Closed(closed) => closed.clients,
            Self::Open(open) => open.slots.min(1 + open.count / open.per_seconds / RATE_OF_A_LANE),
        };
        most.min(cores).max(1)
    }

    /// What is due before this, from the start, is warm-up.
    pub fn warmup(&self) -> Elapsed {
        match self {
            Self::Closed(closed) => closed.warmup,
            Self::Open(open) => open.warmup,
        }
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
