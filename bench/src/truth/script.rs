//! What the servers do, request by request.

use std::time::Duration;

/// What a server does with the request of a number, so long after its own start.
pub type Script = fn(u64, Duration) -> Act;

/// What is done with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    pub status: u16,
    /// Before the first byte.
    pub before: Duration,
    /// Between the head and the last byte of the body.
    pub within: Duration,
}

/// All of them.
pub const SCRIPTS: [(&str, Script); 7] = [
    ("constant", |_, _| after(100)),
    ("log-normal", |n, _| after((100.0 * (0.5 * normal(n)).exp()) as u64)),
    ("bimodal", |n, _| after(if n % 10 == 3 { 600 } else { 60 })),
    ("stall", |_, at| after(20 + stall(at.as_millis() as u64))),
    ("instant errors", |n, _| if n.is_multiple_of(3) { Act { status: 503, ..after(0) } } else { after(150) }),
    ("slow first byte", |_, _| after(250)),
    ("slow body", |_, _| Act { within: Duration::from_millis(200), ..after(20) }),
];

/// Stands still for one second of every ten, as in a collection of garbage; the first time after a second and a half, so
/// that a short run sees it too.
fn stall(at: u64) -> u64 {
    let within = (at + 7_500) % 10_000;
    if within >= 9_000 { 10_000 - within } else { 0 }
}

fn after(ms: u64) -> Act {
    Act { status: 200, before: Duration::from_millis(ms), within: Duration::ZERO }
}

/// Standard normal values in turn, by the sum of twelve of a linear congruential generator's.
fn normal(n: u64) -> f64 {
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1u64 << 31) as f64
    };
    (0..12).map(|_| uniform()).sum::<f64>() - 6.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stall_lasts_a_second_of_every_ten_and_ends_for_all_at_once() {
        assert_eq!([0, 1_499, 1_500, 2_000, 2_499, 2_500, 11_500].map(stall), [0, 0, 1_000, 500, 1, 0, 1_000]);
    }

    #[test]
    fn the_normal_values_have_the_mean_and_the_spread_of_theirs() {
        let all: Vec<f64> = (0..10_000).map(normal).collect();
        let mean = all.iter().sum::<f64>() / 1e4;
        let variance = all.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 1e4;
        assert!(mean.abs() < 0.05 && (variance - 1.0).abs() < 0.1, "{mean} {variance}");
    }
}
