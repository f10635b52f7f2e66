//! Every command line that the documents and examples show is one that the program understands, and those that need no cluster and no
//! application are run.

#[path = "run/server.rs"]
mod server;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use loadtest_operator::cli::command;
use serde_json::Value;
use server::Server;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Files with this ending in a folder and those below it.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(files(&entry, ending));
        } else if entry.extension().is_some_and(|extension| extension == ending) {
            found.push(entry);
        }
    }
    found.sort();
    found
}

/// Words of a line as a shell takes them, up to what leads elsewhere: `|`, `>`, `&&`, `;`, a comment.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut begun) = (Vec::new(), String::new(), None, false);
    for c in line.chars() {
        match (c, quote) {
            ('\'' | '"', None) => (quote, begun) = (Some(c), true),
            (c, Some(open)) if c == open => quote = None,
            ('|' | '>' | '&' | ';' | '`', None) => break,
            ('#', None) if !begun => break,
            (c, None) if c.is_whitespace() => {
                if std::mem::take(&mut begun) {
                    words.push(std::mem::take(&mut word));
                }
            }
            (c, _) => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

/// The command lines of this program in a text: lines of code, and the runs of a workflow. Each without the program's own name.
fn commands(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for line in text.lines().map(str::trim_start) {
        let line = line.strip_prefix("$ ").unwrap_or(line);
        let line = line
            .strip_prefix("cargo run --bin loadtest -- ")
            .map_or(line.to_owned(), |rest| format!("loadtest {rest}"));
        let mut words = words(&line);
        let own = match words.as_slice() {
            [first, ..] if first == "loadtest" => 1,
            [first, second, ..] if first == "kubectl" && second == "loadtest" => 2,
            _ => continue,
        };
        found.push(words.split_off(own));
    }
    found
}

/// All command lines, with the file that shows them.
fn shown() -> Vec<(String, Vec<String>)> {
    let mut all = vec![root().join("README.md")];
    all.extend(files(&root().join("docs"), "md"));
    all.extend(files(&root().join("examples"), "yaml"));
    let lines = |file: &PathBuf| {
        let name = file.strip_prefix(root()).unwrap().display().to_string();
        let text = std::fs::read_to_string(file).unwrap();
        commands(&text).into_iter().map(|words| (name.clone(), words)).collect::<Vec<_>>()
    };
    all.iter().flat_map(lines).collect()
}

#[test]
fn every_command_that_is_shown_is_understood() {
    let shown = shown();
    assert!(shown.len() > 20, "{shown:?}");
    for (file, words) in &shown {
        let line = words.join(" ");
        let said = command().try_get_matches_from(std::iter::once("loadtest").chain(words.iter().map(String::as_str)));
        if let Err(error) = said {
            let help =
                matches!(error.kind(), clap::error::ErrorKind::DisplayHelp | clap::error::ErrorKind::DisplayVersion);
            assert!(help, "{file}: loadtest {line}\n{error}");
        }
    }
}

/// What stands for a reader's own file.
fn stand_ins() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        ("first.yaml", "examples/minimal.yaml"),
        ("gate.yaml", "examples/gitops-gate.yaml"),
        ("test.yaml", "examples/minimal.yaml"),
        ("lt.yaml", "examples/minimal.yaml"),
        ("FILE", "examples/minimal.yaml"),
    ])
}

#[test]
fn what_needs_no_cluster_and_no_application_is_run_as_it_is_shown() {
    let mut run = 0;
    for (file, words) in
        shown().iter().filter(|(_, words)| ["validate", "completion", "print"].contains(&words[0].as_str()))
    {
        let words: Vec<&str> =
            words.iter().map(|word| stand_ins().get(word.as_str()).copied().unwrap_or(word)).collect();
        let output = Command::new(env!("CARGO_BIN_EXE_loadtest")).args(&words).current_dir(root()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{file}: loadtest {}\n{said}", words.join(" "));
        run += 1;
    }
    assert!(run >= 3, "{run} commands were run");
}

/// A manifest of a load that goes where the command line's `--base-url` says that it leads away from.
fn manifest(words: &[String], server: &Server) -> String {
    let from = words.iter().skip_while(|word| *word != "--base-url").nth(1).and_then(|mapping| mapping.split_once('='));
    let url = from.map_or_else(|| server.url(""), |(from, _)| from.to_owned());
    format!(
        "apiVersion: loadtest.dev/v1alpha1\nkind: LoadTest\nmetadata: {{name: shown}}\nspec:\n  loads:\n  - {{name: m, url: \"{url}\"}}\n"
    )
}

#[test]
fn what_needs_an_application_is_run_against_one_that_stands_for_the_readers_own() {
    let server = Server::start(|_| "200 OK");
    let runs: Vec<_> = shown().into_iter().filter(|(_, words)| words[0] == "run").collect();
    assert!(runs.len() >= 6, "{runs:?}");
    for (file, words) in runs {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("test.yaml"), manifest(&words, &server)).unwrap();
        let asked = server.count();
        // The reader's address, and times that nobody waits for in a test.
        let here = |word: &String| match word.as_str() {
            "30s" | "1m" => "1s".to_owned(),
            word => ["http://localhost:8080", "http://127.0.0.1:9080"]
                .iter()
                .fold(word.to_owned(), |word, address| word.replace(address, &server.url(""))),
        };
        let words: Vec<String> = words.iter().map(here).collect();
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
        let output = command.args(&words).current_dir(folder.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        // A machine that is busy with other tests may send late, and says so.
        let (passed, late) =
            (output.status.success(), output.status.code() == Some(3) && said.contains("GeneratorSaturated"));
        assert!(passed || late, "{file}: loadtest {}\n{said}", words.join(" "));
        assert!(server.count() > asked, "{file}: loadtest {} sent nothing", words.join(" "));
        let path = words.iter().find_map(|word| word.strip_prefix(&server.url(""))).unwrap_or("/");
        assert!(
            server.lines().iter().any(|line| line.contains(&format!(" {path} "))),
            "{file}: nobody asked for {path}"
        );
    }
}

#[test]
fn the_workflow_for_pull_requests_is_one_and_keeps_what_it_found_when_the_test_failed() {
    let text = std::fs::read_to_string(root().join("examples/ci/github-actions.yaml")).unwrap();
    let workflow: Value = serde_saphyr::from_str(&text).unwrap();
    let steps = workflow["jobs"]["gate"]["steps"].as_array().unwrap();
    for step in steps {
        assert_ne!(step["run"].is_string(), step["uses"].is_string(), "one of run and uses: {step}");
    }
    let at =
        |name: &str| steps.iter().position(|step| step["name"] == name).unwrap_or_else(|| panic!("no step {name}"));
    assert!(at("Plan") < at("Run") && at("Run") < at("Report") && at("Report") < at("Comment"));
    assert_eq!(steps[at("Report")]["if"], "always()");
    let run = steps[at("Run")]["run"].as_str().unwrap();
    // The step ends with the verdict's exit code only if nothing stands behind the watching.
    assert!(run.trim_end().lines().last().unwrap().starts_with("kubectl loadtest watch"), "{run}");
    let secret = steps.iter().filter_map(|step| step["run"].as_str()).find(|run| run.contains("${{"));
    assert_eq!(secret, None, "what GitHub pastes into a script is run as a part of it; it belongs into env");
}

#[test]
fn the_workflows_of_this_project_call_what_is_there_and_paste_nothing_into_a_script() {
    let mut made = Vec::new();
    for file in ["test.yml", "release.yml"] {
        let text = std::fs::read_to_string(root().join(".github/workflows").join(file)).unwrap();
        let workflow: Value = serde_saphyr::from_str(&text).unwrap();
        for (name, job) in workflow["jobs"].as_object().unwrap() {
            assert!(job["timeout-minutes"].is_u64(), "{file}: {name} may run for ever");
            for step in job["steps"].as_array().unwrap() {
                assert_ne!(step["run"].is_string(), step["uses"].is_string(), "{file}: one of run and uses: {step}");
                let run = step["run"].as_str().unwrap_or_default();
                assert!(!run.contains("${{"), "{file}: what is pasted into a script is run as a part of it: {run}");
                let words: Vec<&str> = run.split_whitespace().collect();
                let at = words.iter().position(|word| *word == "make");
                made.extend(at.into_iter().flat_map(|at| words[at + 1..].iter().map(|word| (*word).to_owned())));
            }
        }
    }
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    let target = |word: &String| makefile.lines().any(|line| line.starts_with(&format!("{word}:")));
    for word in ["deps", "test", "deny", "release"] {
        assert!(made.iter().any(|made| made == word) && target(&word.to_owned()), "make {word} in {made:?}");
    }
}

#[test]
fn a_line_is_split_as_a_shell_does() {
    assert_eq!(
        words(r#"loadtest run -d '{"a": 1}' "x y" > out # why"#),
        ["loadtest", "run", "-d", r#"{"a": 1}"#, "x y"]
    );
    assert_eq!(commands("    $ kubectl loadtest watch a   # b\ntext kubectl loadtest watch"), [["watch", "a"]]);
}
