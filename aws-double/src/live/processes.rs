//! CPU time and memory of a PostgreSQL server, read from /proc. It works only where the server's processes are in the
//! same process namespace: in Kubernetes a container of the same pod, with `shareProcessNamespace: true`.

use std::path::Path;

/// What /proc says about a process.
#[derive(Debug, PartialEq)]
struct Process {
    pid: i32,
    parent: i32,
    /// CPU time of the process, in clock ticks.
    own_ticks: u64,
    /// CPU time of its ended children that it has waited for, in clock ticks.
    children_ticks: u64,
}

/// Use of the machine by the whole server: the postmaster and all its processes.
#[derive(Debug, PartialEq)]
pub struct Usage {
    /// CPU time since the start of the server, in seconds; grows only.
    pub cpu_seconds: f64,
    /// Proportional set size of all processes (shared memory is counted once), in bytes. `None` when it may not be read.
    pub memory_bytes: Option<u64>,
}

/// Clock ticks a second of /proc: 100 on every Linux architecture (USER_HZ, part of the kernel's interface).
const TICKS_PER_SECOND: f64 = 100.0;

/// Use by the server that the backend `backend` (its `pg_backend_pid()`) belongs to; `None` when /proc does not show
/// that process as a PostgreSQL process, so when it is in another namespace.
pub fn usage(proc_folder: &Path, backend: i32) -> Option<Usage> {
    let folder = |pid: i32| proc_folder.join(pid.to_string());
    let is_postgres =
        |pid: i32| std::fs::read_to_string(folder(pid).join("comm")).is_ok_and(|name| name.trim() == "postgres");
    let read = |pid: i32| parse_stat(&std::fs::read_to_string(folder(pid).join("stat")).ok()?);
    let postmaster = read(backend)?.parent;
    if !is_postgres(backend) || !is_postgres(postmaster) {
        return None;
    }
    let pids = std::fs::read_dir(proc_folder).ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let server: Vec<Process> =
        pids.filter_map(read).filter(|process| process.pid == postmaster || process.parent == postmaster).collect();
    let memory = server.iter().map(|process| {
        let text = std::fs::read_to_string(folder(process.pid).join("smaps_rollup")).ok()?;
        parse_pss(&text)
    });
    Some(Usage { cpu_seconds: cpu_seconds(&server, postmaster), memory_bytes: memory.sum() })
}

/// Living processes count themselves; the ended ones are in the postmaster's account of its children.
fn cpu_seconds(server: &[Process], postmaster: i32) -> f64 {
    let ticks: u64 = server
        .iter()
        .map(|process| process.own_ticks + if process.pid == postmaster { process.children_ticks } else { 0 })
        .sum();
    ticks as f64 / TICKS_PER_SECOND
}

/// The fields of /proc/PID/stat (proc(5)); the name, in parentheses, may hold anything.
fn parse_stat(text: &str) -> Option<Process> {
    let (pid, rest) = text.split_once(' ')?;
    let fields: Vec<&str> = rest.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Process {
        pid: pid.parse().ok()?,
        parent: fields.get(1)?.parse().ok()?,
        own_ticks: number(11)? + number(12)?,
        children_ticks: number(13)? + number(14)?,
    })
}

/// `Pss:` of smaps_rollup, in bytes.
fn parse_pss(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "42 (post) gres) S 7 42 42 0 -1 4194560 1 2 3 4 150 50 30 20 20 0 1 0 100 1000 10";

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        assert_eq!(parse_stat(STAT), Some(Process { pid: 42, parent: 7, own_ticks: 200, children_ticks: 50 }));
    }

    #[test]
    fn ended_backends_stay_in_the_cpu_time_through_the_postmaster_only() {
        let process = |pid, children_ticks| Process { pid, parent: 1, own_ticks: 100, children_ticks };
        assert_eq!(cpu_seconds(&[process(1, 50), process(2, 1000)], 1), 2.5);
    }

    #[test]
    fn pss_is_read_in_bytes_and_nothing_is_not_zero() {
        assert_eq!(parse_pss("Rss: 9 kB\nPss:      12 kB\nPss_Dirty: 3 kB\n"), Some(12 * 1024));
        assert_eq!(parse_pss(""), None);
    }

    #[test]
    fn a_process_that_is_not_postgres_gives_no_figures() {
        let own = i32::try_from(std::process::id()).expect("a process id");
        assert_eq!(usage(Path::new("/proc"), own), None);
    }
}
