//! PURE: counts of microseconds on the way of every request: the cells of the histogram that they are handed on as,
//! without what it keeps beside them.
//!
//! Invariant: [`Counts::histogram`] is the histogram that had recorded every value itself.

use std::ops::AddAssign;

use crate::results::gathered::histogram::{HIGHEST_MICROS, LOWEST_MICROS, Micros};

/// With 3 significant digits, as they are handed on: 2,000 values, rounded up to a power of two.
pub type Fine = Counts<11, u64>;
/// With 2 digits, which are within 1 % in a tenth of the memory.
pub type Coarse = Counts<8, u32>;

/// Counts, growing with the largest value. Values below `1 << PRECISE` have a cell each; above, each doubling has half as
/// many, as in HdrHistogram.
#[derive(Clone, Debug, Default)]
pub struct Counts<const PRECISE: u32, T>(Vec<T>);

impl<const PRECISE: u32, T: Copy + Default + AddAssign + From<u8> + Into<u64>> Counts<PRECISE, T> {
    const HALF: usize = 1 << (PRECISE - 1);

    /// Adds one value, brought into the histogram's range first.
    pub fn record(&mut self, micros: u64) {
        let cell = Self::cell(micros.clamp(LOWEST_MICROS, HIGHEST_MICROS));
        match self.0.get_mut(cell) {
            Some(count) => *count += T::from(1),
            None => self.grow(cell),
        }
    }

    /// The histogram of all values.
    pub fn histogram(&self) -> Micros {
        let digits = if PRECISE >= 11 { 3 } else { 2 };
        let mut all = Micros::new_with_bounds(LOWEST_MICROS, HIGHEST_MICROS, digits).expect("a valid range");
        for (cell, count) in self.0.iter().enumerate() {
            let count: u64 = (*count).into();
            if count > 0 {
                // Within the range, so there is room.
                all.saturating_record_n(Self::value(cell), count);
            }
        }
        all
    }

    /// Adds another one's counts.
    pub fn add(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), T::default());
        }
        self.0.iter_mut().zip(&other.0).for_each(|(ours, theirs)| *ours += *theirs);
    }

    /// Makes room up to a cell's doubling. Out of the way of [`Counts::record`].
    #[cold]
    fn grow(&mut self, cell: usize) {
        self.0.resize((cell / Self::HALF + 1) * Self::HALF, T::default());
        self.0[cell] += T::from(1);
    }

    fn cell(value: u64) -> usize {
        let doublings = (u64::BITS - (value >> PRECISE).leading_zeros()) as usize;
        doublings * Self::HALF + (value >> doublings) as usize
    }

    /// The smallest value of a cell.
    fn value(cell: usize) -> u64 {
        let doublings = (cell / Self::HALF).saturating_sub(1);
        ((cell - doublings * Self::HALF) as u64) << doublings
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::results::gathered::histogram;

    #[test]
    fn a_cell_holds_what_the_histogram_takes_for_one() {
        let all = histogram::empty();
        for value in [1, 2, 2047, 2048, 2049, 4095, 4096, 65_535, 1 << 20, HIGHEST_MICROS] {
            assert_eq!(Fine::value(Fine::cell(value)), all.lowest_equivalent(value));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_becomes_the_histogram_that_had_recorded_every_value(
            values in proptest::collection::vec(prop_oneof![0u64..3000, 0u64..5_000_000_000, Just(u64::MAX)], 0..60),
            cut in 0usize..60,
        ) {
            let mut recorded = histogram::empty();
            let mut two_digits = Micros::new_with_bounds(1, HIGHEST_MICROS, 2).unwrap();
            let (mut left, mut right, mut coarse) = (Fine::default(), Fine::default(), Coarse::default());
            for (i, value) in values.iter().enumerate() {
                histogram::record(&mut recorded, *value);
                histogram::record(&mut two_digits, *value);
                coarse.record(*value);
                if i < cut { left.record(*value) } else { right.record(*value) }
            }
            left.add(&right);
            prop_assert_eq!(left.histogram(), recorded);
            prop_assert_eq!(coarse.histogram(), two_digits);
        }
    }
}
