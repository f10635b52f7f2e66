//! PURE: a template whose constants are filled in, rendered for each iteration.

use uuid::Uuid;

/// The numbers of one iteration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    pub seq: u64,
    pub client: u64,
}

/// Text with places for what each iteration has of its own: digits or a UUID, so never anything that would have to be
/// encoded or could not be sent. Holds secrets: has no `Debug`.
#[derive(Clone, Default)]
pub struct Bound {
    parts: Vec<Part>,
}

#[derive(Clone)]
enum Part {
    Text(String),
    Seq,
    Client,
    Uuid,
}

/// Characters of a UUID as it is written.
const UUID_LENGTH: usize = uuid::fmt::Hyphenated::LENGTH;
/// Digits of the largest number.
const MOST_DIGITS: usize = 20;

impl Bound {
    /// Adds a text behind what is there.
    pub fn push_text(&mut self, text: &str) {
        match self.parts.last_mut() {
            Some(Part::Text(before)) => before.push_str(text),
            _ if text.is_empty() => {}
            _ => self.parts.push(Part::Text(text.into())),
        }
    }

    /// Adds the place of `$(name)`; false: no iteration has that of its own.
    pub fn push_own(&mut self, name: &str) -> bool {
        self.parts.push(match name {
            "seq" => Part::Seq,
            "client" => Part::Client,
            "uuid" => Part::Uuid,
            _ => return false,
        });
        true
    }

    /// Adds another one behind what is there.
    pub fn push(&mut self, other: &Self) {
        for part in &other.parts {
            match part {
                Part::Text(text) => self.push_text(text),
                own => self.parts.push(own.clone()),
            }
        }
    }

    /// The same with every text changed.
    pub fn map(&self, change: impl Fn(&str) -> String) -> Self {
        let mut changed = Self::default();
        for part in &self.parts {
            match part {
                Part::Text(text) => changed.push_text(&change(text)),
                own => changed.parts.push(own.clone()),
            }
        }
        changed
    }

    /// The text, when it is the same for every iteration.
    pub fn constant(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether rendering it twice gives two texts.
    pub fn has_uuid(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Uuid))
    }

    /// Bytes of one iteration's text.
    pub fn length(&self, numbers: Numbers) -> usize {
        let length = |part: &Part| match part {
            Part::Text(text) => text.len(),
            Part::Seq => digits(numbers.seq, &mut [0; MOST_DIGITS]).len(),
            Part::Client => digits(numbers.client, &mut [0; MOST_DIGITS]).len(),
            Part::Uuid => UUID_LENGTH,
        };
        self.parts.iter().map(length).sum()
    }

    /// Adds one iteration's text to `out`.
    pub fn write(&self, numbers: Numbers, out: &mut Vec<u8>) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Seq => write_number(numbers.seq, out),
                Part::Client => write_number(numbers.client, out),
                Part::Uuid => {
                    let mut text = [0; UUID_LENGTH];
                    out.extend_from_slice(Uuid::new_v4().hyphenated().encode_lower(&mut text).as_bytes());
                }
            }
        }
    }

    /// One iteration's text.
    pub fn render(&self, numbers: Numbers) -> String {
        let mut text = Vec::with_capacity(self.length(numbers));
        self.write(numbers, &mut text);
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// Adds a number in decimal, without the formatting machinery of the standard library.
pub fn write_number(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(digits(number, &mut [0; MOST_DIGITS]));
}

fn digits(mut number: u64, buffer: &mut [u8; MOST_DIGITS]) -> &[u8] {
    let mut at = MOST_DIGITS;
    // Two at a time: half the divisions.
    while number >= 10 {
        at -= 2;
        let pair = (number % 100) as u8;
        (buffer[at], buffer[at + 1]) = (b'0' + pair / 10, b'0' + pair % 10);
        number /= 100;
    }
    if number > 0 || at == MOST_DIGITS {
        at -= 1;
        buffer[at] = b'0' + number as u8;
    }
    &buffer[at..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_whole() {
        for number in [0, 7, 10, 999, 1_000, u64::MAX] {
            let mut out = Vec::new();
            write_number(number, &mut out);
            assert_eq!(out, number.to_string().as_bytes());
        }
    }

    #[test]
    fn the_length_is_that_of_what_is_written() {
        let mut bound = Bound::default();
        bound.push_text("a é ");
        assert!(["seq", "client", "uuid"].iter().all(|name| bound.push_own(name)) && !bound.push_own("other"));
        for seq in [0, 9, 10, 12_345_678_901] {
            let numbers = Numbers { seq, client: seq + 1 };
            assert_eq!(bound.length(numbers), bound.render(numbers).len());
        }
    }
}
