//! When the work that a row left behind was done: `settle.until`.

use crate::api::{LoadTestSpec, Until};

use crate::results::gathered::sample::Sample;

/// Whether a measured value is down.
pub fn is_down(until: &Until, value: f64) -> bool {
    #[allow(clippy::cast_precision_loss)] // at most 10^9
    let most = until.at_most as f64;
    value <= most
}

/// When settle.until first held after the load had ended (`load_ended_ms`), milliseconds since the epoch. `None`: it is
/// not asked for, or never held.
pub fn drained_at(spec: &LoadTestSpec, load_ended_ms: i64, samples: &[Sample]) -> Option<i64> {
    let until = spec.settle.as_ref()?.until.as_ref()?;
    let down =
        |s: &&Sample| s.t >= load_ended_ms && s.m.get(&until.measurement.0).is_some_and(|value| is_down(until, *value));
    samples.iter().find(down).map(|sample| sample.t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_low_value_after_the_load_counts_and_none_before_it() {
        let spec: LoadTestSpec = serde_json::from_value(serde_json::json!({
            "loads": [{"name": "a", "url": "http://a"}],
            "measurements": [{"name": "pending", "sql": "select 1"}],
            "settle": {"until": {"measurement": "pending", "atMost": 2}},
        }))
        .expect("a spec");
        let sample = |t, value| Sample { t, m: [("pending".to_owned(), value)].into(), ..Sample::default() };
        let samples = [sample(1, 0.0), sample(5, 3.0), sample(6, 2.0), sample(7, 0.0)];
        assert_eq!(drained_at(&spec, 5, &samples), Some(6));
        assert_eq!(drained_at(&spec, 8, &samples), None);
    }
}
