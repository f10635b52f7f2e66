//! The product's source text, for tests that read it.
#![allow(dead_code)] // each test program uses its own part

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

/// One file of src/.
pub struct Source {
    /// From src/ on, with slashes: `plan/unfold.rs`.
    pub path: String,
    /// As it is written.
    pub text: String,
    /// Without comments, the inside of strings, and modules of tests.
    pub product: String,
    /// The file is compiled for tests only.
    pub is_test: bool,
}

impl Source {
    /// A file with this text.
    pub fn new(path: &str, text: &str, is_test: bool) -> Self {
        let product = without_tests(&plain(text));
        Self { path: path.to_owned(), text: text.to_owned(), product, is_test }
    }

    /// `evidence/aws`, `plan`, …; `` for files at the root.
    pub fn folder(&self) -> String {
        let parts: Vec<&str> = self.path.split('/').collect();
        folder_of(&parts[..parts.len() - 1])
    }
}

/// The folder that imports are counted by: the parts of `evidence` apart, everything else by its first name.
pub fn folder_of(module: &[&str]) -> String {
    match module {
        ["evidence", part @ ("aws" | "live" | "cluster"), ..] => format!("evidence/{part}"),
        [first, ..] => (*first).to_owned(),
        [] => String::new(),
    }
}

/// Every file of src/.
pub fn sources() -> &'static [Source] {
    static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(read_all);
    &SOURCES
}

fn read_all() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let read = |file: &PathBuf| {
        let path = file.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        (path, std::fs::read_to_string(file).unwrap())
    };
    let texts: Vec<(String, String)> = files.iter().map(read).collect();
    let tests: BTreeSet<String> = texts.iter().flat_map(|(path, text)| test_modules(path, text)).collect();
    let is_test = |path: &str| {
        let stem = path.trim_end_matches(".rs").trim_end_matches("/mod");
        tests.iter().any(|module| stem == module || stem.starts_with(&format!("{module}/")))
    };
    texts.iter().map(|(path, text)| Source::new(path, text, is_test(path))).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

/// Paths (without `.rs`) of the modules that a file declares for tests only.
fn test_modules(path: &str, text: &str) -> Vec<String> {
    static DECLARATION: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"#\[cfg\(test\)\]\s*(?:#\[path = "([^"]+)\.rs"\]\s*)?(?:pub(?:\([a-z]+\))? )?mod ([a-z_]+);"#)
            .unwrap()
    });
    let beside = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let inside = path.trim_end_matches(".rs").trim_end_matches("/mod");
    let place = |found: regex::Captures<'_>| match found.get(1) {
        Some(file) => format!("{beside}/{}", file.as_str()),
        None => format!("{inside}/{}", &found[2]),
    };
    DECLARATION.captures_iter(text).map(place).collect()
}

/// `text` with comments and the inside of strings and characters blanked; lines stay lines.
fn plain(text: &str) -> String {
    // In this order: comments, raw strings with one `#`, raw strings, strings, characters (a lifetime has no second quote).
    static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
        let token = [
            r"//[^\n]*",
            r"/\*.*?\*/",
            r###"\bb?r#".*?"#"###,
            r#"\bb?r"[^"]*""#,
            r#""(?:\\.|[^"\\])*""#,
            r"'(?:\\[^\n]{1,8}?|[^'\\\n])'",
        ];
        Regex::new(&format!("(?s){}", token.join("|"))).unwrap()
    });
    let blank = |found: &regex::Captures<'_>| -> String {
        found[0].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect()
    };
    TOKEN.replace_all(text, blank).into_owned()
}

/// `plain` text without `#[cfg(test)] mod … { … }`.
fn without_tests(plain: &str) -> String {
    static BEGIN: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"#\[cfg\(test\)\]\s*(?:pub(?:\([a-z]+\))? )?mod [a-z_]+ \{").unwrap());
    let mut rest = plain;
    let mut kept = String::new();
    while let Some(found) = BEGIN.find(rest) {
        kept.push_str(&rest[..found.start()]);
        rest = &rest[found.end()..];
        let mut depth = 1;
        let end = rest.find(|c: char| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth == 0
        });
        rest = end.map_or("", |end| &rest[end + 1..]);
    }
    kept + rest
}

/// The paths of a `use` tree (or of any path), up to its first two names: `{a::b, c::{d, e}}` is `a::b`, `c::d`, `c::e`.
pub fn paths(tree: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    expand(tree, &mut Vec::new(), &mut found);
    found
}

fn expand(tree: &str, before: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let tree = tree.trim_start();
    if let Some(inside) = tree.strip_prefix('{') {
        for part in parts(inside) {
            expand(part, &mut before.clone(), found);
        }
        return;
    }
    let end = tree.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(tree.len());
    if end > 0 {
        before.push(tree[..end].to_owned());
    }
    match tree[end..].strip_prefix("::") {
        Some(rest) if before.len() < 2 && end > 0 => expand(rest, before, found),
        _ => found.push(before.clone()),
    }
}

/// What stands between the commas of a group, up to its closing brace.
fn parts(inside: &str) -> Vec<&str> {
    let (mut depth, mut from, mut parts) = (0, 0, Vec::new());
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inside[from..at]);
                from = at + 1;
            }
            '}' => {
                parts.push(&inside[from..at]);
                break;
            }
            _ => {}
        }
    }
    parts.into_iter().filter(|part| !part.trim().is_empty()).collect()
}
