//! PURE: a statement's text without its values. pg_stat_statements replaces the constants of queries, but not all those of
//! utility statements, and keeps comments (<https://www.postgresql.org/docs/current/pgstatstatements.html>).

/// Characters of a statement that are kept.
pub const LONGEST: usize = 500;

/// The text on one line, at most [`LONGEST`] characters, without comments, with `?` for each string and number.
///
/// Where it can't be told whether a quote ends a string (a backslash before it), the rest is left out.
pub fn without_literals(text: &str) -> String {
    let mut lexer = Lexer { rest: text, out: String::new() };
    while lexer.step() {}
    let line = lexer.out.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.chars().count() <= LONGEST {
        true => line,
        false => line.chars().take(LONGEST - 1).chain(['…']).collect(),
    }
}

struct Lexer<'a> {
    rest: &'a str,
    out: String,
}

impl Lexer<'_> {
    /// Takes one token; false at the end.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        match first {
            '\'' => self.string(),
            '"' => {
                let end = self.rest[1..].find('"').map_or(self.rest.len(), |i| i + 2);
                self.keep(end);
            }
            '-' if self.rest.starts_with("--") => self.skip(self.rest.find('\n').unwrap_or(self.rest.len())),
            '/' if self.rest.starts_with("/*") => self.comment(),
            '$' => self.dollar(),
            c if c.is_ascii_digit() || (c == '.' && self.rest[1..].starts_with(|d: char| d.is_ascii_digit())) => {
                let is_number = |c: char| c.is_alphanumeric() || c == '.' || c == '_';
                self.skip(self.rest.find(|c| !is_number(c)).unwrap_or(self.rest.len()));
                self.out.push('?');
            }
            c if c.is_alphabetic() || c == '_' => {
                let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
                self.keep(self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len()));
            }
            c => self.keep(c.len_utf8()),
        }
        true
    }

    fn keep(&mut self, bytes: usize) {
        self.out.push_str(&self.rest[..bytes]);
        self.rest = &self.rest[bytes..];
    }

    fn skip(&mut self, bytes: usize) {
        self.out.push(' ');
        self.rest = &self.rest[bytes..];
    }

    /// `'…'` with `''` inside.
    fn string(&mut self) {
        self.out.push('?');
        let mut at = 1;
        while let Some(end) = self.rest[at..].find('\'').map(|i| at + i) {
            if self.rest[..end].ends_with('\\') {
                break;
            }
            if !self.rest[end + 1..].starts_with('\'') {
                self.rest = &self.rest[end + 1..];
                return;
            }
            at = end + 2;
        }
        // No end, or one that can't be told.
        self.out.push('…');
        self.rest = "";
    }

    /// `/* … */`, which may hold others.
    fn comment(&mut self) {
        let (mut depth, mut at) = (1, 2);
        while depth > 0 {
            let (open, close) = (self.rest[at..].find("/*"), self.rest[at..].find("*/"));
            at = match (open, close) {
                (Some(open), Some(close)) if open < close => {
                    depth += 1;
                    at + open + 2
                }
                (_, Some(close)) => {
                    depth -= 1;
                    at + close + 2
                }
                _ => return self.skip(self.rest.len()),
            };
        }
        self.skip(at);
    }

    /// `$1` stays; `$tag$ … $tag$` is a string.
    fn dollar(&mut self) {
        let is_tag = |c: char| c.is_alphanumeric() || c == '_';
        let end = self.rest[1..].find(|c| !is_tag(c)).map_or(self.rest.len(), |i| i + 1);
        let tag = &self.rest[..end];
        if !self.rest[end..].starts_with('$') || tag[1..].starts_with(|c: char| c.is_ascii_digit()) {
            return self.keep(end);
        }
        let tag = format!("{tag}$");
        let close = self.rest[tag.len()..].find(&tag).map_or(self.rest.len(), |i| i + 2 * tag.len());
        self.skip(close);
        self.out.push('?');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::without_literals;

    #[test]
    fn values_become_question_marks_and_the_shape_stays() {
        let cases = [
            ("select * from t where a = $1 and b = 'canary'", "select * from t where a = $1 and b = ?"),
            ("alter role x password 'can''ary' valid until 'y'", "alter role x password ? valid until ?"),
            ("select 1, -2.5e3, .5, 0x1F from t2 -- canary\n limit 7", "select ?, - ?, ?, ? from t2 limit ?"),
            ("select /* canary /* canary */ canary */ \"a b\" from t", "select \"a b\" from t"),
            ("do $$ canary $$; do $x$ canary $$ canary $x$", "do ?; do ?"),
            ("set x = E'canary\\n'", "set x = E?"),
        ];
        for (text, wanted) in cases {
            let plain = without_literals(text);
            assert_eq!(plain.replace("  ", " "), wanted, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_told_apart_is_left_out() {
        for text in ["select 'a\\' , 'canary'", "select E'a\\'canary' , 2", "select 'canary", "select $q$ canary"] {
            assert!(!without_literals(text).contains("canary"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_string_gets_through(before in "[a-z =(),0-9]{0,30}", value in "[a-z \"$/*-]{0,20}", after in "[ -~]{0,40}") {
            let quoted = value.replace('\'', "''");
            let said = without_literals(&format!("select {before} 'CANARY{quoted}' {after}"));
            prop_assert!(!said.contains("CANARY"), "{}", said);
            prop_assert!(said.chars().count() <= super::LONGEST);
        }
    }
}
