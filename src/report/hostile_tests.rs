//! Texts of a manifest, an application or a log that attack whoever reads the report.

use serde_json::json;

use super::tests::files_of;
use super::*;
use crate::results::fixture::good;

/// A formula, a terminal's escape, a new line of a table, and markup that runs something.
const HOSTILE: &str = "=1\u{1b}[2J\n| <img src=x onerror=alert(1)></script><script>alert(1)</script> ]]><!-- &";

/// All forms of the report of a test in which every text that anybody may write is hostile.
fn forms() -> BTreeMap<String, String> {
    let mut scene = good(60).threshold(json!({"metric": "latency.p99Ms", "max": 10}));
    scene.planned.set[0].value = HOSTILE.into();
    let title = |title: &str, from: &str, what: &str| json!({"title": title, from: what});
    scene.spec.columns = serde_json::from_value(json!([
        title("Run", "metric", "run"),
        title(&HOSTILE.chars().take(48).collect::<String>(), "text", &HOSTILE.chars().take(64).collect::<String>()),
        title("Set", "metric", "set.ingest.rate"),
        title("Said", "metric", "observations"),
    ]))
    .expect("columns");
    scene.facts.push(crate::results::row_input::Fact { reason: None, message: HOSTILE.into() });
    let mut files = files_of(&scene, &BTreeMap::new());
    let results = Results::read(&files["results.json"]).expect("results");
    files.insert("report.html".into(), html::html(&results));
    files.insert("comment.md".into(), comment::comment(&results, &files["table.md"]));
    scene.spec.columns.clear();
    files.insert("metrics.csv".into(), files_of(&scene, &BTreeMap::new())["results.csv"].clone());
    files
}

#[test]
fn hostile_text_is_no_markup_no_escape_and_no_formula_in_any_form_of_the_report() {
    let forms = forms();
    assert!(forms.values().filter(|text| text.contains("onerror")).count() >= 5, "the hostile text is in none of them");
    for (name, text) in &forms {
        let control = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(control, None, "{name}: {text}");
        if name.ends_with(".md") || name.ends_with(".xml") || name.ends_with(".html") {
            assert!(!text.contains("<img src") && !text.contains("<script>alert"), "{name}: {text}");
        }
    }
    assert_eq!(forms["report.html"].matches("<script").count(), 1, "the results, as data");
    for name in ["results.csv", "metrics.csv"] {
        let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(forms[name].as_bytes());
        let cells: Vec<String> = reader
            .records()
            .flat_map(|line| line.expect("a line").iter().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        assert!(cells.len() > 6 && !cells.iter().any(|cell| cell.starts_with('=') || cell.contains('\n')), "{cells:?}");
    }
    let table: Vec<&str> = forms["table.md"].lines().filter(|line| line.starts_with('|')).collect();
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    assert!(table[..3].iter().all(|line| cells(line) == cells(table[0])), "{table:?}");
}
