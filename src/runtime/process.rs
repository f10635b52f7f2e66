//! What a process says of itself: its version, CPU, memory, open files. The names are those of Prometheus' own clients
//! (<https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>).

use std::time::Duration;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Counter, IntGauge, IntGaugeVec, Opts, Registry};

/// A registry that has the process in it.
///
/// # Errors
/// A name was given twice.
pub fn registry() -> prometheus::Result<Registry> {
    let registry = Registry::new();
    registry.register(Box::new(Process::new()?))?;
    let build = IntGaugeVec::new(Opts::new("loadtest_build_info", "1; what is running."), &["version"])?;
    build.with_label_values(&[super::version()]).set(1);
    registry.register(Box::new(build))?;
    Ok(registry)
}

/// Looks at the process whenever it is asked.
struct Process {
    cpu: Counter,
    memory: IntGauge,
    files: IntGauge,
    start: IntGauge,
}

impl Process {
    fn new() -> prometheus::Result<Self> {
        let now = jiff::Timestamp::now().as_second();
        let start = IntGauge::new("process_start_time_seconds", "Start of the process, seconds since 1970.")?;
        start.set(now);
        Ok(Self {
            cpu: Counter::new("process_cpu_seconds_total", "CPU time of the process, user and system.")?,
            memory: IntGauge::new("process_resident_memory_bytes", "Memory that the process occupies.")?,
            files: IntGauge::new("process_open_fds", "Open file descriptors of the process.")?,
            start,
        })
    }
}

impl Collector for Process {
    fn desc(&self) -> Vec<&Desc> {
        [self.cpu.desc(), self.memory.desc(), self.files.desc(), self.start.desc()].concat()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let spent = cpu_seconds() - self.cpu.get();
        if spent > 0.0 {
            self.cpu.inc_by(spent);
        }
        let mut families = self.cpu.collect();
        // What the system doesn't say is left out: 0 would be a figure.
        if let Some(bytes) = resident_bytes() {
            self.memory.set(bytes);
            families.extend(self.memory.collect());
        }
        if let Some(files) = open_files() {
            self.files.set(files);
            families.extend(self.files.collect());
        }
        families.extend(self.start.collect());
        families
    }
}

#[allow(clippy::cast_precision_loss)] // seconds of CPU
fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// `VmRSS` in proc(5), which is in KiB.
fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<i64>().ok()? * 1024)
}

/// USER_HZ of the kernel's interface, on x86-64 and arm64 alike (`CLK_TCK` of sysconf(3)).
const TICKS_PER_SECOND: u64 = 100;

/// Time since the process was started, exact to a tick of the kernel's clock; `None`: the system does not say. Field 22 of
/// /proc/self/stat is its start since the machine's, in ticks (proc(5)).
pub fn age() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in parentheses, may hold spaces; it is the second field.
    let ticks: u64 = stat.rsplit(')').next()?.split_whitespace().nth(19)?.parse().ok()?;
    let started = Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND);
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let now = Duration::new(u64::try_from(now.tv_sec).ok()?, u32::try_from(now.tv_nsec).ok()?);
    now.checked_sub(started)
}

fn open_files() -> Option<i64> {
    i64::try_from(std::fs::read_dir("/proc/self/fd").ok()?.count()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_how_long_it_has_been_running() {
        let before = age().unwrap();
        std::thread::sleep(Duration::from_millis(30));
        let grown = age().unwrap().checked_sub(before).unwrap();
        assert!(grown >= Duration::from_millis(30), "{grown:?}");
        let boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        assert!(before.as_secs() < boot.tv_sec.unsigned_abs(), "older than the machine: {before:?}");
    }

    #[test]
    fn a_process_says_its_version_cpu_memory_and_files() {
        let text = prometheus::TextEncoder::new().encode_to_string(&registry().unwrap().gather()).unwrap();
        for name in ["process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"] {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            assert!(line.rsplit(' ').next().unwrap().parse::<f64>().unwrap() > 0.0, "{line}");
        }
        assert!(
            text.contains(&format!("loadtest_build_info{{version=\"{}\"}} 1", crate::runtime::version())),
            "{text}"
        );
    }
}
