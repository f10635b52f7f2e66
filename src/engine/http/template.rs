//! PURE: texts with variables, `$(name)`; `$$(name)` stands for the text `$(name)`.
//!
//! A template is parsed once, its constants are filled in once, and what is left is rendered for each request.

use std::collections::BTreeMap;

pub use super::bound::{Bound, Fill, Numbers};

/// Why a text is no template. Names no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("$(  without its closing bracket; write $$( for the text itself")]
    Unclosed,
    #[error("$({0}) is not known here; write $$({0}) for the text itself")]
    Unknown(String),
}

/// A parsed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Name(String),
}

impl Template {
    /// Reads a text.
    ///
    /// Errors: a `$(` that is not closed.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("$(") {
            let escaped = rest[..at].ends_with('$');
            let inside = &rest[at + 2..];
            literal.push_str(&rest[..at - usize::from(escaped)]);
            if escaped {
                literal.push_str("$(");
                rest = inside;
                continue;
            }
            let close = inside.find(')').ok_or(TemplateError::Unclosed)?;
            if !literal.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Name(inside[..close].to_string()));
            rest = &inside[close + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        Ok(Self { pieces })
    }

    /// The variables in it, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Name(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The text with every variable replaced.
    ///
    /// Errors: a name for which `value` has nothing.
    pub fn render(&self, mut value: impl FnMut(&str) -> Option<String>) -> Result<String, TemplateError> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Name(name) => {
                    text.push_str(&value(name).ok_or_else(|| TemplateError::Unknown(name.clone()))?);
                }
            }
        }
        Ok(text)
    }

    /// The template of requests: constants filled in, `$(seq)`, `$(client)` and `$(uuid)` left for each iteration.
    ///
    /// Errors: a name that is neither.
    pub fn bind(&self, constants: &Constants) -> Result<Bound, TemplateError> {
        let mut bound = Bound::default();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => bound.push_text(text),
                Piece::Name(name) if bound.push_own(name) => {}
                Piece::Name(name) if constants.slot(name).is_some() => {
                    bound.push_captured(constants.slot(name).unwrap_or_default());
                }
                Piece::Name(name) => {
                    let value = constants.get(name).ok_or_else(|| TemplateError::Unknown(name.clone()))?;
                    bound.push_text(value);
                }
            }
        }
        Ok(bound)
    }
}

/// What is the same for the whole run: `run.id`, `run.start` and `vars.NAME`. Holds secrets: has no `Debug`.
#[derive(Clone, Default)]
pub struct Constants {
    all: BTreeMap<String, String>,
    /// Names that a load captures, by their slots.
    captured: Vec<String>,
}

impl Constants {
    /// `run_start_ms` in milliseconds since the epoch; `vars` by their names in the manifest.
    pub fn new(run_id: &str, run_start_ms: i64, vars: &BTreeMap<String, String>) -> Self {
        let mut all: BTreeMap<_, _> =
            vars.iter().map(|(name, value)| (format!("vars.{name}"), value.clone())).collect();
        all.insert("run.id".into(), run_id.into());
        all.insert("run.start".into(), instant(run_start_ms));
        Self { all, captured: Vec::new() }
    }

    /// The value of a name, as in [`Template::render`].
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all.get(name).map(String::as_str)
    }

    /// The same for a load that captures these names: `$(vars.NAME)` is left for each iteration.
    pub fn capturing(&self, names: Vec<String>) -> Self {
        Self { all: self.all.clone(), captured: names }
    }

    /// The slot of a captured value, `vars.NAME`.
    pub fn slot(&self, name: &str) -> Option<usize> {
        let name = name.strip_prefix("vars.")?;
        self.captured.iter().position(|known| known == name)
    }

    /// How many values are captured.
    pub fn slots(&self) -> usize {
        self.captured.len()
    }
}

/// An instant as it is written in requests: RFC 3339, UTC, milliseconds.
pub fn instant(ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    format!("{at:.3}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn rendered(text: &str) -> Result<String, TemplateError> {
        let vars = BTreeMap::from([("token".to_string(), "$(seq)".to_string())]);
        let constants = Constants::new("demo-ab12c-3", 1_795_244_400_250, &vars);
        Template::parse(text)?.bind(&constants).map(|bound| bound.render(&Numbers { seq: 7, client: 2 }.into()))
    }

    #[test]
    fn every_name_has_its_value() {
        let text = "/$(seq)/$(client)/$(run.id)?at=$(run.start)";
        assert_eq!(rendered(text).unwrap(), "/7/2/demo-ab12c-3?at=2026-11-21T07:00:00.250Z");
    }

    #[test]
    fn two_dollars_stand_for_the_text_itself() {
        assert_eq!(rendered("$$(seq) $(seq) $ $$ $5 )(").unwrap(), "$(seq) 7 $ $$ $5 )(");
    }

    #[test]
    fn a_value_is_not_read_as_a_template_again() {
        assert_eq!(rendered("$(vars.token)").unwrap(), "$(seq)");
    }

    #[test]
    fn an_unknown_or_open_name_is_an_error() {
        assert_eq!(rendered("$(vars.other)").unwrap_err(), TemplateError::Unknown("vars.other".into()));
        assert_eq!(rendered("$(row.start)").unwrap_err(), TemplateError::Unknown("row.start".into()));
        assert_eq!(rendered("a $(seq").unwrap_err(), TemplateError::Unclosed);
    }

    #[test]
    fn each_uuid_is_a_new_one() {
        let text = rendered("$(uuid) $(uuid)").unwrap();
        let (one, other) = text.split_once(' ').unwrap();
        assert_ne!(one, other);
        assert_eq!(Uuid::parse_str(one).unwrap().get_version_num(), 4);
    }

    #[test]
    fn a_text_without_numbers_is_constant_and_one_with_them_is_not() {
        let bind = |text| Template::parse(text).unwrap().bind(&Constants::new("r", 0, &BTreeMap::new())).unwrap();
        assert_eq!(bind("a $(run.id) b").constant(), Some("a r b"));
        assert_eq!(bind("").constant(), Some(""));
        assert_eq!(bind("$(seq)").constant(), None);
    }

    proptest! {
        #[test]
        fn a_text_without_a_dollar_is_itself(text in "[^$]*") {
            prop_assert_eq!(rendered(&text).unwrap(), text);
        }

        #[test]
        fn no_text_makes_the_parser_fail_otherwise(text in "[$()a]{0,12}") {
            let _ = Template::parse(&text);
        }
    }
}
