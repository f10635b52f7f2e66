//! The comment under a pull request: headline, table, thresholds, and folded away what must be equal to compare and how to run it again.

use super::compare::fields;
use super::results::Results;
use crate::results::figures::note::markdown;

/// Markdown as GitHub and GitLab show it. `table`: the report's `table.md`. The first line is a comment that nobody sees, by which the
/// next run finds and replaces this one.
pub fn comment(results: &Results, table: &str) -> String {
    let name = results.name();
    let mut out = format!("<!-- loadtest {} -->\n", name.replace("--", "-"));
    // Its headings would shout in a comment.
    for line in table.lines() {
        out += if line.starts_with('#') { "##" } else { "" };
        out += line;
        out.push('\n');
    }
    out += "\n<details><summary>What must be equal to compare runs, and how to run it again</summary>\n\n";
    out += "| What | Value |\n|---|---|\n";
    out += &format!("| plan | {} |\n", markdown(&results.plan.hash));
    for (name, value) in results.fingerprint.iter().flat_map(fields) {
        out += &format!("| {} | {} |\n", markdown(&name), markdown(&value));
    }
    let (namespace, test) = (&results.test.namespace, &results.test.name);
    if !results.is_local() {
        out += &format!(
            "\n    kubectl loadtest rerun {test} -n {namespace}\n    kubectl loadtest report {test} -n {namespace} --html > report.html\n"
        );
    }
    out + "\n</details>\n"
}
