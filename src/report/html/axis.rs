//! How values stand along an axis of a chart, and what is written there.

use crate::results::figures::decimal::human;

/// How values stand along an axis.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// From 0.
    Linear,
    /// Powers of ten.
    Log,
    /// Percentiles: p0 at 0, p90 at 1, p99 at 2, p99.9 at 3.
    Percentile,
}

/// From and to of an axis, in its own places; `None` without any value.
pub fn range(values: impl Iterator<Item = f64>, scale: Scale) -> Option<(f64, f64)> {
    let all: Vec<f64> = values.map(|value| placed(value, scale)).filter(|value| value.is_finite()).collect();
    let least = all.iter().copied().reduce(f64::min)?;
    let most = all.iter().copied().reduce(f64::max)?;
    Some(match scale {
        Scale::Linear => (least.min(0.0), if most <= 0.0 { 1.0 } else { most * 1.08 }),
        Scale::Log => (least.floor(), most.ceil().max(least.floor() + 1.0)),
        Scale::Percentile => (0.0, most.ceil().max(1.0)),
    })
}

/// Where a value stands along its axis.
pub fn placed(value: f64, scale: Scale) -> f64 {
    match scale {
        Scale::Linear => value,
        Scale::Log => value.max(1e-3).log10(),
        Scale::Percentile => -(1.0 - value.clamp(0.0, 0.999_999_9)).log10(),
    }
}

/// What stands at a place of an axis; empty where no line is named.
pub fn tick(value: f64, scale: Scale) -> String {
    let whole = (value - value.round()).abs() < 1e-6;
    match scale {
        Scale::Linear => human(value),
        Scale::Log if whole => human(10f64.powf(value.round())),
        Scale::Percentile if whole => match value.round() as i64 {
            0 => "p0".into(),
            1 => "p90".into(),
            2 => "p99".into(),
            nines => format!("p99.{}", "9".repeat(usize::try_from(nines - 2).unwrap_or(0))),
        },
        // Between the powers no line is named.
        Scale::Log | Scale::Percentile => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_stand_by_their_nines() {
        let named = [0.0, 1.0, 2.0, 3.0, 1.5].map(|at| tick(at, Scale::Percentile));
        assert_eq!(named, ["p0", "p90", "p99", "p99.9", ""]);
        assert!((placed(0.999, Scale::Percentile) - 3.0).abs() < 1e-9);
        assert_eq!(tick(2.0, Scale::Log), "100");
    }
}
