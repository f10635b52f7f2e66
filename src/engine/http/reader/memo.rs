//! PURE: the last head of a step, byte for byte: the next one is most often the same, and then need not be read again.

use super::head::Head;

/// A longer head is not worth remembering.
const MOST_BYTES: usize = 2048;

/// One step's memory. A head is only ever compared with one that answered the same method.
#[derive(Clone, Debug, Default)]
pub struct Memo {
    bytes: Vec<u8>,
    head: Option<Head>,
}

impl Memo {
    /// What the head at the beginning of these bytes says, and its length, when it is the remembered one. The remembered
    /// bytes end with an empty line, so bytes that begin with them have the same head.
    pub fn recall(&self, bytes: &[u8]) -> Option<(&Head, usize)> {
        let head = self.head.as_ref()?;
        bytes.starts_with(&self.bytes).then_some((head, self.bytes.len()))
    }

    /// Remembers what a head said, and hands it back. Interim answers are not remembered.
    pub fn learn(&mut self, bytes: &[u8], head: Head) -> Head {
        if bytes.len() <= MOST_BYTES && head.status >= 200 {
            self.bytes.clear();
            self.bytes.extend_from_slice(bytes);
            self.head = Some(head.clone());
        }
        head
    }
}
