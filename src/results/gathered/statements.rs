//! Statements of PostgreSQL by the time they added over a row, as the observer says it and `row.json` keeps it.

use serde::{Deserialize, Serialize};

/// What pg_stat_statements counted between two instants of a row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Statements {
    /// Number of the row.
    pub row: i32,
    /// First reading: at the start of the row, or as soon as the observer knew of it; milliseconds since the epoch.
    pub from_ms: i64,
    /// Last reading, milliseconds since the epoch.
    pub to_ms: i64,
    /// The most added time first.
    pub top: Vec<Statement>,
    /// Why statements are missing, a sentence without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// One statement, whoever ran it; the observer's own are left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Statement {
    /// Without literals and comments: `$1` or `?` stands for each value.
    pub text: String,
    /// Executions that ended meanwhile.
    pub calls: i64,
    /// Time in the server, all executions together, milliseconds.
    pub added_ms: f64,
    /// The same for each execution, milliseconds.
    pub mean_ms: f64,
    /// Rows they answered or changed.
    pub rows: i64,
}

/// The widest reading of a row: the last that was taken.
pub fn of_row(all: &[Statements], row: i32) -> Option<&Statements> {
    all.iter().filter(|s| s.row == row).max_by_key(|s| s.to_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_reading_of_a_row_speaks_for_it() {
        let said = |row, to_ms| Statements { row, to_ms, ..Statements::default() };
        let all = [said(1, 5), said(1, 9), said(2, 12), said(1, 7)];
        assert_eq!(of_row(&all, 1).map(|s| s.to_ms), Some(9));
        assert_eq!(of_row(&all, 3), None);
    }
}
