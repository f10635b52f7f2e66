//! What `$(name)` stands for in a measurement.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::plan::{ObservedRow, Piece, pieces};

/// The value of a variable. Has no `Debug`: texts may be secrets.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// Milliseconds since the epoch.
    Instant(i64),
    Number(i64),
    Text(String),
}

impl Value {
    /// As it is written into a URL or header: instants as RFC 3339 in UTC with milliseconds.
    pub fn text(&self) -> String {
        match self {
            Self::Instant(ms) => Timestamp::from_millisecond(*ms).map(|t| format!("{t:.3}")).unwrap_or_default(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// The values of all variables at one instant, by name without `$()`.
#[derive(Clone, Default)]
pub struct Values(BTreeMap<String, Value>);

impl Values {
    /// What is the same for the whole run: `run.id`, `run.start` (milliseconds since the epoch) and `vars.NAME`.
    pub fn of_run(run_id: &str, run_start_ms: i64, vars: &BTreeMap<String, String>) -> Self {
        let mut values: BTreeMap<_, _> =
            vars.iter().map(|(name, text)| (format!("vars.{name}"), Value::Text(text.clone()))).collect();
        values.insert("run.id".into(), Value::Text(run_id.into()));
        values.insert("run.start".into(), Value::Instant(run_start_ms));
        Self(values)
    }

    /// The same with one more text.
    pub fn with(mut self, name: &str, text: &str) -> Self {
        self.0.insert(name.into(), Value::Text(text.into()));
        self
    }

    /// The same within a row, which may give entries of vars another value; what isn't known of the row has no value.
    pub fn in_row(&self, row: &ObservedRow, swept: Option<&BTreeMap<String, String>>) -> Self {
        let mut values = self.0.clone();
        let swept = swept.into_iter().flatten();
        values.extend(swept.map(|(name, text)| (format!("vars.{name}"), Value::Text(text.clone()))));
        if row.row > 0 {
            values.insert("row.number".into(), Value::Number(row.row.into()));
        }
        let instants = [("row.start", row.start_ms), ("row.end", row.end_ms)];
        values.extend(instants.into_iter().filter_map(|(name, ms)| Some((name.to_owned(), Value::Instant(ms?)))));
        Self(values)
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The first name in `text` that has no value now.
    pub fn missing<'t>(&self, text: &'t str) -> Option<&'t str> {
        crate::plan::names(text).find(|name| !self.0.contains_key(*name))
    }

    /// `text` with every variable replaced.
    ///
    /// # Errors
    /// The first name that has no value.
    pub fn render(&self, text: &str) -> Result<String, String> {
        self.rendered(text, |_, value| value)
    }

    /// The same in a JSON document, where `$(run.…)` stands inside a string: what JSON doesn't allow there is escaped.
    ///
    /// # Errors
    /// The first name that has no value.
    pub fn render_json(&self, text: &str) -> Result<String, String> {
        self.rendered(text, |name, value| {
            let quoted = serde_json::Value::from(value.as_str()).to_string();
            if name.starts_with("run.") { quoted[1..quoted.len() - 1].to_owned() } else { value }
        })
    }

    fn rendered(&self, text: &str, as_written: impl Fn(&str, String) -> String) -> Result<String, String> {
        let piece = |piece| match piece {
            Piece::Text(text) => Ok(text.to_owned()),
            Piece::Variable(name) => {
                let value = self.get(name).map(Value::text).ok_or_else(|| format!("$({name}) is not known yet"))?;
                Ok(as_written(name, value))
            }
        };
        pieces(text).into_iter().map(piece).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> Values {
        Values::of_run("demo-1", 1_795_244_400_250, &BTreeMap::from([("token".into(), "t".into())]))
    }

    #[test]
    fn every_name_has_its_value() {
        let row = ObservedRow { row: 3, start_ms: Some(1_795_244_400_000), end_ms: None };
        let text = run().in_row(&row, None).render("$(run.id)/$(row.number)?s=$(row.start)&t=$(vars.token)&$$(seq)");
        assert_eq!(text.unwrap(), "demo-1/3?s=2026-11-21T07:00:00.000Z&t=t&$(seq)");
    }

    #[test]
    fn what_stands_in_a_json_string_leaves_it_json() {
        let values = run().with("run.message", "row 2: \"p99\"\n 7 > 5");
        let text = values.render_json(r#"{"text": "$(run.id): $(run.message)", "n": $(vars.token)}"#).unwrap();
        assert_eq!(text, r#"{"text": "demo-1: row 2: \"p99\"\n 7 > 5", "n": t}"#);
    }

    #[test]
    fn a_row_may_give_a_variable_another_value() {
        let row = ObservedRow { row: 3, start_ms: None, end_ms: None };
        let swept = BTreeMap::from([("token".to_owned(), "other".to_owned())]);
        assert_eq!(run().in_row(&row, Some(&swept)).render("$(vars.token)").unwrap(), "other");
    }

    #[test]
    fn what_is_not_known_yet_is_named_and_never_guessed() {
        let before = run().in_row(&ObservedRow { row: 0, start_ms: None, end_ms: None }, None);
        assert_eq!(before.missing("a $(run.start) $(row.start)"), Some("row.start"));
        assert!(before.render("$(row.number)").unwrap_err().contains("row.number"));
    }
}
