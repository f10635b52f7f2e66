//! Two runs side by side, if their fingerprints say that they may be compared.

use super::Results;
use crate::api::{Fingerprint, Row, RowVerdict};
use crate::results::figures::decimal::human;
use crate::results::figures::note::markdown;
use crate::results::judged::metric::value;
use crate::results::shown::table::FIGURES;

/// Figures that are compared, those of [`FIGURES`] with these titles.
const COMPARED: [&str; 7] = ["Tasks", "Tasks/s", "Requests/s", "Failed %", "p50 ms", "p99 ms", "Max ms"];

/// A field of the fingerprint, or of the plan, in which two runs differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub field: String,
    pub first: String,
    pub second: String,
}

/// Name and value of each field of a fingerprint; `-`: not known.
pub fn fields(fingerprint: &Fingerprint) -> Vec<(String, String)> {
    let known = |value: Option<&String>| value.cloned().unwrap_or_else(|| "-".into());
    let joined = |all: &[String]| if all.is_empty() { "-".into() } else { all.join(", ") };
    let mut fields = vec![
        ("operatorVersion".to_owned(), known(fingerprint.operator_version.as_ref())),
        ("nodes".to_owned(), joined(&fingerprint.nodes)),
    ];
    fields.extend(fingerprint.targets.iter().map(|t| (format!("targets.{}.images", t.name.0), joined(&t.images))));
    if let Some(database) = &fingerprint.database {
        let limit = database.connection_limit.map(|limit| limit.to_string());
        let all = [
            ("engine", &database.engine),
            ("version", &database.version),
            ("class", &database.class),
            ("connectionLimit", &limit),
        ];
        fields.extend(all.map(|(name, value)| (format!("database.{name}"), known(value.as_ref()))));
    }
    fields
}

/// Where two runs differ in what must be equal before they are compared: the plan, or a field of the fingerprint. The images of the
/// targets may differ: a new version of the application is what people compare.
pub fn differences(first: &Results, second: &Results) -> Vec<Difference> {
    let all = |results: &Results| {
        let mut fields = vec![("plan".to_owned(), results.plan.hash.clone())];
        fields.extend(results.fingerprint.iter().flat_map(self::fields));
        fields
    };
    let (ours, theirs) = (all(first), all(second));
    let of = |fields: &[(String, String)], name: &str| {
        fields.iter().find(|(known, _)| known == name).map_or_else(|| "-".to_owned(), |(_, value)| value.clone())
    };
    let mut names: Vec<&String> = ours.iter().chain(&theirs).map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter(|name| !name.ends_with(".images"))
        .map(|name| Difference { field: name.clone(), first: of(&ours, name), second: of(&theirs, name) })
        .filter(|one| one.first != one.second)
        .collect()
}

/// Markdown: for each row both runs' figures and the second's ratio to the first's. Rows that prove nothing have no ratio.
pub fn comparison(first: &Results, second: &Results) -> String {
    let name = |results: &Results| format!("{} run {}", markdown(&results.name()), results.test.run);
    let mut out = format!("A is {}, B is {}.\n\n", name(first), name(second));
    out += "| Run | Set | Figure | A | B | B / A |\n|----:|-----|--------|--:|--:|------:|\n";
    for ours in first.plain_rows() {
        let Some(theirs) = second.plain_rows().find(|row| row.row == ours.row) else { continue };
        for (title, metric, worst) in FIGURES.iter().filter(|(title, ..)| COMPARED.contains(title)) {
            let of = |row: &Row| value(metric, row, *worst).ok().filter(|_| proves(row));
            let (a, b) = (of(ours), of(theirs));
            if a.is_none() && b.is_none() {
                continue;
            }
            let shown = |figure: Option<f64>| figure.map_or_else(|| "-".into(), human);
            let ratio = a.zip(b).filter(|(a, _)| *a != 0.0).map(|(a, b)| b / a);
            let set: Vec<String> = ours.set.iter().map(|s| markdown(&format!("{} {}", s.name, s.value))).collect();
            let set = if set.is_empty() { "-".into() } else { set.join(", ") };
            out += &format!("| {} | {set} | {title} | {} | {} | {} |\n", ours.row, shown(a), shown(b), shown(ratio));
        }
    }
    out + "\nOne run each: a difference may be noise. `spec.repeats` shows how far runs of the same lie apart.\n"
}

fn proves(row: &Row) -> bool {
    matches!(row.verdict, Some(RowVerdict::Passed | RowVerdict::Failed))
}
