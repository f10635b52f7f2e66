//! The repository's examples in a shortened form, run to their end.

use serde_json::Value;

use crate::checks::condition;
use crate::space::{Space, documents};

/// Names in the examples for the demo, and those of the demo application of a scenario ([`crate::application::tasks`]).
const NAMES: [(&str, &str); 3] = [("demo-api", "api"), ("demo-worker", "worker"), ("demo-db", "db")];

/// A file of examples/.
pub fn example(path: &str) -> String {
    let path = format!("{}/examples/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// An example with some of its words replaced, each of which must be there.
pub fn shortened(path: &str, words: &[(&str, &str)]) -> Value {
    let shorten = |text: String, (from, to): &(&str, &str)| {
        assert!(text.contains(from), "{path} does not say {from:?}");
        text.replace(from, to)
    };
    let mut test = documents(&words.iter().fold(example(path), shorten)).remove(0);
    test["metadata"].as_object_mut().unwrap().remove("namespace");
    test
}

/// The same of an example for the demo, for the demo application of a scenario.
pub fn shortened_demo(path: &str, words: &[(&str, &str)]) -> Value {
    let renamed = |text: &str| NAMES.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    let text = shortened(path, words).to_string();
    serde_json::from_str(&renamed(&text)).unwrap()
}

/// What a row says under this name in one of its lists; null when it is not there.
pub fn figure<'a>(row: &'a Value, list: &str, name: &str) -> &'a Value {
    let found = row[list].as_array().and_then(|all| all.iter().find(|figure| figure["name"] == name));
    found.unwrap_or(&Value::Null)
}

/// The number of a figure, which must be there.
pub fn number(figure: &Value) -> f64 {
    let number = figure.as_f64().or_else(|| figure.as_str()?.parse().ok());
    number.unwrap_or_else(|| panic!("no number: {figure}"))
}

/// The table of the status as cells, head and rule first.
pub fn cells(test: &Value) -> Vec<Vec<String>> {
    let table = test["status"]["table"].as_str().unwrap();
    let lines = table.lines().filter(|line| line.starts_with('|'));
    lines.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// The headings that a LoadTest asks for by `columns`.
pub fn headings(test: &Value) -> Vec<&str> {
    test["spec"]["columns"].as_array().unwrap().iter().map(|column| column["title"].as_str().unwrap()).collect()
}

impl Space {
    /// Runs a test to its end, which is one of `reasons`, or as good as a busy node allows: how late it sends is not asserted.
    pub async fn ends_with(&self, test: &Value, reasons: &[&str]) -> Value {
        self.cluster.create(&self.name, test, false).await.unwrap();
        let ended = self.ended(test["metadata"]["name"].as_str().unwrap()).await;
        let ready = condition(&ended, "Ready");
        let known = reasons.iter().chain(&["GeneratorSaturated"]).any(|word| ready["reason"] == *word);
        assert!(known, "{ready}: {}", ended["status"]["results"]);
        ended
    }

    /// The same of a test that meets its thresholds.
    pub async fn judged(&self, test: &Value) -> Value {
        self.ends_with(test, &["ThresholdsMet"]).await
    }
}
