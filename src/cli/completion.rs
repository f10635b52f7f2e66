//! `loadtest completion SHELL`: what completes this program's words, for a shell or through kubectl.

use std::io::Write;
use std::process::ExitCode;

use clap::Command;
use clap_complete::Shell;

use super::exit;

/// What kubectl runs to complete a plugin's words: `kubectl_complete-NAME` in the PATH
/// (kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins, "Completion").
const PLUGIN: &str = "#!/bin/sh\nexec kubectl-loadtest complete -- \"$@\"\n";

/// Ends an answer to kubectl: propose no files (cobra's ShellCompDirectiveNoFileComp), or leave it to the shell.
const NO_FILES: &str = ":4";
const FILES: &str = ":0";

/// Prints the shell's script, or the file that kubectl asks.
pub fn print(shell: Shell, plugin: bool, command: &mut Command) -> ExitCode {
    let mut text = Vec::new();
    if plugin {
        text.extend(PLUGIN.as_bytes());
    } else {
        clap_complete::generate(shell, command, "loadtest", &mut text);
    }
    written(&text)
}

/// Answers kubectl: the last of `words` is being typed.
pub fn complete(words: &[String], command: &Command) -> ExitCode {
    written(answers(words, command).join("\n").as_bytes())
}

fn written(text: &[u8]) -> ExitCode {
    let mut out = std::io::stdout();
    // Who closed standard output doesn't want to read it.
    let _ = out.write_all(text).and_then(|()| out.write_all(b"\n"));
    ExitCode::from(exit::PASSED)
}

/// The words that may stand last, a line each with what they mean, and how the shell should take them.
fn answers(words: &[String], command: &Command) -> Vec<String> {
    let (typed, before) = words.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
    let chosen = before.iter().find_map(|word| command.find_subcommand(word));
    let place = chosen.unwrap_or(command);
    let subcommands = place.get_subcommands().filter(|one| !one.is_hide_set());
    let said = |about: Option<&clap::builder::StyledStr>| {
        about.map(|text| text.to_string().lines().next().unwrap_or_default().to_owned()).unwrap_or_default()
    };
    let mut all: Vec<(String, String)> =
        subcommands.map(|one| (one.get_name().to_owned(), said(one.get_about()))).collect();
    if typed.starts_with('-') {
        let options = place.get_arguments().filter(|one| !one.is_hide_set());
        all = options.filter_map(|one| Some((format!("--{}", one.get_long()?), said(one.get_help())))).collect();
    }
    let mut lines: Vec<String> = all
        .into_iter()
        .filter(|(word, _)| word.starts_with(typed))
        .map(|(word, what)| format!("{word}\t{what}"))
        .collect();
    let takes_files = chosen.is_some() && !typed.starts_with('-');
    lines.push(if takes_files { FILES } else { NO_FILES }.into());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command;

    fn of(words: &[&str]) -> Vec<String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let lines = answers(&words, &command());
        lines.into_iter().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn kubectl_is_told_the_commands_and_then_their_options() {
        assert_eq!(of(&["wa"]), ["watch", ":4"]);
        assert_eq!(of(&["report", "--csv"]), ["--csv", ":4"]);
        assert_eq!(of(&["validate", ""]), [":0"], "a file may stand there");
        assert!(!of(&[""]).contains(&"generate".into()), "what only pods call is not proposed");
    }

    #[test]
    fn each_shell_gets_a_script_that_knows_every_command() {
        let command = command();
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut command.clone(), "loadtest", &mut text);
            let text = String::from_utf8(text).expect("a script is text");
            for one in command.get_subcommands().filter(|one| !one.is_hide_set()) {
                assert!(text.contains(one.get_name()), "{shell}: {}", one.get_name());
            }
        }
    }
}
