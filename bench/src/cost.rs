//! What a command cost: processor time and memory from wait4(2), instructions from valgrind.

use std::error::Error;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use wait4::Wait4;

/// A command that has ended well.
#[derive(Clone, Debug)]
pub struct Cost {
    /// Processor time in user mode and in the kernel.
    pub cpu: Duration,
    /// Of that, in user mode.
    pub user: Duration,
    /// Most memory that it had at once, bytes.
    pub memory: u64,
    /// What it wrote to standard output.
    pub text: String,
}

/// Runs a command, held to one core where one is named.
///
/// # Errors
/// It can't be started, or ends badly; the message has the end of what it wrote.
pub fn run(core: Option<usize>, words: &[String]) -> Result<Cost, Box<dyn Error>> {
    let mut child = command(core, words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut text = String::new();
    if let Some(output) = &mut child.stdout {
        output.read_to_string(&mut text)?;
    }
    let ended = child.wait4()?;
    if !ended.status.success() {
        let end: Vec<&str> = text.lines().rev().take(3).collect();
        return Err(format!("{}: {}; {}", words[0], ended.status, end.join(" | ")).into());
    }
    let used = ended.rusage;
    Ok(Cost { cpu: used.utime + used.stime, user: used.utime, memory: used.maxrss, text })
}

/// Instructions in user mode, counted by cachegrind, and what the command wrote to standard output.
///
/// # Errors
/// There is no valgrind, or the command ends badly under it.
pub fn instructions(words: &[String]) -> Result<(u64, String), Box<dyn Error>> {
    let options = ["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"];
    let output = Command::new("valgrind").args(options).args(words).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let counted = said.lines().find_map(|line| line.split_once("I   refs:")).map(|(_, count)| count.replace(',', ""));
    match counted.and_then(|count| count.trim().parse().ok()) {
        Some(count) if output.status.success() => Ok((count, String::from_utf8_lossy(&output.stdout).into_owned())),
        _ => {
            let end: Vec<&str> = said.lines().filter(|line| !line.ends_with("== ")).take(12).collect();
            Err(format!("{} under valgrind: {}\n{}", words[0], output.status, end.join("\n")).into())
        }
    }
}

/// taskset(1) holds what it starts to the core, and all its threads.
fn command(core: Option<usize>, words: &[String]) -> Command {
    let mut command = match core {
        Some(core) => {
            let mut held = Command::new("taskset");
            held.args(["--cpu-list", &core.to_string(), &words[0]]);
            held
        }
        None => Command::new(&words[0]),
    };
    command.args(&words[1..]);
    command
}

/// The middle one, or the mean of the two in the middle; `None` of nothing.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let (half, odd) = (values.len() / 2, values.len() % 2 == 1);
    let at = |i: usize| values.get(i).copied();
    if odd { at(half) } else { Some((at(half.checked_sub(1)?)? + at(half)?) / 2.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(all: &[&str]) -> Vec<String> {
        all.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_command_costs_something_and_says_what_it_wrote() {
        let cost =
            run(None, &words(&["sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo $i"])).unwrap();
        assert_eq!(cost.text, "20000\n");
        assert!(cost.memory > 100_000 && cost.cpu > Duration::ZERO);
    }

    #[test]
    fn a_command_that_fails_is_no_figure() {
        let error = run(None, &words(&["sh", "-c", "echo why; exit 3"])).unwrap_err().to_string();
        assert!(error.contains("why") && error.contains('3'), "{error}");
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 9.0]), Some(3.0));
    }
}
