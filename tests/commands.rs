//! Every command line that the documents and examples show is run by a test, or excused by name; this program's own are understood, and
//! those that need no cluster are run here.

#[path = "run/server.rs"]
mod server;
mod shown;

use std::collections::BTreeSet;
use std::path::Path;

use loadtest_operator::cli::command;
use serde_json::Value;
use server::Server;
use shown::shell::Shell;
use shown::table::{By, TABLE, line, of};
use shown::{Shown, of_page, root, shown};

const PROGRAM: &str = env!("CARGO_BIN_EXE_loadtest");

fn text_of(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn every_command_that_is_shown_is_run_by_a_test_or_excused_by_name() {
    let shown = shown();
    let unknown: Vec<String> = shown
        .iter()
        .filter(|one| line(&one.text).is_none())
        .map(|one| format!("{}:{}: {}", one.file, one.line, one.text))
        .collect();
    assert!(unknown.is_empty(), "tests/shown/table.rs says of none of these who runs it:\n{}", unknown.join("\n"));
    let used: BTreeSet<usize> = shown.iter().filter_map(|one| line(&one.text)).collect();
    let unused: Vec<&str> = (0..TABLE.len()).filter(|at| !used.contains(at)).map(|at| TABLE[at].0).collect();
    assert!(unused.is_empty(), "nothing that is shown begins like this any more: {unused:?}");
}

#[test]
fn the_scripts_that_run_the_others_do_so_and_make_knows_its_targets() {
    for (first, by) in TABLE {
        if let By::Script(file, words) = by {
            assert!(text_of(file).contains(words), "{file} has no {words:?} any more, by which {first:?} was run");
        }
    }
    let makefile = text_of("Makefile");
    for one in shown().iter().filter(|one| one.text.starts_with("make ")) {
        let target = one.text.split_whitespace().nth(1).unwrap();
        assert!(makefile.lines().any(|line| line.starts_with(&format!("{target}:"))), "{one:?}");
    }
}

/// The command lines of this program, without its own name.
fn own() -> Vec<(Shown, Vec<String>)> {
    let words_of = |one: Shown| {
        let mut words = words(&one.text.replace("cargo run --bin loadtest -- ", "loadtest "));
        let own = match words.as_slice() {
            [first, ..] if first == "loadtest" => 1,
            [first, second, ..] if first == "kubectl" && second == "loadtest" => 2,
            _ => return None,
        };
        Some((one, words.split_off(own)))
    };
    let is_one = |one: &Shown| !matches!(line(&one.text).map(|at| TABLE[at].1), Some(By::NotOne(_)));
    shown().into_iter().filter(is_one).filter_map(words_of).collect()
}

#[test]
fn every_command_that_is_shown_is_understood() {
    let own = own();
    assert!(own.len() > 40, "{own:?}");
    for (one, words) in &own {
        let words = words.iter().map(String::as_str).filter(|word| *word != "…");
        if let Err(error) = command().try_get_matches_from(std::iter::once("loadtest").chain(words)) {
            let help =
                matches!(error.kind(), clap::error::ErrorKind::DisplayHelp | clap::error::ErrorKind::DisplayVersion);
            assert!(help, "{}:{}: {}\n{error}", one.file, one.line, one.text);
        }
    }
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

/// A command that kubectl would hand on to its plugin, where there is no kubectl.
fn without_kubectl(text: &str) -> String {
    text.strip_prefix("kubectl ").unwrap_or(text).to_owned()
}

#[test]
fn what_needs_no_cluster_and_no_application_is_run_as_it_is_shown() {
    let shell = Shell::new(Path::new(PROGRAM), "").with_files();
    let alone: Vec<Shown> = of(By::Alone).into_iter().filter(|one| !one.text.contains("loadtest run")).collect();
    assert!(alone.len() >= 5, "{alone:?}");
    for one in &alone {
        shell.must(&format!("{}:{}", one.file, one.line), &without_kubectl(&one.text));
    }
    let plugin = shell.path(".local/bin/kubectl_complete-loadtest");
    assert!(std::fs::read_to_string(plugin).unwrap().starts_with("#!"), "the file that kubectl asks");
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
    let runs: Vec<_> = own().into_iter().filter(|(_, words)| words[0] == "run").collect();
    assert!(runs.len() >= 8, "{runs:?}");
    for (one, words) in runs {
        let shell = Shell::new(Path::new(PROGRAM), &server.url(""));
        for file in ["test.yaml", "lt.yaml"] {
            shell.write(file, &manifest(&words, &server));
        }
        let asked = server.count();
        let output = shell.run(&without_kubectl(&one.text));
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        // A machine that is busy with other tests may send late, and says so.
        let (passed, late) =
            (output.status.success(), output.status.code() == Some(3) && said.contains("GeneratorSaturated"));
        assert!(passed || late, "{}:{}: {}\n{said}", one.file, one.line, one.text);
        assert!(server.count() > asked, "{} sent nothing", one.text);
        let ours = shell.put_in(&one.text);
        let path = ours.split_whitespace().find_map(|word| word.strip_prefix(&server.url(""))).unwrap_or("/");
        assert!(server.lines().iter().any(|line| line.contains(&format!(" {path} "))), "nobody asked for {path}");
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
    for word in ["deps", "test", "deny", "release", "reproducible"] {
        assert!(made.iter().any(|made| made == word) && target(&word.to_owned()), "make {word} in {made:?}");
    }
}

#[test]
fn a_line_is_split_as_a_shell_does() {
    assert_eq!(
        words(r#"loadtest run -d '{"a": 1}' "x y" > out # why"#),
        ["loadtest", "run", "-d", r#"{"a": 1}"#, "x y"]
    );
}

#[test]
fn commands_are_found_in_blocks_and_sentences_and_nowhere_else() {
    let page = "## One\n\nRun `kubectl get lt -A` or `kubectl`.\n\n    $ make x \\\n      y   # why\n\n    z\n\n```yaml\nkubectl: no\n```\n\n- a\n    text\n\n```console\n$ helm list -A\n```\n";
    let found: Vec<(usize, String)> = of_page("p.md", page).into_iter().map(|one| (one.line, one.text)).collect();
    let wanted = [(3, "kubectl get lt -A"), (5, "make x y   # why"), (8, "z"), (18, "helm list -A")];
    assert_eq!(found, wanted.map(|(line, text)| (line, text.to_owned())));
}
