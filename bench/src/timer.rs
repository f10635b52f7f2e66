//! How exact this machine can be at this moment: a loop with nothing in it but the kernel's timer.

use std::error::Error;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime, timerfd_create,
    timerfd_settime,
};

/// A rate.
#[derive(clap::Args)]
pub struct Args {
    /// Instants a second.
    #[arg(long)]
    rate: u32,
    /// How long.
    #[arg(long)]
    seconds: u32,
}

/// Waits for every instant and prints how late it was.
///
/// # Errors
/// The kernel gives no timer.
pub fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let fd = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
    let now = clock_gettime(ClockId::Monotonic);
    let origin = (Instant::now(), Duration::new(now.tv_sec as u64, now.tv_nsec as u32));
    let mut late = Histogram::<u64>::new_with_bounds(1, 3_600_000_000, 3)?;
    let begin = Instant::now() + Duration::from_millis(50);
    for k in 0..u64::from(args.rate) * u64::from(args.seconds) {
        let due = begin + Duration::from_nanos(k * 1_000_000_000 / u64::from(args.rate));
        while Instant::now() < due {
            let at = origin.1 + due.saturating_duration_since(origin.0);
            let it_value = Timespec { tv_sec: at.as_secs() as i64, tv_nsec: i64::from(at.subsec_nanos().max(1)) };
            let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value };
            timerfd_settime(&fd, TimerfdTimerFlags::ABSTIME, &once)?;
            poll(&mut [PollFd::new(&fd, PollFlags::IN)], None)?;
        }
        let micros = due.elapsed().as_nanos().div_ceil(1000);
        late.saturating_record(u64::try_from(micros)?.max(1));
    }
    println!("late p50 {} p99 {} us", late.value_at_quantile(0.50), late.value_at_quantile(0.99));
    Ok(())
}
