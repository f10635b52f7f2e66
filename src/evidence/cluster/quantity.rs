//! Kubernetes quantities (`500m`, `1.5`, `512Mi`, `1e3`), read and compared by value.
//!
//! The grammar is that of `k8s.io/apimachinery/pkg/api/resource/quantity.go`.

use std::cmp::Ordering;

/// Billionths in one.
const NANO: i128 = 1_000_000_000;

/// An amount, exact to a billionth; finer digits round up, as in Kubernetes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i128);

/// A text that is no quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no Kubernetes quantity; write for example 500m, 2 or 512Mi")]
pub struct QuantityError(pub String);

impl Amount {
    /// The amount that `text` writes.
    ///
    /// # Errors
    /// When it is no quantity, or too large for any machine (above 2^63).
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        parse(text).map(Self).ok_or_else(|| QuantityError(text.chars().take(40).collect()))
    }

    /// Thousandths (of a CPU), rounded up.
    pub fn millicores(self) -> i64 {
        ceiling(self.0, NANO / 1000)
    }

    /// Whole units (bytes), rounded up.
    pub fn bytes(self) -> i64 {
        ceiling(self.0, NANO)
    }

    /// `self` in percent of `whole`; none when there is no whole.
    pub fn percent_of(self, whole: Amount) -> Option<f64> {
        (whole.0 > 0).then(|| self.0 as f64 * 100.0 / whole.0 as f64)
    }
}

/// Compares by value: `1` and `1000m` are equal. None when one of them is no quantity.
pub fn compare(left: &str, right: &str) -> Option<Ordering> {
    Some(Amount::parse(left).ok()?.cmp(&Amount::parse(right).ok()?))
}

/// True when both write the same amount; texts that are no quantities are the same only when they are equal.
pub fn same(left: &str, right: &str) -> bool {
    left == right || compare(left, right) == Some(Ordering::Equal)
}

fn ceiling(value: i128, unit: i128) -> i64 {
    let whole = value.div_euclid(unit) + i128::from(value.rem_euclid(unit) != 0);
    whole.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

fn parse(text: &str) -> Option<i128> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, suffix) = rest.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() + fraction.len() == 0 || fraction.contains('.') || number.len() > 30 {
        return None;
    }
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let (multiplier, power) = scale(suffix)?;
    let value = shifted(digits.checked_mul(multiplier)?, power + 9 - i32::try_from(fraction.len()).ok()?)?;
    (value <= i128::from(i64::MAX).checked_mul(NANO)?).then_some(if negative { -value } else { value })
}

/// What a suffix multiplies by: a factor and a power of ten.
fn scale(suffix: &str) -> Option<(i128, i32)> {
    Some(match suffix {
        "" => (1, 0),
        "n" => (1, -9),
        "u" => (1, -6),
        "m" => (1, -3),
        "k" => (1, 3),
        "M" => (1, 6),
        "G" => (1, 9),
        "T" => (1, 12),
        "P" => (1, 15),
        "E" => (1, 18),
        "Ki" => (1 << 10, 0),
        "Mi" => (1 << 20, 0),
        "Gi" => (1 << 30, 0),
        "Ti" => (1 << 40, 0),
        "Pi" => (1 << 50, 0),
        "Ei" => (1 << 60, 0),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            (1, (-40..=40).contains(&exponent).then_some(exponent)?)
        }
    })
}

/// `value` times ten to the `power`, rounded up.
fn shifted(value: i128, power: i32) -> Option<i128> {
    let factor = 10i128.checked_pow(power.unsigned_abs().min(60));
    match (power < 0, factor) {
        (false, _) if value == 0 => Some(0),
        (false, factor) => value.checked_mul(factor?),
        (true, Some(factor)) => Some(value / factor + i128::from(value % factor != 0)),
        (true, None) => Some(i128::from(value != 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str) -> i64 {
        Amount::parse(text).unwrap().millicores()
    }

    fn bytes(text: &str) -> i64 {
        Amount::parse(text).unwrap().bytes()
    }

    #[test]
    fn one_cpu_is_a_thousand_millicores_however_it_is_written() {
        for text in ["1", "1.0", "1000m", "1000000u", "0.001k", "1e0", "+1", "10E-1"] {
            assert_eq!(millis(text), 1000, "{text}");
        }
    }

    #[test]
    fn memory_is_counted_in_bytes() {
        assert_eq!(bytes("512Mi"), 512 << 20);
        assert_eq!(bytes("1.5Gi"), 3 << 29);
        assert_eq!(bytes("1G"), 1_000_000_000);
        assert_eq!(bytes("128974848000m"), 128_974_848);
        assert_eq!(bytes("129e6"), 129_000_000);
        assert_eq!(bytes("1E"), 1_000_000_000_000_000_000);
    }

    #[test]
    fn parts_of_a_unit_round_up() {
        assert_eq!(millis("1234567n"), 2);
        assert_eq!(bytes("100m"), 1);
        assert_eq!(millis("0.0000000001"), 1);
        assert_eq!(millis("-1500u"), -1);
    }

    #[test]
    fn equal_amounts_are_the_same_in_any_notation() {
        assert!(same("2", "2000m"));
        assert!(same("1Gi", "1024Mi"));
        assert!(!same("1G", "1Gi"));
        assert_eq!(compare("500m", "1"), Some(Ordering::Less));
        assert_eq!(compare("a lot", "1"), None);
    }

    #[test]
    fn text_that_is_no_quantity_is_refused_with_an_example() {
        for text in ["", ".", "-", "1 Gi", "Gi", "1.2.3", "1mi", "1e", "1e99", "99999999999999999999", "0x10", "١"] {
            let error = Amount::parse(text).unwrap_err().to_string();
            assert!(error.contains("512Mi"), "{error}");
        }
    }

    #[test]
    fn a_share_of_nothing_is_not_known() {
        let half = Amount::parse("250m").unwrap().percent_of(Amount::parse("500m").unwrap());
        assert_eq!(half, Some(50.0));
        assert_eq!(Amount::parse("1").unwrap().percent_of(Amount::parse("0").unwrap()), None);
    }
}
