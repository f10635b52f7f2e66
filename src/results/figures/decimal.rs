//! f64 to the decimal strings of the status and back, and to what people read.

use crate::api::Decimal;

/// Digits after the point that a [`Decimal`] may have.
const MOST_DECIMALS: i32 = 6;
/// Digits that say something: histograms keep three, clocks milliseconds.
const SIGNIFICANT: i32 = 6;

/// A decimal of six significant digits, at most six of them after the point, without exponent.
///
/// `None` for NaN, infinities and what fifteen digits before the point don't hold. What is not zero never becomes
/// zero: one failure in a billion stays a failure.
pub fn decimal(value: f64) -> Option<Decimal> {
    if !value.is_finite() || value.abs() >= 1e15 {
        return None;
    }
    if value == 0.0 {
        return Some(Decimal("0".into()));
    }
    let magnitude = value.abs().log10().floor() as i32;
    let decimals = (SIGNIFICANT - 1 - magnitude).clamp(0, MOST_DECIMALS) as usize;
    let smallest = 10f64.powi(-MOST_DECIMALS);
    let value = if value.abs() < smallest { smallest.copysign(value) } else { value };
    Some(Decimal(trimmed(format!("{value:.decimals$}"))))
}

/// The number a [`Decimal`] stands for; `None` when it isn't one (a status written by somebody else).
pub fn number(decimal: &Decimal) -> Option<f64> {
    decimal.0.parse().ok().filter(|v: &f64| v.is_finite())
}

/// A number as people read it: thousands separated, fewer digits after the point the larger it is.
pub fn human(value: f64) -> String {
    let decimals = match value.abs() {
        v if v >= 1000.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        _ => 4,
    };
    let text = trimmed(format!("{value:.decimals$}"));
    if value != 0.0 && text == "0" {
        return decimal(value).map_or_else(|| "-".into(), |d| d.0);
    }
    separated(&text)
}

/// A whole number with thousands separated.
pub fn human_count(value: i64) -> String {
    separated(&value.to_string())
}

fn trimmed(text: String) -> String {
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text };
    if text == "-0" { "0".into() } else { text }
}

fn separated(text: &str) -> String {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |r| ("-", r));
    let (whole, fraction) = rest.split_once('.').map_or((rest, None), |(w, f)| (w, Some(f)));
    let mut out = String::from(sign);
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: f64) -> String {
        decimal(value).expect("finite").0
    }

    #[test]
    fn decimals_have_sensible_digits() {
        assert_eq!(text(108.8), "108.8");
        assert_eq!(text(25030.123), "25030.1");
        assert_eq!(text(1_234_567.0), "1234567");
        assert_eq!(text(1.0 / 3.0), "0.333333");
        assert_eq!(text(-2.5), "-2.5");
        assert_eq!(text(0.0), "0");
        assert_eq!(text(100.0), "100");
    }

    #[test]
    fn what_is_no_number_is_missing() {
        assert_eq!(decimal(f64::NAN), None);
        assert_eq!(decimal(f64::INFINITY), None);
        assert_eq!(decimal(1e15), None);
        assert_eq!(number(&Decimal("x".into())), None);
    }

    #[test]
    fn a_tiny_share_of_failures_is_not_zero() {
        assert_eq!(text(1e-9), "0.000001");
        assert_eq!(text(-1e-9), "-0.000001");
    }

    #[test]
    fn every_decimal_is_one_the_api_accepts() {
        for exponent in -12..15 {
            for mantissa in [1.0, 1.5, 9.999999, -7.123456789] {
                let text = text(mantissa * 10f64.powi(exponent));
                let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
                assert!(text.len() <= 24 && fraction.len() <= 6 && whole.trim_start_matches('-').len() <= 15, "{text}");
                assert!(!text.contains('e'), "{text}");
            }
        }
    }

    #[test]
    fn people_read_thousands_separated() {
        assert_eq!(human(2720.4), "2,720");
        assert_eq!(human(108.83), "108.8");
        assert_eq!(human(1.256), "1.26");
        assert_eq!(human(0.00001), "0.00001");
        assert_eq!(human_count(-1_234_567), "-1,234,567");
        assert_eq!(human_count(100), "100");
    }
}
