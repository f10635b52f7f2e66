//! The regular expression of a log measurement, compiled within bounds.

use regex::{Regex, RegexBuilder};

/// Largest program that a pattern may become, bytes. The time for a line grows with it: the worst ones of this size read 100 KB a second,
/// those of the crate's own bound (10 MiB) 20 KB.
const LARGEST: usize = 512 * 1024;

/// The pattern, ready to match.
///
/// # Errors
/// What is wrong with it, as the end of a sentence.
pub fn pattern(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text).size_limit(LARGEST).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => format!(
            "it takes more than {} KiB; repeat less ({{n,m}}), and classes such as \\w or . as (?-u:\\w), which are ASCII only",
            LARGEST / 1024
        ),
        error => {
            let text = error.to_string();
            text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_look_for_in_logs_is_within_the_bounds() {
        for text in [
            r"time(d )?out",
            r"(?i)error|warn|\bfatal\b",
            r"(?i)task [0-9a-f-]{36} (succeeded|finished) in \d+(\.\d+)? ?m?s",
            r"^\S+ \S+ \[(\w+)\] .{0,200} status=(5\d\d)",
        ] {
            assert!(pattern(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_pattern_that_repeats_without_measure_is_refused_with_what_to_do() {
        for text in [r"[^!]{1000}[^!]{1000}[^!]{1000}!", r"(?:\w{1,20}){1,20}!", r"\w{1000}", r"(?:.{0,500}a){0,200}"] {
            let why = pattern(text).expect_err(text);
            assert!(why.contains("512 KiB") && why.contains("repeat less"), "{why}");
        }
        assert!(pattern("(").is_err_and(|why| why.contains("unclosed group")));
    }
}
