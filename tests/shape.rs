//! The shape of the house: files that are read in one sitting, nothing left lying about, no right beyond the list, and a test for each
//! rule of the protocol.

mod source;

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;
use source::sources;

#[test]
fn every_file_is_read_in_one_sitting() {
    for source in sources() {
        let (lines, most) = (source.text.lines().count(), if source.is_test { 500 } else { 420 });
        assert!(lines <= most, "src/{} has {lines} lines, more than {most}: split it by noun", source.path);
    }
}

#[test]
fn every_file_says_what_it_is() {
    for source in sources().iter().filter(|source| source.path != "main.rs" && !source.is_test) {
        assert!(source.text.starts_with("//! "), "src/{} does not begin with //!", source.path);
    }
}

#[test]
fn nothing_panics_on_input_and_nothing_is_left_to_do() {
    let left = Regex::new(r"\bunsafe\b|\.unwrap\(\)|\b(todo|unimplemented|dbg)!").unwrap();
    for source in sources().iter().filter(|source| !source.is_test) {
        let found: Vec<&str> = left.find_iter(&source.product).map(|found| found.as_str()).collect();
        assert!(found.is_empty(), "src/{}: {found:?}", source.path);
    }
}

/// Group/resource, and verbs by name, of each rule that the chart gives the operator in a namespace.
fn rights_of_the_chart() -> BTreeMap<String, String> {
    let helpers = text_of("charts/loadtest-operator/templates/_helpers.tpl");
    let (_, rules) = helpers.split_once("{{- define \"loadtest.rules\" -}}\n").expect("the chart's rules");
    let rules: Vec<Value> = serde_saphyr::from_str(rules.split_once("{{- end }}").unwrap().0).unwrap();
    let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let words = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    for rule in &rules {
        for group in words(&rule["apiGroups"]) {
            for resource in words(&rule["resources"]) {
                given.entry(format!("{group}/{resource}")).or_default().extend(words(&rule["verbs"]));
            }
        }
    }
    given.values_mut().for_each(|verbs| verbs.sort());
    given.into_iter().map(|(what, verbs)| (what, verbs.join(" "))).collect()
}

/// The same, as docs/security.md says it.
fn rights_of_the_page() -> BTreeMap<String, String> {
    let line = Regex::new(r"(?m)^\| `([a-z0-9.]*/[a-z/]+)` \| ([a-z ]+) \|").unwrap();
    let page = text_of("docs/security.md");
    line.captures_iter(&page).map(|parts| (parts[1].to_owned(), parts[2].to_owned())).collect()
}

#[test]
fn the_chart_gives_the_operator_the_rights_that_the_page_says_and_no_other() {
    let given = rights_of_the_chart();
    assert_eq!(given, rights_of_the_page());
    assert!(given.len() > 10);
    let forbidden = |what: &&String| what.contains("secrets") || what.contains("exec") || what.contains('*');
    assert_eq!(given.keys().find(forbidden), None);
    assert_eq!(given["/pods"], "delete list patch", "no pod is made by the operator itself");
}

fn text_of(path: &str) -> String {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Lines of the tests' table in docs/protocol.md: the number before, file and name.
fn named_tests() -> Vec<(u32, String, String)> {
    let protocol = text_of("docs/protocol.md");
    let (_, table) = protocol.split_once("\n## 10. ").expect("the section of the tests");
    let line = Regex::new(r"^\| (\d*) ?\|.*\| [PFAN] \| (?:`([^`]+)` `([^`]+)`|the same) \|$").unwrap();
    let (mut number, mut named) = (0, Vec::<(u32, String, String)>::new());
    for text in table.lines().filter(|text| text.starts_with("| ")) {
        let Some(parts) = line.captures(text) else {
            assert!(text.contains("what is shown"), "a line that is no test: {text}");
            continue;
        };
        number = parts[1].parse().unwrap_or(number);
        let test = match (parts.get(2), parts.get(3)) {
            (Some(file), Some(name)) => (number, file.as_str().to_owned(), name.as_str().to_owned()),
            _ => (number, named.last().unwrap().1.clone(), named.last().unwrap().2.clone()),
        };
        named.push(test);
    }
    named
}

#[test]
fn every_rule_of_the_protocol_has_a_test_that_is_there() {
    let named = named_tests();
    let mut numbers: Vec<u32> = named.iter().map(|(number, _, _)| *number).collect();
    numbers.dedup();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
    for (number, file, name) in named {
        assert_is_a_test(&number.to_string(), &file, &name);
    }
}

/// A Rust test, or a sentence of a script's check.
fn assert_is_a_test(what: &str, file: &str, name: &str) {
    let text = text_of(file);
    let wanted = if file.ends_with(".rs") { format!("fn {name}()") } else { format!("\"{name}\"") };
    let (before, _) = text.split_once(&wanted).unwrap_or_else(|| panic!("{what}: no {name} in {file}"));
    let marked = !file.ends_with(".rs") || before.lines().rev().take(3).any(|line| line.trim_start().starts_with("#["));
    assert!(marked, "{what}: {name} in {file} is no test");
}

#[test]
fn every_attack_of_the_list_has_a_test_that_is_there() {
    let page = text_of("docs/security.md");
    let (_, list) = page.split_once("\n## What a hostile tenant tries\n").expect("the list");
    let list = list.split("\n## ").next().unwrap();
    let line = Regex::new(r"^\| ([^|]+) \| [^|]+ \| `([^`]+)` `([^`]+)` \|$").unwrap();
    let attacks: Vec<&str> =
        list.lines().filter(|text| text.starts_with("| ") && !text.starts_with("| attack ")).collect();
    assert!(attacks.len() > 30, "{}", attacks.len());
    for attack in attacks {
        let parts =
            line.captures(attack).unwrap_or_else(|| panic!("no attack with what prevents it and a test: {attack}"));
        assert_is_a_test(&parts[1], &parts[2], &parts[3]);
    }
}
