//! Imports run one way. These tests read the source text and fail on a forbidden edge (docs/architecture.md, "The floors").

mod source;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use source::{Source, folder_of, paths, sources};

/// Floors from the ground up; an import goes to a lower one.
const FLOORS: [&[&str]; 5] = [
    &["api"],
    &["plan", "results", "report"],
    &["lifecycle", "build", "engine", "evidence/aws", "evidence/live", "evidence/cluster"],
    &["controller", "agents"],
    &["cli"],
];

/// On one floor only these, all one way.
const SAME_FLOOR: [(&str, &str); 3] = [("results", "plan"), ("report", "plan"), ("report", "results")];

/// Downwards, and forbidden all the same: the operator asks no URL of a manifest, an agent no cluster and no AWS.
const NEVER: [(&str, &str); 3] =
    [("controller", "evidence/live"), ("controller", "engine"), ("agents", "evidence/aws")];

/// Beside the floors: imports nothing of the product, and is used by the upper two.
const BESIDE: &str = "runtime";

/// No I/O, no clock, no environment: the same values in, the same values out.
const PURE: [&str; 7] = ["api", "plan", "lifecycle", "results", "build", "report", "evidence/cluster"];

/// What a pure folder may take of kube.
const PURE_KUBE: [&str; 6] = ["core", "CustomResource", "CustomResourceExt", "KubeSchema", "Resource", "ResourceExt"];

/// What a pure folder may not name, and why.
const IMPURE: [(&str, &str); 5] = [
    (r"\btokio\b|\bfutures\b", "waits"),
    (
        r"\b(aws_(config|sdk|smithy|types)\w*|reqwest|hyper|hyper_util|tokio_postgres)\b|\b(Tcp|Udp)\w+",
        "uses the network",
    ),
    (r"\bstd::(env|fs|process|thread)\b|\benv::(var|args)|\bfs::\w+\(|\be?print(ln)?!", "touches its surroundings"),
    (r"\bSystemTime\b|\b(Timestamp|Instant|Zoned)::now\b", "looks at the clock"),
    (r"\bnew_v4\b|\brand\b", "throws dice"),
];

/// A crate (or a part of it) and the only folders that may name it.
const USERS: [(&str, &[&str]); 9] = [
    (r"\bkube::(\{[^}]*\b)?(Client|client|Api|api|runtime|Config|config)\b", &["controller", "cli"]),
    (r"\bkube\b", &["api", "plan", "lifecycle", "results", "build", "report", "evidence/cluster", "controller", "cli"]),
    (r"\bk8s_openapi\b", &["api", "build", "evidence/cluster", "controller", "cli"]),
    (r"\baws_(config|sdk|smithy|types|credential)\w*", &["evidence/aws"]),
    (r"\b(reqwest|tokio_postgres)\b", &["evidence/live"]),
    (r"\bhyper(_util)?\b", &[]),
    (r"\baxum\b", &["runtime"]),
    (r"\b(prometheus|tower)\b", &["controller", "runtime"]),
    (r"\bcore::v1::(\{[^}]*\b)?Secret\b", &[]),
];

/// The patterns of the tables above, compiled once.
static COMPILED: LazyLock<BTreeMap<&str, Regex>> = LazyLock::new(|| {
    let tables = IMPURE.iter().map(|(pattern, _)| *pattern).chain(USERS.iter().map(|(pattern, _)| *pattern));
    tables.chain([PATH, KUBE]).map(|pattern| (pattern, Regex::new(pattern).unwrap())).collect()
});

/// Where a path of the product begins.
const PATH: &str = r"\bcrate::|\b(super::)+";

/// Where a path of kube begins.
const KUBE: &str = r"\bkube::";

fn floor(folder: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&folder))
}

/// Why `from` may not import `to`.
fn forbidden(from: &str, to: &str) -> Option<&'static str> {
    if from == to || to.is_empty() {
        return None;
    }
    if NEVER.contains(&(from, to)) {
        return Some("is forbidden for the sake of what it may talk to");
    }
    match (floor(from), floor(to)) {
        _ if from == BESIDE => Some("is part of the product"),
        (Some(from), None) if to == BESIDE => (from < 3).then_some("is for the upper floors"),
        (Some(above), Some(below)) if above > below => None,
        (Some(_), Some(_)) if SAME_FLOOR.contains(&(from, to)) => None,
        (Some(above), Some(below)) if above == below => Some("is on the same floor"),
        (Some(_), Some(_)) => Some("is above"),
        _ => Some("has no floor; give it one in tests/layers.rs"),
    }
}

/// The folders of the product that a file names, by `crate::` and by `super::`.
fn imports(source: &Source) -> Vec<String> {
    let code = &source.product;
    let stem = source.path.trim_end_matches(".rs").trim_end_matches("/mod");
    let module: Vec<&str> = stem.split('/').collect();
    let mut found = Vec::new();
    for prefix in COMPILED[PATH].find_iter(code) {
        let up = prefix.as_str().matches("super::").count();
        // A file of tests has modules in it; those climb one more.
        let base = if up == 0 { &[][..] } else { &module[..module.len().saturating_sub(up)] };
        for path in paths(&code[prefix.end()..]) {
            let whole: Vec<&str> = base.iter().copied().chain(path.iter().map(String::as_str)).collect();
            found.push(folder_of(&whole));
        }
    }
    // Macros and functions of lib.rs itself are nobody's folder.
    found.retain(|folder| floor(folder).is_some() || folder == BESIDE || folder == "evidence");
    found
}

fn wrong_edges(source: &Source) -> Vec<String> {
    let from = source.folder();
    let wrong = |to: String| forbidden(&from, &to).map(|why| format!("{}: {from} -> {to} {why}", source.path));
    imports(source).into_iter().filter_map(wrong).collect()
}

fn impurities(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let from = source.folder();
    if source.is_test || !PURE.contains(&from.as_str()) {
        return found;
    }
    for (pattern, what) in IMPURE {
        for part in COMPILED[pattern].find_iter(&source.product) {
            found.push(format!("{}: {} {what}, but {from} is pure", source.path, part.as_str()));
        }
    }
    for kube in COMPILED[KUBE].find_iter(&source.product) {
        for path in paths(&source.product[kube.end()..]).iter().filter(|path| !PURE_KUBE.contains(&path[0].as_str())) {
            found.push(format!("{}: kube::{}, but {from} is pure", source.path, path[0]));
        }
    }
    found
}

fn wrong_users(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let from = source.folder();
    for (pattern, users) in USERS.iter().filter(|(_, users)| !source.is_test && !users.contains(&from.as_str())) {
        for part in COMPILED[pattern].find_iter(&source.product) {
            found.push(format!("{}: {} belongs to {users:?} only", source.path, part.as_str()));
        }
    }
    found
}

fn all(look: impl Fn(&Source) -> Vec<String>) -> Vec<String> {
    sources().iter().flat_map(look).collect()
}

const NONE: [String; 0] = [];

#[test]
fn no_import_goes_up_or_sideways() {
    assert_eq!(all(wrong_edges), NONE);
}

#[test]
fn what_is_pure_has_no_network_no_clock_and_no_environment() {
    assert_eq!(all(impurities), NONE);
}

#[test]
fn kubernetes_aws_http_and_postgresql_have_their_only_users() {
    assert_eq!(all(wrong_users), NONE);
}

#[test]
fn every_folder_has_a_floor_and_main_knows_the_command_line_only() {
    for source in sources() {
        let folder = source.folder();
        let known = floor(&folder).is_some() || folder == BESIDE || source.path == "evidence/mod.rs";
        assert!(known || ["lib.rs", "main.rs"].contains(&source.path.as_str()), "{} has no floor", source.path);
        if source.path == "main.rs" {
            let names: Vec<&str> = source.product.split("loadtest_operator::").skip(1).collect();
            assert!(!names.is_empty() && names.iter().all(|name| name.starts_with("cli::")), "{names:?}");
        }
    }
}

#[test]
fn the_reader_sees_the_edges_that_are_there() {
    let files = sources();
    let edge = |from: &str, to: &str| files.iter().any(|s| s.folder() == from && imports(s).contains(&to.to_owned()));
    for (from, to) in [("cli", "controller"), ("controller", "evidence/aws"), ("agents", "engine"), ("results", "plan")]
    {
        assert!(edge(from, to), "{from} -> {to} is not seen");
    }
    let tests = files.iter().filter(|source| source.is_test).count();
    assert!(tests >= 10 && tests * 2 < files.len(), "{tests} of {} files are tests", files.len());
}

#[test]
fn planted_imports_are_found() {
    let in_file = |path: &str, text: &str| Source::new(path, text, false);
    for (path, text) in [
        ("plan/x.rs", "use crate::controller::run;"),
        ("plan/x.rs", "use crate::{api::Load, results::row};"),
        ("plan/x.rs", "fn f() { crate::build::names(); }"),
        ("plan/x.rs", "use super::super::lifecycle::decide;"),
        ("controller/x.rs", "use crate::evidence::{aws, live::http};"),
        ("agents/x.rs", "use crate::evidence::aws;"),
        ("evidence/live/x.rs", "use super::super::aws::rds;"),
        ("engine/x.rs", "use crate::runtime::server;"),
        ("runtime/x.rs", "use crate::api::Load;"),
        ("api/x.rs", "use crate::plan::plan;"),
    ] {
        assert_eq!(wrong_edges(&in_file(path, text)).len(), 1, "{path}: {text}");
    }
    for text in [
        "use tokio::time;",
        "let t = jiff::Timestamp::now();",
        "use kube::{Client, core::Rule};",
        "use kube::runtime::watcher;",
        "let v = std::env::var(name);",
        "println!(\"x\");",
    ] {
        assert_eq!(impurities(&in_file("results/x.rs", text)).len(), 1, "{text}");
    }
    for (path, text) in [
        ("engine/x.rs", "use k8s_openapi::api::core::v1::Pod;"),
        ("controller/x.rs", "use reqwest::Client;"),
        ("controller/x.rs", "use aws_sdk_rds::Client;"),
        ("controller/x.rs", "use k8s_openapi::api::core::v1::{Pod, Secret};"),
        ("evidence/cluster/x.rs", "use kube::Api;"),
    ] {
        assert_eq!(wrong_users(&in_file(path, text)).len(), 1, "{path}: {text}");
    }
}

#[test]
fn comments_texts_and_tests_are_no_imports() {
    let text = "//! crate::controller\nconst A: &str = \"crate::controller 'x'\"; const Q: char = '\"'; /* tokio */\n\
        fn f<'a>(x: &'a str) -> &'a str { x } const R: &str = r#\"tokio \"std::fs\" \"#;\n\
        #[cfg(test)]\nmod tests { fn g() { if true { tokio::spawn(); } } }\nuse crate::api::Load;";
    let source = Source::new("plan/x.rs", text, false);
    assert_eq!(imports(&source), ["api"]);
    assert_eq!(wrong_edges(&source), NONE);
    assert_eq!(impurities(&source), NONE);
}
