//! PURE: the part of an answer that is kept.

use std::sync::Arc;

use bytes::Bytes;

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// The body, when it was asked for.
    pub body: Body,
    /// What was kept of the head; `None`: nothing is wanted of it.
    pub fields: Option<Arc<Fields>>,
}

/// Header lines of an answer that are kept. Holds secrets: has no `Debug` of its own.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// Values of the headers `Set-Cookie`, in order.
    pub cookies: Vec<String>,
    /// All headers, name and value, in order; empty: they are not wanted.
    pub headers: Vec<(String, String)>,
}

impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fields").finish_non_exhaustive()
    }
}

impl Reply {
    /// Values of the headers `Set-Cookie`, in order.
    pub fn cookies(&self) -> &[String] {
        self.fields.as_ref().map_or(&[], |fields| &fields.cookies)
    }

    /// The value of the first header of that name, where headers were wanted.
    pub fn header(&self, name: &str) -> Option<&str> {
        let all = &self.fields.as_ref()?.headers;
        all.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// The part of a body that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Read and forgotten.
    Dropped,
    /// All of it.
    Kept(Bytes),
    /// Longer than allowed; read to its end and forgotten.
    TooLarge,
}

/// Keeps a body up to its limit.
#[derive(Debug)]
pub struct Keeper {
    most: usize,
    kept: Vec<u8>,
    too_large: bool,
}

impl Keeper {
    /// At most so many bytes.
    pub fn new(most: u32) -> Self {
        Self { most: most as usize, kept: Vec::new(), too_large: false }
    }

    /// The next bytes of the body, without its framing.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.too_large || bytes.len() > self.most - self.kept.len() {
            self.too_large = true;
            self.kept = Vec::new();
            return;
        }
        self.kept.extend_from_slice(bytes);
    }

    /// What was kept.
    pub fn finish(self) -> Body {
        if self.too_large { Body::TooLarge } else { Body::Kept(self.kept.into()) }
    }
}
