//! What a process says of itself: its version, CPU, memory, open files. The names are those of Prometheus' own clients
//! (<https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>).

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

fn open_files() -> Option<i64> {
    i64::try_from(std::fs::read_dir("/proc/self/fd").ok()?.count()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

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
