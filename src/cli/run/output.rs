//! What a test without a cluster leaves: the table, the verdict, and the files of its report.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use serde_json::Value;

use super::screen::{fitted, wrapped};
use super::summary::summary;
use super::terminal::width;
use crate::agents::local::Ended;
use crate::api::{Fingerprint, Instant};
use crate::plan::Plan;
use crate::report::html::html;
use crate::report::{ReportInput, Results, files};
use crate::results::figures::note::plural;
use crate::results::judged::verdict::TestInput;
use crate::results::shown::table::{TableInput, table};

/// `Verdict: Passed (ThresholdsMet): …`, wrapped at the width of the terminal; whole where standard output is none.
pub fn verdict_line(verdict: &str, reason: &str, message: &str) -> String {
    let line = format!("Verdict: {verdict} ({reason}): {message}");
    width(&std::io::stdout()).map_or(line.clone(), |width| wrapped(&line, width, "  ")) + "\n"
}

/// Sees that a report can be written, before there is anything to lose: makes the folder, and opens what is there or takes away
/// again what it made.
///
/// # Errors
/// Where nothing can be written; a sentence that names the option.
pub fn writable(folder: Option<&Path>, html: Option<&Path>) -> Result<(), String> {
    if let Some(folder) = folder {
        let wrong = |error| format!("--report {}: {error}", folder.display());
        std::fs::create_dir_all(folder).map_err(wrong)?;
        for name in ["table.md", "results.csv", "results.json", "junit.xml"] {
            opened(&folder.join(name)).map_err(wrong)?;
        }
    }
    html.map_or(Ok(()), |file| opened(file).map_err(|error| format!("--html {}: {error}", file.display())))
}

/// Opens a file for writing and leaves it as it was.
fn opened(file: &Path) -> std::io::Result<()> {
    match std::fs::metadata(file) {
        // A pipe would be closed for its reader; and who opens a folder is told that it is one.
        Ok(known) if !known.is_file() && !known.is_dir() => Ok(()),
        Ok(_) => OpenOptions::new().append(true).open(file).map(drop),
        Err(_) => OpenOptions::new().write(true).create_new(true).open(file).and_then(|_| std::fs::remove_file(file)),
    }
}

/// A test that is over.
pub struct Output<'a> {
    pub name: &'a str,
    pub plan: &'a Plan,
    pub ended: &'a Ended,
    /// Thresholds that need a cluster.
    pub not_judged: usize,
    pub started_at: Instant,
    pub finished_at: Instant,
}

impl Output<'_> {
    /// Prints table, figures and verdict to standard output.
    pub fn print(&self) {
        let mut text = String::new();
        if !self.ended.rows.is_empty() {
            let table = self.table();
            text += &width(&std::io::stdout()).map_or(table.clone(), |width| fitted(&table, width));
            text.push('\n');
        }
        if let ([row], Some((_, detail))) = (self.ended.rows.as_slice(), self.ended.details.first_key_value())
            && self.plan.rows.len() == 1
        {
            text += &summary(row, detail);
            text.push('\n');
        }
        let outcome = &self.ended.outcome;
        text += &verdict_line(&format!("{:?}", outcome.verdict), outcome.reason.as_str(), &outcome.message);
        if self.not_judged > 0 {
            let thresholds = plural(self.not_judged as u64, "threshold needs", "thresholds need");
            text += &format!("{thresholds} a cluster and had no part in the verdict.\n");
        }
        // Who closed standard output doesn't want to read it.
        let _ = std::io::stdout().write_all(text.as_bytes());
    }

    fn table(&self) -> String {
        table(&TableInput {
            plan: self.plan,
            rows: &self.ended.rows,
            database: &[],
            connection_limit: self.ended.connection_limit,
        })
    }

    /// Writes the report's files into a folder, which is made where it is missing.
    ///
    /// # Errors
    /// The folder can't be written to.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        self.files().iter().try_for_each(|(name, text)| std::fs::write(folder.join(name), text))
    }

    /// The report as one HTML file.
    ///
    /// # Errors
    /// The results can't be read back, which is not known to happen.
    pub fn html(&self) -> std::io::Result<String> {
        let files = self.files();
        let results = Results::read(files.get("results.json").map_or("", String::as_str));
        results.map(|results| html(&results)).map_err(std::io::Error::other)
    }

    /// The report's files by name.
    fn files(&self) -> BTreeMap<String, String> {
        let json = |(row, detail): (&i32, &crate::results::shown::detail::RowDetail)| {
            (*row, serde_json::to_value(detail).unwrap_or(Value::Null))
        };
        let details: BTreeMap<i32, Value> = self.ended.details.iter().map(json).collect();
        let version = crate::runtime::version().chars().take(64).collect();
        let fingerprint = Fingerprint { operator_version: Some(version), ..Fingerprint::default() };
        files(&ReportInput {
            namespace: "",
            name: self.name,
            run: 1,
            started_at: Some(self.started_at),
            finished_at: Some(self.finished_at),
            plan: self.plan,
            test: TestInput {
                spec: &self.plan.spec,
                planned_rows: self.plan.rows.len(),
                rows: &self.ended.rows,
                database: &[],
                series: &[],
                early: self.ended.early.as_ref(),
            },
            outcome: &self.ended.outcome,
            connection_limit: self.ended.connection_limit,
            fingerprint: Some(&fingerprint),
            details: &details,
            row_config_maps: &BTreeMap::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_report_can_be_written_nothing_is_left_or_changed_by_looking() {
        let folder = tempfile::tempdir().unwrap();
        let (report, html) = (folder.path().join("a/b"), folder.path().join("page.html"));
        std::fs::write(&html, "kept").unwrap();
        assert_eq!(writable(Some(&report), Some(&html)), Ok(()));
        assert_eq!(writable(None, Some(&folder.path().join("new.html"))), Ok(()));
        assert_eq!(writable(None, None), Ok(()));
        assert_eq!(std::fs::read_to_string(&html).unwrap(), "kept");
        assert_eq!(std::fs::read_dir(&report).unwrap().count(), 0);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "a and page.html");
    }

    #[test]
    fn where_none_can_be_written_the_option_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let said = |folder: Option<&Path>, html: Option<&Path>| writable(folder, html).unwrap_err();
        assert!(said(Some(&file), None).starts_with("--report "));
        assert!(said(Some(&file.join("in")), None).starts_with("--report "));
        assert!(said(None, Some(folder.path())).starts_with("--html "));
        assert!(said(None, Some(&folder.path().join("none/page.html"))).starts_with("--html "));
        std::fs::create_dir(folder.path().join("results.json")).unwrap();
        assert!(said(Some(folder.path()), None).starts_with("--report "));
    }
}
