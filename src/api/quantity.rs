//! Amounts as Kubernetes writes them: `500m`, `2`, `0.5`, `512Mi`, `1e3`.

/// An amount of cores or bytes, in billionths.
///
/// Format: <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>. Kept to a
/// billionth, as fine as the metrics API's `734567890n`; finer is rounded up, as the API server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(i128);

const UNIT: i128 = 1_000_000_000;

impl Quantity {
    /// Reads `text`; `None` when it is no quantity.
    pub fn parse(text: &str) -> Option<Self> {
        let end = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '+' | '-')).unwrap_or(text.len());
        let (number, suffix) = text.split_at(end);
        let (numerator, denominator) = scale(suffix)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.len() > 18 {
            return None;
        }
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let divisor = 10i128.checked_pow(u32::try_from(fraction.len()).ok()?)?.checked_mul(denominator)?;
        let product = digits.checked_mul(UNIT)?.checked_mul(numerator)?;
        Some(Self(product.div_euclid(divisor) + i128::from(product.rem_euclid(divisor) != 0)))
    }

    /// Thousandths, rounded up: of a core, millicores.
    pub fn millis(self) -> i128 {
        self.0.div_euclid(UNIT / 1000) + i128::from(self.0.rem_euclid(UNIT / 1000) != 0)
    }

    /// This amount in percent of another; `None` of nothing.
    pub fn percent_of(self, whole: Self) -> Option<f64> {
        #[allow(clippy::cast_precision_loss)] // a percentage needs no more than 53 bits
        (whole.0 > 0).then(|| self.0 as f64 / whole.0 as f64 * 100.0)
    }

    /// Whole units: cores or bytes, rounded up.
    pub fn units(self) -> i128 {
        self.0.div_euclid(UNIT) + i128::from(self.0.rem_euclid(UNIT) != 0)
    }
}

/// What a suffix multiplies by, as a fraction.
fn scale(suffix: &str) -> Option<(i128, i128)> {
    let binary = |power: u32| Some((1024i128.pow(power), 1));
    let decimal = |power: u32| Some((1000i128.pow(power), 1));
    match suffix {
        "" => Some((1, 1)),
        "n" => Some((1, 1_000_000_000)),
        "u" => Some((1, 1_000_000)),
        "m" => Some((1, 1000)),
        "k" => decimal(1),
        "M" => decimal(2),
        "G" => decimal(3),
        "T" => decimal(4),
        "P" => decimal(5),
        "E" => decimal(6),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        exponent => {
            let power: i32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
            let scale = 10i128.checked_pow(power.unsigned_abs().min(18))?;
            Some(if power < 0 { (1, scale) } else { (scale, 1) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_amount_written_differently_is_equal() {
        for (a, b) in
            [("0.5", "500m"), ("1000m", "1"), ("1Gi", "1024Mi"), ("1e3", "1k"), ("1n", "0.000000001"), ("2", "2.0")]
        {
            assert_eq!(Quantity::parse(a), Quantity::parse(b), "{a} {b}");
            assert!(Quantity::parse(a).is_some());
        }
    }

    #[test]
    fn what_is_no_quantity_is_none() {
        for text in ["", "m", "half", "1.2.3", "500mm", "--1", "."] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }
}
