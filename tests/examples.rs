//! The examples are accepted, the refused ones are refused with the words that they say, and a real API server agrees.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use loadtest_operator::api::LoadTest;
use loadtest_operator::plan::{Checked, check_documents};
use serde_json::Value;

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Name and text of the YAML files right in a folder, by name.
fn files(path: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder(path)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|file| file.extension().is_some_and(|e| e == "yaml")).collect();
    files.sort();
    let read =
        |file: &PathBuf| (file.file_name().unwrap().display().to_string(), std::fs::read_to_string(file).unwrap());
    files.iter().map(read).collect()
}

/// A manifest that must be refused.
struct Refused {
    file: String,
    text: String,
    want: String,
    by_schema: bool,
}

fn refused() -> Vec<Refused> {
    let line = |file: &str, text: &str, key: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix(key));
        found.unwrap_or_else(|| panic!("{file} has no line {key:?}")).to_owned()
    };
    let read = |(file, text): (String, String)| {
        let (want, by) = (line(&file, &text, "# want: "), line(&file, &text, "# by: "));
        assert!(by == "schema" || by == "validate", "{file}: refused by {by}?");
        Refused { want, by_schema: by == "schema", file, text }
    };
    files("examples/refused").into_iter().map(read).collect()
}

fn said(checked: &Checked) -> String {
    let errors = checked.plan.as_ref().err().into_iter().flatten();
    errors.map(|error| format!("{error}\n")).collect()
}

#[test]
fn every_example_is_valid_and_has_rows() {
    let files = files("examples");
    assert!(files.len() >= 7, "{}", files.len());
    for (file, text) in files {
        let checked = check_documents(&text);
        assert!(!checked.is_empty(), "{file} holds no LoadTest");
        for test in checked {
            assert!(
                test.plan.as_ref().is_ok_and(|plan| !plan.rows.is_empty()),
                "{file}: {}\n{}",
                test.name,
                said(&test)
            );
        }
    }
}

#[test]
fn the_types_know_every_field_of_every_example_and_lose_none() {
    for (file, text) in files("examples") {
        for mut document in serde_saphyr::from_multiple::<Value>(&text).unwrap() {
            let mut unknown = Vec::new();
            let test: LoadTest =
                serde_ignored::deserialize(document.clone(), |path| unknown.push(path.to_string())).unwrap();
            unknown.retain(|path| path != "apiVersion" && path != "kind");
            assert!(unknown.is_empty(), "{file}: {unknown:?}");
            let again = serde_json::to_value(&test).unwrap();
            document.as_object_mut().unwrap().retain(|name, _| name == "spec");
            assert!(
                contains(&again["spec"], &document["spec"]),
                "{file}: a field is lost on the way through the types"
            );
        }
    }
}

/// Whether all of `part` stands in `whole`, which may have defaults beside it.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, field)| whole.get(name).is_some_and(|own| contains(own, field)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(own, item)| contains(own, item))
        }
        (whole, part) => whole == part,
    }
}

#[test]
fn every_refused_manifest_is_refused_with_the_words_it_says() {
    let refused = refused();
    assert!(refused.len() >= 20, "{}", refused.len());
    assert!(refused.iter().any(|r| r.by_schema) && refused.iter().any(|r| !r.by_schema));
    for manifest in refused {
        let checked = check_documents(&manifest.text);
        assert_eq!(checked.len(), 1, "{}", manifest.file);
        let errors = said(&checked[0]);
        assert!(errors.contains(&manifest.want), "{}: wanted {:?}, got\n{errors}", manifest.file, manifest.want);
        let path = |line: &str| ["spec", "metadata"].iter().any(|part| line.starts_with(part));
        assert!(errors.lines().all(path), "{}: an error names no field\n{errors}", manifest.file);
    }
}

#[test]
fn the_command_line_says_the_same_with_its_exit_code() {
    let validate = |file: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_loadtest")).arg("validate").arg(folder(file)).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = validate("examples/sizes.yaml");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("is valid: 12 rows") && text.contains("row 12  api.replicas=5"), "{text}");
    assert!(!text.contains("note:"), "{text}");
    let (code, text) = validate("examples/pulp-task-ingestion.yaml");
    assert_eq!(code, Some(0), "{text}");
    let note = "note: spec.thresholds[3]: 10 of 10 rows may be too short for database.cpuPercent.maximum";
    assert!(text.contains(note), "{text}");
    assert!(!validate("examples/pulp-task-ingestion-long.yaml").1.contains("note:"));
    let (code, text) = validate("examples/refused/01-clients-and-rate.yaml");
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("  spec.loads[0]: Invalid value: set at most one of clients, rate"), "{text}");
    assert_eq!(validate("examples/there-is-none.yaml").0, Some(2));
    assert_eq!(validate("Cargo.toml").0, Some(3), "no YAML");
}

/// A server dry run of each document, in the namespace `default`; `Err` is what kubectl said.
fn dry_run(text: &str) -> Result<(), String> {
    let kubectl = std::env::var_os("LOADTEST_KUBECTL").unwrap_or_else(|| "kubectl".into());
    let config = std::env::var_os("LOADTEST_KUBECONFIG").unwrap();
    let mut documents = String::new();
    for mut document in serde_saphyr::from_multiple::<Value>(text).unwrap() {
        document["metadata"]["namespace"] = "default".into();
        documents.push_str(&format!("---\n{}\n", serde_json::to_string(&document).unwrap()));
    }
    let mut child = Command::new(kubectl)
        .arg("--kubeconfig")
        .arg(config)
        .args(["apply", "--dry-run=server", "--validate=strict", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("LOADTEST_KUBECTL names kubectl");
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), documents.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

#[test]
fn a_real_api_server_agrees() {
    if std::env::var_os("LOADTEST_KUBECONFIG").is_none() {
        eprintln!("skipped: LOADTEST_KUBECONFIG names no cluster with the CustomResourceDefinition");
        return;
    }
    for (file, text) in files("examples") {
        assert_eq!(dry_run(&text), Ok(()), "{file}");
    }
    for manifest in refused() {
        let answer = dry_run(&manifest.text);
        match answer {
            Err(said) if manifest.by_schema => {
                assert!(said.contains(&manifest.want), "{}: wanted {:?}, got\n{said}", manifest.file, manifest.want);
            }
            answer => assert_eq!(answer.is_ok(), !manifest.by_schema, "{}: {answer:?}", manifest.file),
        }
    }
}
