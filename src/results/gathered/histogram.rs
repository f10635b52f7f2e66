//! Between [`Histogram`] on a line of text and a histogram that can be asked and merged.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};

use super::record::Histogram;

/// Smallest value that is told apart, microseconds.
pub const LOWEST_MICROS: u64 = 1;
/// Largest value, microseconds: one hour. Larger ones are recorded as this.
pub const HIGHEST_MICROS: u64 = 3_600_000_000;
/// Significant decimal digits.
pub const DIGITS: u8 = 3;

/// Counts of microseconds.
pub type Micros = hdrhistogram::Histogram<u64>;

/// Why a histogram could not be read.
#[derive(Debug, thiserror::Error)]
pub enum HistogramError {
    #[error("a histogram is not base64: {0}")]
    Base64(#[from] base64::DecodeError),
    #[error("a histogram is not HdrHistogram V2 with DEFLATE: {0}")]
    Format(String),
    #[error("two histograms cannot be added: {0}")]
    Range(String),
}

/// An empty histogram of 1 microsecond to 1 hour with 3 significant digits.
pub fn empty() -> Micros {
    Micros::new_with_bounds(LOWEST_MICROS, HIGHEST_MICROS, DIGITS).expect("1 us to 1 h with 3 digits is a valid range")
}

/// Adds one value, brought into the range first.
pub fn record(histogram: &mut Micros, micros: u64) {
    histogram.saturating_record(micros.clamp(LOWEST_MICROS, HIGHEST_MICROS));
}

/// Writes it down: HdrHistogram V2 + DEFLATE, base64; empty text when there are no values.
pub fn encode(histogram: &Micros) -> Histogram {
    if histogram.is_empty() {
        return Histogram::default();
    }
    let mut bytes = Vec::new();
    V2DeflateSerializer::new().serialize(histogram, &mut bytes).expect("writing to memory does not fail");
    Histogram(STANDARD.encode(bytes))
}

/// Reads it back; empty text is an empty histogram.
///
/// Errors: the text is cut off or is no histogram.
pub fn decode(histogram: &Histogram) -> Result<Micros, HistogramError> {
    if histogram.0.is_empty() {
        return Ok(empty());
    }
    let bytes = STANDARD.decode(&histogram.0)?;
    let read: Micros = Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .map_err(|error| HistogramError::Format(error.to_string()))?;
    // Into our own range, so that what another version wrote with a smaller one can be added to.
    let mut ours = empty();
    ours.add(&read).map_err(|error| HistogramError::Range(error.to_string()))?;
    Ok(ours)
}

/// All of them as one, in any order or grouping the same.
///
/// Errors: one of them cannot be read.
pub fn merge<'a>(histograms: impl IntoIterator<Item = &'a Histogram>) -> Result<Micros, HistogramError> {
    let mut sum = empty();
    for one in histograms {
        sum.add(&decode(one)?).map_err(|error| HistogramError::Range(error.to_string()))?;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[u64]) -> Histogram {
        let mut histogram = empty();
        values.iter().for_each(|value| record(&mut histogram, *value));
        encode(&histogram)
    }

    #[test]
    fn no_values_are_no_text_and_come_back_as_none() {
        assert_eq!(of(&[]), Histogram::default());
        assert_eq!(decode(&Histogram::default()).unwrap().len(), 0);
    }

    #[test]
    fn values_beyond_the_range_are_kept_at_its_ends() {
        let read = decode(&of(&[0, u64::MAX])).unwrap();
        assert_eq!((read.len(), read.min()), (2, 1));
        assert!(read.equivalent(read.max(), HIGHEST_MICROS));
    }

    #[test]
    fn torn_text_is_an_error() {
        let whole = of(&[5, 1000, 70_000]);
        let torn = Histogram(whole.0[..whole.0.len() / 2].to_string());
        assert!(decode(&torn).is_err());
        assert!(decode(&Histogram("%".into())).is_err());
    }

    proptest! {
        #[test]
        fn merging_in_any_grouping_is_recording_all_in_one(values in proptest::collection::vec(0u64..4_000_000_000, 0..200), cut in 0usize..200) {
            let (left, right) = values.split_at(cut.min(values.len()));
            let one = decode(&of(&values)).unwrap();
            prop_assert_eq!(&merge([&of(left), &of(right)]).unwrap(), &one);
            prop_assert_eq!(&merge([&of(right), &of(left)]).unwrap(), &one);
            prop_assert_eq!(one.len(), values.len() as u64);
        }
    }
}
