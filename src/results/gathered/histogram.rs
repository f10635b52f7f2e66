//! Between [`Histogram`] on a line of text and a histogram that can be asked and merged.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};

use super::record::Histogram;

/// Smallest value that is told apart, microseconds.
pub const LOWEST_MICROS: u64 = 1;
/// Largest value, microseconds: one hour. Larger ones are recorded as this.
pub const HIGHEST_MICROS: u64 = 3_600_000_000;
/// Significant decimal digits.
pub const DIGITS: u8 = 3;

/// How V2 + DEFLATE begins.
const COMPRESSED: [u8; 4] = [0x1c, 0x84, 0x93, 0x14];
/// Most bytes of counts: 23 halves of 1024 cells each, nine bytes a cell at most, and half as much again.
const LONGEST_PAYLOAD: u64 = 320 * 1024;

/// Counts of microseconds.
pub type Micros = hdrhistogram::Histogram<u64>;

/// Why a histogram could not be read.
#[derive(Debug, thiserror::Error)]
pub enum HistogramError {
    #[error("a histogram is not base64: {0}")]
    Base64(#[from] base64::DecodeError),
    #[error("a histogram is not HdrHistogram V2 with DEFLATE: {0}")]
    Format(String),
    #[error("a histogram is larger than any of ours")]
    TooLarge,
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
    bounded(&bytes)?;
    let read: Micros = Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .map_err(|error| HistogramError::Format(error.to_string()))?;
    // Into our own range, so that what another version wrote with a smaller one can be added to.
    let mut ours = empty();
    ours.add(&read).map_err(|error| HistogramError::Range(error.to_string()))?;
    Ok(ours)
}

/// Refuses what would take more memory than one of ours before any is taken: whoever may write into a pod's log may write any length into
/// its head. V2 is a cookie, the compressed length, and zlib's stream, which begins with cookie, length, offset, digits, lowest
/// and highest value: <https://github.com/HdrHistogram/HdrHistogram>, `AbstractHistogram.encodeIntoByteBuffer`.
fn bounded(bytes: &[u8]) -> Result<(), HistogramError> {
    let torn = |_| HistogramError::Format("it is cut off".into());
    let (outer, stream) = bytes.split_at_checked(8).ok_or(HistogramError::Format("it is cut off".into()))?;
    if outer[..4] != COMPRESSED {
        return Err(HistogramError::Format("it is not compressed".into()));
    }
    let mut head = [0; 32];
    ZlibDecoder::new(stream).read_exact(&mut head).map_err(torn)?;
    let number = |at: usize, length: usize| head[at..at + length].iter().fold(0_u64, |sum, b| sum << 8 | u64::from(*b));
    let (length, digits, highest) = (number(4, 4), number(12, 4), number(24, 8));
    let fits = length <= LONGEST_PAYLOAD && digits <= u64::from(DIGITS) && highest <= HIGHEST_MICROS;
    if fits { Ok(()) } else { Err(HistogramError::TooLarge) }
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

    /// A histogram of ours whose head says otherwise.
    fn forged(at: usize, bytes: &[u8]) -> Histogram {
        let ours = STANDARD.decode(of(&[5]).0).unwrap();
        let mut inner = Vec::new();
        ZlibDecoder::new(&ours[8..]).read_to_end(&mut inner).unwrap();
        inner[at..at + bytes.len()].copy_from_slice(bytes);
        let mut stream = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut stream, &inner).unwrap();
        let stream = stream.finish().unwrap();
        let length = u32::try_from(stream.len()).unwrap().to_be_bytes();
        Histogram(STANDARD.encode([&COMPRESSED[..], &length[..], &stream[..]].concat()))
    }

    #[test]
    fn a_forged_head_takes_no_memory() {
        assert_eq!(
            decode(&forged(20, &[0, 0, 0, 1])).unwrap().len(),
            1,
            "nothing but the lowest value was written anew"
        );
        for (what, head) in [
            ("4 GiB of counts", forged(4, &u32::MAX.to_be_bytes())),
            ("five digits", forged(12, &5_u32.to_be_bytes())),
            ("values up to 2^64", forged(24, &u64::MAX.to_be_bytes())),
        ] {
            assert!(matches!(decode(&head), Err(HistogramError::TooLarge)), "{what}");
        }
        let plain = Histogram(STANDARD.encode([&[0x1c, 0x84, 0x93, 0x13][..], &[255; 40]].concat()));
        assert!(decode(&plain).is_err(), "not compressed");
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
