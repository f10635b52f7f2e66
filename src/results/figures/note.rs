//! Sentences about a row: said once, most important first, short, and without secrets.

use super::decimal::human_count;

/// Observations a row has room for.
pub const MOST: usize = 4;
/// Characters of one.
pub const LONGEST: usize = 160;

/// At most [`MOST`] observations of at most [`LONGEST`] characters; the last says how many more there were. `kept` may be
/// such a list of an earlier step.
pub fn combine(first: Vec<String>, kept: &[String], rest: Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut more = 0;
    for text in first.iter().chain(kept).chain(&rest) {
        if let Some(n) = how_many_more(text) {
            more += n;
            continue;
        }
        let text = tidy(text);
        if !text.is_empty() && !all.contains(&text) {
            all.push(text);
        }
    }
    if all.len() + usize::from(more > 0) > MOST {
        more += all.len() - (MOST - 1);
        all.truncate(MOST - 1);
    }
    if more > 0 {
        all.push(format!("and {} more", human_count(more as i64)));
    }
    all
}

fn how_many_more(text: &str) -> Option<usize> {
    text.strip_prefix("and ")?.strip_suffix(" more")?.replace(',', "").parse().ok()
}

/// One line of at most [`LONGEST`] characters without control characters and secrets.
pub fn tidy(text: &str) -> String {
    shortened(&without_secrets(text), LONGEST)
}

/// At most so many characters, the cut marked.
pub fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let cut: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

/// Words joined by single spaces; of URLs neither user, password, query nor fragment; nothing after `Bearer`, `Basic`,
/// `password=` and the like.
pub fn without_secrets(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut out: Vec<String> = Vec::new();
    let mut hide = false;
    for word in clean.split_whitespace() {
        let hidden = std::mem::replace(&mut hide, is_scheme(word));
        out.push(if hidden { "***".into() } else { word_without_secrets(word) });
    }
    out.join(" ")
}

fn is_scheme(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_ascii_lowercase();
    ["bearer", "basic", "authorization", "password", "passwd"].contains(&word.as_str())
}

fn word_without_secrets(word: &str) -> String {
    const KEYS: [&str; 6] = ["password=", "passwd=", "pwd=", "token=", "secret=", "apikey="];
    if let Some(at) = word.find("://") {
        let (scheme, rest) = word.split_at(at + 3);
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.find('/').map_or((rest, ""), |i| rest.split_at(i));
        let host = authority.rsplit('@').next().unwrap_or_default();
        return format!("{scheme}{host}{path}");
    }
    let lower = word.to_ascii_lowercase();
    for key in KEYS {
        if let Some(at) = lower.find(key).filter(|_| lower.len() == word.len()) {
            return format!("{}***", &word[..at + key.len()]);
        }
    }
    // A path with a query: the path alone.
    if word.starts_with('/') { word.split('?').next().unwrap_or_default().to_owned() } else { word.to_owned() }
}

/// For a cell or line of Markdown: nothing of it is markup.
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        // Only what can begin a tag, so that `<= 10` stays readable.
        let tag = chars.peek().is_some_and(|n| n.is_ascii_alphabetic() || "/!?".contains(*n));
        match c {
            '|' | '`' | '*' | '[' | ']' | '\\' => out.extend(['\\', c]),
            '<' if tag => out.push_str("&lt;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// `1 request`, `1,203 requests`.
pub fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", human_count(n.min(i64::MAX as u64) as i64), if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("sentence {i}")).collect()
    }

    #[test]
    fn the_last_of_too_many_says_how_many_more() {
        assert_eq!(combine(texts(4), &[], vec![]).len(), 4);
        let five = combine(texts(5), &[], vec![]);
        assert_eq!((five.len(), five[3].as_str()), (4, "and 2 more"));
        let again = combine(vec!["urgent".into()], &five, vec!["late".into()]);
        assert_eq!(again[0], "urgent");
        assert_eq!(again[3], "and 4 more");
    }

    #[test]
    fn the_same_sentence_stands_once() {
        assert_eq!(combine(texts(1), &texts(2), vec![]).len(), 2);
    }

    #[test]
    fn secrets_do_not_get_through() {
        let text = "GET https://bob:hunter2@shop/a?key=k1#f failed: password=hunter2 Bearer abc.def /x?token=k2";
        let said = without_secrets(text);
        for secret in ["hunter2", "bob", "k1", "abc.def", "k2"] {
            assert!(!said.contains(secret), "{said}");
        }
        assert!(said.contains("https://shop/a") && said.contains("/x"), "{said}");
    }

    #[test]
    fn text_is_one_short_line_and_no_markup() {
        let tidy = tidy(&format!("a\n|b|\t{}", "x".repeat(500)));
        assert_eq!(tidy.chars().count(), LONGEST);
        assert!(!tidy.contains('\n'));
        assert_eq!(markdown("a|b<script>"), "a\\|b&lt;script>");
    }
}
