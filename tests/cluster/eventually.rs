//! A bounded wait. It does not say how long something takes; the limit only ends what would never come.

use std::time::{Duration, Instant};

/// Looks until it is there; fails with what the last look missed.
pub async fn eventually<T>(what: &str, seconds: u64, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        match look().await {
            Ok(seen) => return seen,
            Err(missed) if Instant::now() >= end => panic!("{what}: not within {seconds} s; last seen: {missed}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(300)).await,
        }
    }
}
