//! Many small simulations at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Does work on all cores; each job has a number from 0. A job that fails is counted, and the others go on.
///
/// # Panics
/// At the end, when a job failed.
pub fn on_all_cores(jobs: usize, work: impl Fn(usize) + Sync) {
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(job) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|job| *job < jobs) {
                    let ended = catch_unwind(AssertUnwindSafe(|| work(job)));
                    if ended.is_err() {
                        eprintln!("the failure above is job {job} of {jobs}");
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner();
    assert_eq!(failed, 0, "{failed} of {jobs} failed; each is above");
}
