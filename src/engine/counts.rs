//! PURE: counts of microseconds on the way of every request: the cells of the histogram that they are handed on as,
//! without what it keeps beside them.
//!
//! Invariant: [`Counts::histogram`] is the histogram that had recorded every value itself.

use std::ops::AddAssign;

use crate::results::histogram::{self, HIGHEST_MICROS, LOWEST_MICROS, Micros};

/// Values below `1 << PRECISE` have a cell each; above, each doubling has half as many. As HdrHistogram does for 3 digits,
/// which are 2,000 values, rounded up to a power of two.
const PRECISE: u32 = 11;
const HALF: usize = 1 << (PRECISE - 1);

/// Counts, growing with the largest value.
#[derive(Clone, Debug, Default)]
pub struct Counts(Vec<u64>);

impl Counts {
    /// Adds one value, brought into the histogram's range first.
    pub fn record(&mut self, micros: u64) {
        let cell = cell(micros.clamp(LOWEST_MICROS, HIGHEST_MICROS));
        match self.0.get_mut(cell) {
            Some(count) => *count += 1,
            None => self.grow(cell),
        }
    }

    /// The histogram of all values.
    pub fn histogram(&self) -> Micros {
        let mut all = histogram::empty();
        for (cell, count) in self.0.iter().enumerate().filter(|(_, count)| **count > 0) {
            // Within the range, so there is room.
            all.saturating_record_n(value(cell), *count);
        }
        all
    }

    /// The values counted.
    #[cfg(test)]
    pub fn len(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The first value of a cell's doubling. Out of the way of [`Counts::record`].
    #[cold]
    fn grow(&mut self, cell: usize) {
        self.0.resize((cell / HALF + 1) * HALF, 0);
        self.0[cell] += 1;
    }
}

impl AddAssign<&Self> for Counts {
    fn add_assign(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(ours, theirs)| *ours += theirs);
    }
}

fn cell(value: u64) -> usize {
    let doublings = (u64::BITS - (value >> PRECISE).leading_zeros()) as usize;
    doublings * HALF + (value >> doublings) as usize
}

/// The smallest value of a cell.
fn value(cell: usize) -> u64 {
    let doublings = (cell / HALF).saturating_sub(1);
    ((cell - doublings * HALF) as u64) << doublings
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cell_holds_what_the_histogram_takes_for_one() {
        let (values, none) =
            ([1, 2, 2047, 2048, 2049, 4095, 4096, 65_535, 1 << 20, HIGHEST_MICROS], histogram::empty());
        for value_ in values {
            let first = value(cell(value_));
            assert!(first <= value_ && none.equivalent(first, value_), "{value_}: {first}");
            assert_eq!(first, none.lowest_equivalent(value_));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_becomes_the_histogram_that_had_recorded_every_value(
            values in proptest::collection::vec(prop_oneof![0u64..3000, 0u64..5_000_000_000, Just(u64::MAX)], 0..60),
            cut in 0usize..60,
        ) {
            let (mut whole, mut recorded) = (Counts::default(), histogram::empty());
            let (mut left, mut right) = (Counts::default(), Counts::default());
            for (i, value) in values.iter().enumerate() {
                whole.record(*value);
                histogram::record(&mut recorded, *value);
                if i < cut { left.record(*value) } else { right.record(*value) }
            }
            prop_assert_eq!(&whole.histogram(), &recorded);
            left += &right;
            prop_assert_eq!(left.histogram(), recorded);
            prop_assert_eq!(left.len(), values.len() as u64);
        }
    }
}
