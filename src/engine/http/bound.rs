//! PURE: a template whose constants are filled in, rendered for each iteration.

use uuid::Uuid;

/// The numbers of one iteration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    pub seq: u64,
    pub client: u64,
}

/// What a text is filled in with. Holds secrets: has no `Debug`.
#[derive(Clone, Copy, Default)]
pub struct Fill<'a> {
    pub numbers: Numbers,
    /// Captured values by their slots.
    pub captured: &'a [Option<String>],
    /// Which time the step is sent in its iteration, from 1.
    pub turn: u32,
}

impl From<Numbers> for Fill<'_> {
    #[inline]
    fn from(numbers: Numbers) -> Self {
        Self { numbers, captured: &[], turn: 1 }
    }
}

/// Text with places for what each iteration has of its own: digits, a UUID, or a captured value, which was checked when
/// it came. Holds secrets: has no `Debug`.
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
    /// A captured value by its slot; percent-encoded where it stands in a path.
    Captured {
        slot: usize,
        encode: Option<fn(&str) -> String>,
    },
}

impl Part {
    fn captured(&self, fill: &Fill<'_>) -> String {
        let Self::Captured { slot, encode } = self else { return String::new() };
        let value = fill.captured.get(*slot).and_then(Option::as_deref).unwrap_or_default();
        encode.map_or_else(|| value.to_owned(), |encode| encode(value))
    }
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

    /// Adds the place of a captured value.
    pub fn push_captured(&mut self, slot: usize) {
        self.parts.push(Part::Captured { slot, encode: None });
    }

    /// The slots of the captured values in it.
    pub fn slots(&self) -> impl Iterator<Item = usize> {
        self.parts.iter().filter_map(|part| match part {
            Part::Captured { slot, .. } => Some(*slot),
            _ => None,
        })
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

    /// The same with every text changed, and every captured value when it is filled in.
    pub fn map(&self, change: fn(&str) -> String) -> Self {
        let mut changed = Self::default();
        for part in &self.parts {
            match part {
                Part::Text(text) => changed.push_text(&change(text)),
                Part::Captured { slot, .. } => {
                    changed.parts.push(Part::Captured { slot: *slot, encode: Some(change) });
                }
                own => changed.parts.push(own.clone()),
            }
        }
        changed
    }

    /// The same with a captured value at its beginning changed in this way instead.
    pub fn beginning(mut self, change: fn(&str) -> String) -> Self {
        if let Some(Part::Captured { encode, .. }) = self.parts.first_mut() {
            *encode = Some(change);
        }
        self
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
    pub fn length(&self, fill: &Fill<'_>) -> usize {
        let length = |part: &Part| match part {
            Part::Text(text) => text.len(),
            Part::Seq => digits(fill.numbers.seq, &mut [0; MOST_DIGITS]).len(),
            Part::Client => digits(fill.numbers.client, &mut [0; MOST_DIGITS]).len(),
            Part::Uuid => UUID_LENGTH,
            captured @ Part::Captured { .. } => captured.captured(fill).len(),
        };
        self.parts.iter().map(length).sum()
    }

    /// Adds one iteration's text to `out`.
    pub fn write(&self, fill: &Fill<'_>, out: &mut Vec<u8>) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Seq => write_number(fill.numbers.seq, out),
                Part::Client => write_number(fill.numbers.client, out),
                Part::Uuid => {
                    let mut text = [0; UUID_LENGTH];
                    out.extend_from_slice(Uuid::new_v4().hyphenated().encode_lower(&mut text).as_bytes());
                }
                captured @ Part::Captured { .. } => out.extend_from_slice(captured.captured(fill).as_bytes()),
            }
        }
    }

    /// One iteration's text.
    pub fn render(&self, fill: &Fill<'_>) -> String {
        let mut text = Vec::with_capacity(self.length(fill));
        self.write(fill, &mut text);
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
            let fill = Fill::from(Numbers { seq, client: seq + 1 });
            assert_eq!(bound.length(&fill), bound.render(&fill).len());
        }
    }

    #[test]
    fn a_captured_value_is_filled_in_and_encoded_where_the_text_is() {
        let mut bound = Bound::default();
        bound.push_text("a=");
        bound.push_captured(1);
        let captured = [None, Some("x y".to_owned())];
        let fill = Fill { captured: &captured, ..Fill::default() };
        assert_eq!(bound.render(&fill), "a=x y");
        let encoded = bound.map(|text| text.replace(' ', "%20"));
        assert_eq!((encoded.render(&fill), encoded.length(&fill)), ("a=x%20y".to_owned(), 7));
        assert_eq!((encoded.slots().collect::<Vec<_>>(), bound.constant()), (vec![1], None));
    }
}
