//! The command lines that documents and examples show a reader: lines of code blocks, commands within a sentence, and the steps of the
//! workflow. Shared by the test programs that run them; `table.rs` says which runs what.

#![allow(dead_code)] // each test program runs its own part

pub mod shell;
pub mod table;

use std::path::{Path, PathBuf};

/// Programs whose name begins a command within a sentence.
const PROGRAMS: [&str; 8] = ["kubectl", "helm", "loadtest", "make", "cargo", "kind", "jq", "dev/test"];

/// A command line, with where it stands.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Path from the root of the repository.
    pub file: String,
    /// Number of its first line.
    pub line: usize,
    /// The heading above it.
    pub section: String,
    /// As it is shown, lines that go on joined, without the prompt.
    pub text: String,
}

/// The repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All of them, by file and line.
pub fn shown() -> Vec<Shown> {
    let mut files: Vec<PathBuf> =
        ["README.md", "CONTRIBUTING.md", "SECURITY.md", "dev/README.md", "dev/cluster/README.md"]
            .iter()
            .map(|file| root().join(file))
            .collect();
    for (folder, ending) in [("charts", "md"), ("docs", "md"), ("examples", "yaml")] {
        find(&root().join(folder), ending, &mut files);
    }
    let read = |file: &PathBuf| {
        let name = file.strip_prefix(root()).unwrap().display().to_string();
        let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{name}: {error}"));
        if name.ends_with(".md") { of_page(&name, &text) } else { of_example(&name, &text) }
    };
    files.iter().flat_map(read).collect()
}

/// Files with this ending in a folder and those below it.
fn find(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            find(&entry, ending, found);
        } else if entry.extension().is_some_and(|extension| extension == ending) {
            found.push(entry);
        }
    }
}

/// What a line of a page is.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// A line of a block of commands: fenced as one, or indented.
    Code,
    /// A line of a block in another language.
    Other,
    Text,
}

/// The commands of a page in Markdown.
pub fn of_page(file: &str, text: &str) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    let (mut fence, mut section, mut before, mut blank): (Option<bool>, _, _, _) =
        (None, String::new(), Kind::Text, true);
    for (number, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        let kind = match (trimmed.strip_prefix("```"), fence) {
            (Some(language), None) => {
                fence = Some(["console", "sh", "bash", "shell"].contains(&language));
                Kind::Other
            }
            (Some(_), Some(_)) => {
                fence = None;
                Kind::Other
            }
            (None, Some(true)) => Kind::Code,
            (None, Some(false)) => Kind::Other,
            (None, None) if line.starts_with("    ") && (blank || before == Kind::Code) => Kind::Code,
            (None, None) => Kind::Text,
        };
        let one =
            |text: &str| Shown { file: file.into(), line: number + 1, section: section.clone(), text: text.into() };
        match kind {
            _ if trimmed.is_empty() => {}
            Kind::Code => {
                let part = trimmed.strip_prefix("$ ").unwrap_or(trimmed);
                match found.last_mut().filter(|last| before == Kind::Code && last.text.ends_with('\\')) {
                    Some(last) => last.text = format!("{} {part}", last.text.trim_end_matches('\\').trim_end()),
                    None => found.push(one(part)),
                }
            }
            Kind::Text => match trimmed.strip_prefix("## ") {
                Some(heading) => section = heading.to_owned(),
                None => found.extend(within(trimmed).into_iter().map(one)),
            },
            Kind::Other => {}
        }
        blank = trimmed.is_empty();
        // A blank line ends no block, but text after it is text.
        before = if blank { before } else { kind };
    }
    found
}

/// Commands within a sentence: code of three words or more, or a target of make.
fn within(line: &str) -> Vec<&str> {
    let code = line.split('`').skip(1).step_by(2);
    code.filter(|code| {
        let words: Vec<&str> = code.split_whitespace().collect();
        words.len() > usize::from(words.first() != Some(&"make")) + 1 && PROGRAMS.contains(&words[0])
    })
    .collect()
}

/// The commands in the comments of an example, and those of a workflow's steps.
fn of_example(file: &str, text: &str) -> Vec<Shown> {
    let line = |(number, line): (usize, &str)| {
        let text = line.trim_start_matches(['#', ' ']);
        let first = text.split_whitespace().next()?;
        let command = ["kubectl", "loadtest", "test"].contains(&first) && !text.contains(": ");
        command.then(|| Shown { file: file.into(), line: number + 1, section: String::new(), text: text.into() })
    };
    text.lines().enumerate().filter_map(line).collect()
}
