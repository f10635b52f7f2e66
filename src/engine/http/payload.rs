//! PURE: bodies that are not one text: multipart forms and random bytes, made while they are sent.
//!
//! Invariants:
//! - The same seed, step, iteration and turn give the same bytes; a request that is sent again is the same.
//! - Whatever its length, a body takes a constant memory besides the texts of the manifest and its files.

use std::sync::Arc;

use super::template::{Bound, Fill};
use crate::plan::{PartContent, StepInput};

/// Bytes that are made at once.
const CHUNK: u64 = 32 << 10;
/// Between the parts of a form. What is generated has no `-` in it; files are looked through for it.
const BOUNDARY: &str = "loadtest-part-5d41402abc4b2a76b9719d911017c592";

/// A body of pieces.
pub struct Payload {
    seed: u64,
    pieces: Vec<Piece>,
    /// Of a form.
    pub content_type: Option<String>,
}

enum Piece {
    Text(Bound),
    /// Least and most bytes.
    Random(u64, u64),
    /// So many printable characters.
    Printable(u64),
    File(Arc<[u8]>),
}

impl Payload {
    /// What the step at `position` sends in place of a text; `None`: a text, or nothing.
    ///
    /// Errors: what `bind` says of a text, or `read` of a file.
    pub fn new<E>(
        step: &StepInput,
        (seed, position): (u32, usize),
        bind: &impl Fn(&str, &str) -> Result<Bound, E>,
        read: &impl Fn(usize, &str) -> Result<Arc<[u8]>, E>,
    ) -> Result<Option<Self>, E> {
        let seed = mixed(u64::from(seed) << 8 | position as u64);
        if let Some((least, most)) = step.random_body {
            let pieces = vec![Piece::Random(least.into(), most.into())];
            return Ok(Some(Self { seed, pieces, content_type: None }));
        }
        if step.upload.is_empty() {
            return Ok(None);
        }
        let mut contents = Vec::new();
        for (at, part) in step.upload.iter().enumerate() {
            contents.push(match &part.content {
                PartContent::Text(text) => Piece::Text(bind(&format!("upload[{at}].value"), text)?),
                PartContent::Generated(bytes) => Piece::Printable((*bytes).into()),
                PartContent::File(file) => Piece::File(read(at, file)?),
            });
        }
        let boundary = boundary(&contents);
        let mut pieces = Vec::new();
        for ((at, part), content) in step.upload.iter().enumerate().zip(contents) {
            let mut head = Bound::default();
            let name = quoted(&part.name);
            head.push_text(&format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\""));
            if let Some(filename) = &part.filename {
                head.push_text("; filename=\"");
                head.push(&bind(&format!("upload[{at}].filename"), filename)?.map(quoted));
                head.push_text("\"\r\nContent-Type: application/octet-stream");
            }
            head.push_text("\r\n\r\n");
            let mut end = Bound::default();
            end.push_text("\r\n");
            pieces.extend([Piece::Text(head), content, Piece::Text(end)]);
        }
        let mut end = Bound::default();
        end.push_text(&format!("--{boundary}--\r\n"));
        pieces.push(Piece::Text(end));
        let content_type = Some(format!("multipart/form-data; boundary={boundary}"));
        Ok(Some(Self { seed, pieces, content_type }))
    }

    /// Slots of the captured values in it.
    pub fn slots(&self) -> impl Iterator<Item = usize> {
        self.pieces.iter().flat_map(|piece| match piece {
            Piece::Text(text) => text.slots().collect::<Vec<_>>(),
            _ => Vec::new(),
        })
    }

    /// Whether making it twice gives two bodies.
    pub fn has_uuid(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Text(text) if text.has_uuid()))
    }

    /// Bytes of one request's body.
    pub fn length(&self, fill: &Fill<'_>) -> u64 {
        let length = |(at, piece): (usize, &Piece)| match piece {
            Piece::Text(text) => text.length(fill) as u64,
            Piece::Random(least, most) => self.size(fill, at, *least, *most),
            Piece::Printable(bytes) => *bytes,
            Piece::File(bytes) => bytes.len() as u64,
        };
        self.pieces.iter().enumerate().map(length).sum()
    }

    /// One request's body, to be taken piece by piece.
    pub fn tail(&self, fill: &Fill<'_>) -> Tail {
        let segment = |(at, piece): (usize, &Piece)| match piece {
            Piece::Text(text) => {
                let mut bytes = Vec::new();
                text.write(fill, &mut bytes);
                Segment::Bytes(bytes.into(), 0)
            }
            Piece::File(bytes) => Segment::Bytes(bytes.clone(), 0),
            Piece::Random(least, most) => Segment::Made {
                left: self.size(fill, at, *least, *most),
                state: self.state(fill, at),
                printable: false,
            },
            Piece::Printable(bytes) => Segment::Made { left: *bytes, state: self.state(fill, at), printable: true },
        };
        let mut segments: Vec<Segment> = self.pieces.iter().enumerate().map(segment).collect();
        segments.reverse();
        Tail { segments }
    }

    fn size(&self, fill: &Fill<'_>, at: usize, least: u64, most: u64) -> u64 {
        least + mixed(self.state(fill, at) ^ u64::MAX) % (most.saturating_sub(least) + 1)
    }

    fn state(&self, fill: &Fill<'_>, at: usize) -> u64 {
        mixed(mixed(mixed(self.seed ^ fill.numbers.seq) ^ u64::from(fill.turn)) ^ at as u64)
    }
}

/// One body under way.
pub struct Tail {
    /// The last one first.
    segments: Vec<Segment>,
}

enum Segment {
    Bytes(Arc<[u8]>, usize),
    Made { left: u64, state: u64, printable: bool },
}

impl Tail {
    /// Adds the next bytes; false: there are no more.
    pub fn next(&mut self, out: &mut Vec<u8>) -> bool {
        let room = CHUNK as usize;
        let before = out.len();
        while let Some(segment) = self.segments.last_mut() {
            let left = room - (out.len() - before);
            if left == 0 {
                return true;
            }
            let done = match segment {
                Segment::Bytes(bytes, from) => {
                    let to = bytes.len().min(*from + left);
                    out.extend_from_slice(&bytes[*from..to]);
                    *from = to;
                    to == bytes.len()
                }
                Segment::Made { left: all, state, printable } => {
                    let part = (*all).min(left as u64);
                    make(state, *printable, part as usize, out);
                    *all -= part;
                    *all == 0
                }
            };
            if done {
                self.segments.pop();
            }
        }
        out.len() > before
    }
}

/// Letters, digits and line feeds: every value of six bits.
const PRINTABLE: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 \n";

fn make(state: &mut u64, printable: bool, bytes: usize, out: &mut Vec<u8>) {
    let end = out.len() + bytes;
    while out.len() < end {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let eight = mixed(*state).to_le_bytes();
        let some = eight.len().min(end - out.len());
        match printable {
            false => out.extend_from_slice(&eight[..some]),
            true => out.extend(eight[..some].iter().map(|byte| PRINTABLE[usize::from(byte & 63)])),
        }
    }
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
fn mixed(mut n: u64) -> u64 {
    n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// One that stands in none of the files.
fn boundary(contents: &[Piece]) -> String {
    let mut boundary = BOUNDARY.to_owned();
    let stands = |boundary: &str, piece: &Piece| match piece {
        Piece::File(bytes) => bytes.windows(boundary.len()).any(|window| window == boundary.as_bytes()),
        _ => false,
    };
    // Each is longer, and a file of a ConfigMap has an end.
    while boundary.len() < 70 && contents.iter().any(|piece| stands(&boundary, piece)) {
        boundary.push('x');
    }
    boundary
}

/// As in a form of HTML (the standard's section 4.10.21.8).
fn quoted(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
#[path = "payload_tests.rs"]
mod tests;
