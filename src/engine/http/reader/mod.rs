//! PURE: reads one HTTP/1 answer out of the bytes of a connection, however they were split.
//!
//! Invariants, each tested over all splits and against hyper:
//! - What comes out depends on the bytes only, never on where one read ended and the next began.
//! - Memory is bounded whatever the peer sends: a head, a trailer and a kept body each have their limit.
//! - The answer's end is where RFC 9112, section 6.3, puts it; what follows is told, never read as the next answer.
//!
//! httparse takes a head apart, as it does for hyper; the framing is ours.

mod body;
mod chunked;
#[cfg(test)]
mod differential;
mod head;
mod memo;
#[cfg(test)]
mod tests;

pub use body::{Body, Fields, Reply};
pub use memo::Memo;

use std::sync::Arc;

use body::Keeper;
use chunked::Chunked;
use head::{Framing, Head};

/// Bytes of a head; a longer one is no HTTP to us.
const MOST_HEAD: usize = 64 << 10;
/// Times that a head which came in pieces is looked at: more than there may be lines.
const MOST_LOOKS: u16 = 1024;
/// So many bytes tell HTTP from anything else.
const TELLING: usize = 16;

/// The peer does not speak HTTP/1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// How the peer's close ended an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The close is the answer's end.
    Whole,
    /// The answer is not whole.
    Short,
}

/// What is wanted of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Want {
    /// The request was a HEAD: the answer has no body, whatever it says.
    pub head_only: bool,
    /// At most so many bytes of the body are kept; `None`: it is read and forgotten.
    pub body: Option<u32>,
    /// The values of `Set-Cookie` are kept.
    pub cookies: bool,
    /// All headers are kept.
    pub headers: bool,
}

/// The reader of one answer.
#[derive(Debug)]
pub struct Reader {
    want: Want,
    state: State,
    /// Boxed, because most heads come whole.
    partial: Option<Box<Partial>>,
    begun: bool,
    status: u16,
    keep_alive: bool,
    fields: Option<Arc<Fields>>,
    /// `None`: the body is read and forgotten. Boxed, because most are.
    body: Option<Box<Keeper>>,
}

/// The beginning of a head whose end has not come yet.
#[derive(Debug, Default)]
struct Partial {
    bytes: Vec<u8>,
    /// Times that it was looked at.
    looks: u16,
}

#[derive(Debug)]
enum State {
    Head,
    Length(u64),
    Chunked(Chunked),
    UntilClose,
    Done,
}

impl Reader {
    /// For the answer to the request that is about to be sent.
    pub fn new(want: Want) -> Self {
        Self {
            want,
            state: State::Head,
            partial: None,
            begun: false,
            status: 0,
            keep_alive: false,
            fields: None,
            body: want.body.map(|most| Box::new(Keeper::new(most))),
        }
    }

    /// Takes in the next bytes. `Some`: the answer is whole, and so many of the bytes are behind it. `memo` is of this
    /// step only, since a head means another thing in the answer to another method.
    ///
    /// Errors: this is no HTTP/1.
    pub fn feed(&mut self, bytes: &[u8], memo: &mut Memo) -> Result<Option<usize>, Malformed> {
        self.begun |= !bytes.is_empty();
        let mut rest = bytes;
        while matches!(self.state, State::Head) {
            let read = if self.partial.is_none() { self.head(rest, memo)? } else { self.complete(rest)? };
            let Some((head, length)) = read else { return Ok(None) };
            rest = &rest[length..];
            self.enter(head);
        }
        self.read_body(rest)
    }

    /// What the peer's close means for the answer so far.
    ///
    /// Errors: what came was no HTTP/1.
    pub fn close(&mut self) -> Result<Closed, Malformed> {
        match self.state {
            State::UntilClose | State::Done => {
                self.state = State::Done;
                Ok(Closed::Whole)
            }
            State::Head => match &self.partial {
                Some(partial) => head::parse(&partial.bytes, self.want).map(|_| Closed::Short),
                None => Ok(Closed::Short),
            },
            State::Length(_) | State::Chunked(_) => Ok(Closed::Short),
        }
    }

    /// Whether a byte of an answer came.
    pub fn begun(&self) -> bool {
        self.begun
    }

    /// Whether the peer lets the connection be used again after this answer.
    pub fn keep_alive(&self) -> bool {
        self.keep_alive
    }

    /// The answer, once it is whole.
    pub fn take_reply(&mut self) -> Reply {
        Reply {
            status: self.status,
            body: self.body.take().map_or(Body::Dropped, |body| body.finish()),
            fields: self.fields.take(),
        }
    }

    /// Sets out on what follows a head. An interim answer (RFC 9110, section 15.2) is passed over; 101 is the last one
    /// on its connection, because what follows is no HTTP.
    fn enter(&mut self, head: Head) {
        if (100..200).contains(&head.status) && head.status != 101 {
            return;
        }
        self.status = head.status;
        self.keep_alive = head.keep_alive;
        self.fields = head.fields;
        self.state = match head.framing {
            Framing::Empty | Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Chunked(Chunked::default()),
            Framing::UntilClose => State::UntilClose,
        };
    }

    fn read_body(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        match &mut self.state {
            State::Head => return Ok(None),
            State::Done => return Ok(Some(bytes.len())),
            State::UntilClose => self.body.iter_mut().for_each(|body| body.push(bytes)),
            State::Length(left) => {
                let own = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                self.body.iter_mut().for_each(|body| body.push(&bytes[..own]));
                *left -= own as u64;
                if *left == 0 {
                    self.state = State::Done;
                    return Ok(Some(bytes.len() - own));
                }
            }
            State::Chunked(chunked) => {
                if let Some(used) = chunked.feed(bytes, |own| self.body.iter_mut().for_each(|body| body.push(own)))? {
                    self.state = State::Done;
                    return Ok(Some(bytes.len() - used));
                }
            }
        }
        Ok(None)
    }

    /// A head at the beginning of these bytes, and its length; keeps the bytes when its end has not come yet.
    fn head(&mut self, bytes: &[u8], memo: &mut Memo) -> Result<Option<(Head, usize)>, Malformed> {
        if let Some((head, length)) = memo.recall(bytes) {
            return Ok(Some((head.clone(), length)));
        }
        if let Some((head, length)) = head::parse(bytes, self.want)? {
            return Ok(Some((memo.learn(&bytes[..length], head), length)));
        }
        if bytes.len() >= MOST_HEAD {
            return Err(Malformed);
        }
        if !bytes.is_empty() {
            self.partial = Some(Box::new(Partial { bytes: bytes.to_vec(), looks: 0 }));
        }
        Ok(None)
    }

    /// The same for a head whose beginning is kept; the length is that of its part in these bytes.
    fn complete(&mut self, bytes: &[u8]) -> Result<Option<(Head, usize)>, Malformed> {
        let partial = self.partial.get_or_insert_default();
        let before = partial.bytes.len();
        // A head ends with a line feed; without one there is nothing new to be seen.
        let look = before < TELLING || bytes.contains(&b'\n');
        partial.bytes.extend_from_slice(&bytes[..bytes.len().min(MOST_HEAD - before)]);
        if look {
            partial.looks += 1;
            if let Some((head, length)) = head::parse(&partial.bytes, self.want)? {
                self.partial = None;
                return Ok(Some((head, length.saturating_sub(before))));
            }
        }
        let over = partial.bytes.len() >= MOST_HEAD || partial.looks >= MOST_LOOKS;
        if over { Err(Malformed) } else { Ok(None) }
    }
}
