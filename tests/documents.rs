//! The pages of the documents: each is in the site's summary, and no link leads nowhere.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use regex::Regex;
use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Pages below a folder, by their paths from the root of the repository.
fn pages(folder: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap()) {
        let path = format!("{folder}/{}", entry.file_name().display());
        if entry.path().is_dir() {
            found.extend(pages(&path));
        } else if path.ends_with(".md") {
            found.insert(path);
        }
    }
    found
}

/// Where the links of a page lead, from the root; without those to other hosts. Code holds none.
fn links(page: &str) -> Vec<(String, String)> {
    let fenced = Regex::new(r"(?s)```.*?```|`[^`\n]*`").unwrap();
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let text = text(page);
    let text = fenced.replace_all(&text, "");
    let targets = link.captures_iter(&text).map(|found| found[1].to_owned());
    let local = targets.filter(|target| !target.contains("://"));
    let from = Path::new(page).parent().unwrap().to_owned();
    local
        .map(|target| {
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path = if path.is_empty() { page.to_owned() } else { plain(&from.join(path)) };
            (path, anchor.to_owned())
        })
        .collect()
}

/// Without `..`.
fn plain(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            _ => {}
        }
    }
    parts.join("/")
}

/// The anchors that GitHub and mdBook give to a page's headings.
fn anchors(page: &str) -> BTreeSet<String> {
    let heading = Regex::new(r"(?m)^#+ +(.+)$").unwrap();
    let text = text(page);
    let slug = |title: &str| -> String {
        let kept =
            title.to_lowercase().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>();
        kept.replace(' ', "-")
    };
    heading.captures_iter(&text).map(|found| slug(found[1].trim())).collect()
}

#[test]
fn every_page_is_in_the_summary_once() {
    let listed: Vec<String> = links("docs/SUMMARY.md").into_iter().map(|(path, _)| path).collect();
    let once: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(once.len(), listed.len(), "a page is listed twice");
    let mut wanted = pages("docs");
    wanted.remove("docs/SUMMARY.md");
    let missing: Vec<&String> = wanted.difference(&once).collect();
    assert!(missing.is_empty(), "not in docs/SUMMARY.md: {missing:?}");
}

#[test]
fn no_link_leads_nowhere() {
    let mut pages = pages("docs");
    pages.extend(["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"].map(str::to_owned));
    for page in &pages {
        for (path, anchor) in links(page) {
            assert!(root().join(&path).exists(), "{page} leads to {path}, which is not there");
            let known = anchor.is_empty() || !path.ends_with(".md") || anchors(&path).contains(&anchor);
            assert!(known, "{page} leads to {path}#{anchor}, a heading that is not there");
        }
    }
}

#[test]
fn every_reason_has_its_line_and_what_to_do() {
    let page = text("docs/reasons.md");
    for reason in loadtest_operator::api::Reason::ALL {
        let line = page.lines().find(|line| line.starts_with(&format!("| `{reason}` |")));
        let line = line.unwrap_or_else(|| panic!("docs/reasons.md has no line of {reason}; make generate"));
        assert_eq!(line.matches(" | ").count(), 2, "{line}");
    }
}

/// The values that the chart's schema knows, as the words of their paths. Of `resources` Kubernetes says what is in it.
fn values(schema: &Value, path: &[String], found: &mut Vec<Vec<String>>) {
    match schema["properties"].as_object() {
        Some(properties) if path.len() != 1 || path[0] != "resources" => {
            for (name, value) in properties.iter().filter(|(name, _)| *name != "global") {
                values(value, &[path, std::slice::from_ref(name)].concat(), found);
            }
        }
        _ => found.push(path.to_vec()),
    }
}

#[test]
fn the_chart_s_page_names_every_value_and_the_templates_read_it() {
    let page = text("charts/loadtest-operator/README.md");
    let names = Regex::new(r"\w+").unwrap();
    let row = |line: &str| -> BTreeSet<String> {
        let cell = line.split('|').nth(1).unwrap_or_default();
        names.find_iter(cell).map(|name| name.as_str().to_owned()).collect()
    };
    let rows: Vec<BTreeSet<String>> = page.lines().filter(|line| line.starts_with("| `")).map(row).collect();
    let templates = root().join("charts/loadtest-operator/templates");
    let read = |entry: std::io::Result<std::fs::DirEntry>| std::fs::read_to_string(entry.unwrap().path()).ok();
    let templates: String = std::fs::read_dir(templates).unwrap().filter_map(read).collect();
    let (mut all, schema) = (Vec::new(), text("charts/loadtest-operator/values.schema.json"));
    values(&serde_json::from_str(&schema).unwrap(), &[], &mut all);
    assert!(all.len() > 40, "{all:?}");
    for path in all {
        assert!(rows.iter().any(|row| path.iter().all(|name| row.contains(name))), "no row names {}", path.join("."));
        assert!(templates.contains(&format!(".Values.{}", path[0])), "nothing reads {}", path.join("."));
        // The configuration is handed on as a whole; the operator refuses what it doesn't know.
        let last = path.last().unwrap();
        assert!(path[0] == "config" || templates.contains(&format!(".{last}")), "nothing reads {}", path.join("."));
    }
}
