//! PURE: what happened when, in at most 600 buckets whose length doubles when the time goes on.
//!
//! All generators of a load begin their first bucket at the same instant and double from the same length, so that
//! their timelines can be laid on each other.

use super::counts::Coarse;
use super::elapsed::Elapsed;
use crate::results::gathered::histogram::Micros;
use crate::results::gathered::record::{Bucket, Timeline};

const MOST_BUCKETS: usize = 600;
/// Nanoseconds.
const FIRST_LENGTH: u64 = 100_000_000;
/// Samples that a median and a 99th percentile need.
const ENOUGH_FOR_P50: u64 = 7;
const ENOUGH_FOR_P99: u64 = 459;

/// Counts of a stretch of time, being made.
#[derive(Clone, Debug)]
pub struct Buckets {
    /// Nanoseconds.
    length: u64,
    buckets: Vec<Open>,
    /// The bucket that was used last, because the next event is most often its own too.
    last: Last,
}

/// A bucket's position and time, nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    index: usize,
    from: u64,
    to: u64,
}

#[derive(Clone, Debug, Default)]
struct Open {
    due: u32,
    sent: u32,
    ok: u32,
    failed: u32,
    latency: Coarse,
}

impl Last {
    fn holds(&self, time: u64) -> bool {
        (self.from..self.to).contains(&time)
    }
}

impl Default for Buckets {
    fn default() -> Self {
        Self { length: FIRST_LENGTH, buckets: Vec::new(), last: Last::default() }
    }
}

impl Buckets {
    /// A request was due at `due` and sent at `sent`, both from the first bucket's beginning.
    pub fn sent(&mut self, due: Elapsed, sent: Elapsed) {
        let bucket = self.at(due);
        bucket.due += 1;
        if self.last.holds(sent.nanos()) {
            self.buckets[self.last.index].sent += 1;
        } else {
            self.at(sent).sent += 1;
        }
    }

    /// So many requests were due and were not sent.
    pub fn due(&mut self, due: Elapsed, requests: u64) {
        let bucket = self.at(due);
        bucket.due = bucket.due.saturating_add(u32::try_from(requests).unwrap_or(u32::MAX));
    }

    /// A good answer came at `end` whose time is not the load's latency.
    pub fn untimed(&mut self, end: Elapsed) {
        self.at(end).ok += 1;
    }

    /// A good answer came at `end`, so many microseconds after it was due.
    pub fn ok(&mut self, end: Elapsed, latency_micros: u64) {
        let bucket = self.at(end);
        bucket.ok += 1;
        bucket.latency.record(latency_micros);
    }

    /// A request failed at `end`.
    pub fn failed(&mut self, end: Elapsed) {
        self.at(end).failed += 1;
    }

    /// As it is written down; `start_ms` is the first bucket's beginning, milliseconds since the epoch.
    pub fn finish(&self, start_ms: i64) -> Timeline {
        Timeline {
            start_ms,
            bucket_ms: u32::try_from(self.length / 1_000_000).unwrap_or(u32::MAX),
            buckets: self.buckets.iter().map(Open::finish).collect(),
        }
    }

    /// Adds what another timeline with the same beginning counted.
    pub fn merge(&mut self, other: &Self) {
        let mut other = other.clone();
        while other.length < self.length {
            other.double();
        }
        while self.length < other.length {
            self.double();
        }
        if self.buckets.len() < other.buckets.len() {
            self.buckets.resize_with(other.buckets.len(), Open::default);
        }
        self.buckets.iter_mut().zip(other.buckets).for_each(|(ours, theirs)| ours.add(theirs));
    }

    fn at(&mut self, time: Elapsed) -> &mut Open {
        let time = time.nanos();
        if !self.last.holds(time) {
            self.find(time);
        }
        &mut self.buckets[self.last.index]
    }

    /// Goes to the bucket of an instant, making room for it.
    fn find(&mut self, time: u64) {
        let mut index = (time / self.length) as usize;
        while index >= MOST_BUCKETS {
            self.double();
            index /= 2;
        }
        if self.buckets.len() <= index {
            self.buckets.resize_with(index + 1, Open::default);
        }
        let length = self.length;
        self.last = Last { index, from: index as u64 * length, to: (index as u64 + 1).saturating_mul(length) };
    }

    fn double(&mut self) {
        self.length *= 2;
        self.last = Last::default();
        let mut halves = std::mem::take(&mut self.buckets).into_iter();
        while let Some(mut bucket) = halves.next() {
            if let Some(other) = halves.next() {
                bucket.add(other);
            }
            self.buckets.push(bucket);
        }
    }
}

impl Open {
    fn add(&mut self, other: Self) {
        self.due += other.due;
        self.sent += other.sent;
        self.ok += other.ok;
        self.failed += other.failed;
        self.latency.add(&other.latency);
    }

    fn finish(&self) -> Bucket {
        let latency = self.latency.histogram();
        let of = |enough: u64, value: &dyn Fn(&Micros) -> u64| {
            (latency.len() >= enough).then(|| u32::try_from(value(&latency)).unwrap_or(u32::MAX))
        };
        Bucket {
            due: self.due,
            sent: self.sent,
            ok: self.ok,
            failed: self.failed,
            p50: of(ENOUGH_FOR_P50, &|latency| latency.value_at_quantile(0.50)),
            p99: of(ENOUGH_FOR_P99, &|latency| latency.value_at_quantile(0.99)),
            max: of(1, &|latency| latency.max()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(count: u64) -> Elapsed {
        Elapsed::from_nanos(count * 1_000_000)
    }

    #[test]
    fn a_bucket_of_few_answers_says_no_percentile() {
        let mut buckets = Buckets::default();
        (0..6).for_each(|_| buckets.ok(Elapsed::ZERO, 1000));
        let few = buckets.finish(0).buckets[0];
        assert_eq!((few.p50, few.p99, few.max.is_some()), (None, None, true));
        buckets.ok(Elapsed::ZERO, 1000);
        assert!(buckets.finish(0).buckets[0].p50.is_some());
        (0..452).for_each(|_| buckets.ok(Elapsed::ZERO, 1000));
        assert!(buckets.finish(0).buckets[0].p99.is_some());
    }

    #[test]
    fn an_empty_bucket_has_counts_of_zero_and_no_latency() {
        let mut buckets = Buckets::default();
        buckets.failed(ms(250));
        let made = buckets.finish(5);
        assert_eq!((made.start_ms, made.bucket_ms, made.buckets.len()), (5, 100, 3));
        assert_eq!(made.buckets[0], Bucket::default());
        assert_eq!(made.buckets[2].failed, 1);
    }

    proptest! {
        #[test]
        fn however_long_it_lasts_there_are_600_buckets_and_nothing_is_lost(
            times in proptest::collection::vec(0u64..90_000_000, 1..200)
        ) {
            let mut buckets = Buckets::default();
            for at in times.iter().map(|at| ms(*at)) {
                buckets.sent(at, at);
                buckets.ok(at, 500);
            }
            let made = buckets.finish(0);
            prop_assert!(made.buckets.len() <= 600);
            let count = times.len() as u32;
            prop_assert_eq!(made.buckets.iter().map(|b| b.due).sum::<u32>(), count);
            prop_assert_eq!(made.buckets.iter().map(|b| b.sent).sum::<u32>(), count);
            prop_assert_eq!(made.buckets.iter().map(|b| b.ok).sum::<u32>(), count);
            let last = *times.iter().max().unwrap() / u64::from(made.bucket_ms);
            prop_assert!(made.buckets[last as usize].ok > 0);
        }
    }
}
