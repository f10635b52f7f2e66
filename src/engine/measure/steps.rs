//! PURE: what one step of a load did.

use std::collections::BTreeMap;

use super::counts::Fine;
use crate::engine::http::failure::Failure;
use crate::plan::{Flow, StepInput};
use crate::results::gathered::histogram;
use crate::results::gathered::record::{PlaceRecord, StepCounts, StepRecord, add_each};

/// Most pairs of class and turn that a step tells apart; further ones are in the step's failures only.
const MOST_PLACES: usize = 200;

/// The counts of one step.
#[derive(Clone)]
pub struct StepTally {
    name: String,
    /// How often it is sent in an iteration.
    each: u64,
    /// Its answers are the load's latency: every step's, or of a load with items those of the items.
    timed: bool,
    /// Each of its answers is an item.
    pub is_item: bool,
    pub sent: u64,
    pub ok: u64,
    failures: BTreeMap<Failure, u64>,
    /// Failures of a step that is sent several times, by class and turn.
    places: BTreeMap<(Failure, u32), u64>,
    service: Fine,
}

impl StepTally {
    /// For the steps of a load.
    pub fn of(steps: &[StepInput]) -> Vec<Self> {
        let flow = Flow::new(steps);
        let items = steps.iter().any(|step| step.until.is_some());
        let own = |(position, step): (usize, &StepInput)| Self {
            name: step.name.clone(),
            each: flow.each(position),
            timed: !items || step.until.is_some(),
            is_item: step.until.is_some(),
            sent: 0,
            ok: 0,
            failures: BTreeMap::new(),
            places: BTreeMap::new(),
            service: Fine::default(),
        };
        steps.iter().enumerate().map(own).collect()
    }

    /// Whether its answers are the load's latency.
    #[inline]
    pub fn is_timed(&self) -> bool {
        self.timed
    }

    /// A good answer came, so many microseconds after the request was sent.
    #[inline]
    pub fn answered(&mut self, service: u64) {
        self.ok += 1;
        self.service.record(service);
    }

    /// A request failed, the so-manieth of its iteration.
    pub fn failed(&mut self, failure: Failure, turn: u32) {
        *self.failures.entry(failure).or_default() += 1;
        if self.each > 1 && (self.places.len() < MOST_PLACES || self.places.contains_key(&(failure, turn))) {
            *self.places.entry((failure, turn)).or_default() += 1;
        }
    }

    /// Failed so far.
    pub fn failures(&self) -> u64 {
        self.failures.values().sum()
    }

    /// Microseconds from sent to answered.
    pub fn service(&self) -> &Fine {
        &self.service
    }

    /// Adds what another one of the same step counted.
    pub fn merge(&mut self, other: &Self) {
        self.sent += other.sent;
        self.ok += other.ok;
        add_each(&mut self.failures, &other.failures);
        add_each(&mut self.places, &other.places);
        self.service.add(&other.service);
    }

    /// As it is written down.
    pub fn finish(&self) -> StepRecord {
        let place = |((failure, turn), count): (&(Failure, u32), &u64)| PlaceRecord {
            class: failure.to_string(),
            turn: *turn,
            count: *count,
        };
        let counts = StepCounts {
            name: self.name.clone(),
            sent: self.sent,
            ok: self.ok,
            failed: self.failures(),
            failures: named(&self.failures),
            each: self.each,
            places: self.places.iter().map(place).take(MOST_PLACES).collect(),
        };
        StepRecord { counts, service: histogram::encode(&self.service.histogram()) }
    }
}

/// Failures by the texts of their classes.
pub fn named(failures: &BTreeMap<Failure, u64>) -> BTreeMap<String, u64> {
    failures.iter().map(|(failure, count)| (failure.to_string(), *count)).collect()
}
