//! The seam: one connection to a load's host, on which one request at a time is sent.
//!
//! The bytes that are sent and read pass through buffers which all connections of a worker share ([`Scratch`]), so an
//! idle connection holds none. Rule: the buffers are used within one poll and never across an await; the lock that
//! guards them can't be held across one, because then the task could not be spawned.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::alarm::Alarm;
use super::failure::{self, Failure};
use super::payload::Tail;
use super::reader::{Closed, Malformed, Memo, Reader, Reply, Want};
use super::stream::Stream;

/// Bytes that are read at once.
const READ: usize = 64 << 10;

/// Buffers that the connections of one worker share.
pub struct Scratch {
    input: Box<[u8]>,
    output: Vec<u8>,
    memos: Vec<Memo>,
}

impl Scratch {
    /// For a load of so many steps.
    pub fn new(steps: usize) -> Self {
        Self { input: vec![0; READ].into(), output: Vec::new(), memos: vec![Memo::default(); steps] }
    }
}

/// A request that is to be sent.
pub trait Outgoing {
    /// Position of its step.
    fn step(&self) -> usize;
    /// What is wanted of the answer.
    fn want(&self) -> Want;
    /// Writes the request's bytes.
    fn write(&self, out: &mut Vec<u8>);
    /// What follows them piece by piece.
    fn tail(&self) -> Option<Box<Tail>>;
    /// The buffers; locked within a poll.
    fn with_scratch<T>(&self, work: impl FnOnce(&mut Scratch) -> T) -> T;
}

/// Why there is no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    pub failure: Failure,
    /// Nothing of the request was sent.
    pub unsent: bool,
    /// The connection ended without a byte of an answer.
    pub unanswered: bool,
}

/// An open connection. Closed when it is dropped, also in mid-answer.
pub struct Connection {
    stream: Stream,
    used: bool,
    /// An exchange has begun and is not over, or its end left the connection of no use.
    busy: bool,
}

impl Connection {
    /// Over a stream on which nothing was sent.
    pub fn new(stream: Stream) -> Self {
        Self { stream, used: false, busy: false }
    }

    /// Whether a request was sent on it.
    pub fn used(&self) -> bool {
        self.used
    }

    /// Whether no request may be sent on it, because an exchange was given up before its end or the peer allows no other.
    pub fn is_busy(&self) -> bool {
        self.busy
    }

    /// Sends a request and reads its answer to the end; the alarm is set for it.
    ///
    /// Errors: the connection or the answer broke, or the alarm's deadline passed.
    pub fn exchange<'a, O: Outgoing>(&'a mut self, request: &'a O, alarm: &'a mut Alarm) -> Exchange<'a, O> {
        self.busy = true;
        let reader = Reader::new(request.want());
        Exchange { connection: self, request, alarm, reader, sent: Sent::Nothing, tail: None, woken: false }
    }
}

/// A request and its answer, under way. Written out by hand: as an async function it would be copied into every state of
/// those around it, for each of ten thousand connections.
pub struct Exchange<'a, O> {
    connection: &'a mut Connection,
    request: &'a O,
    alarm: &'a mut Alarm,
    reader: Reader,
    sent: Sent,
    /// What is sent when all before it is on its way.
    tail: Option<Box<Tail>>,
    /// It was polled once; whoever polls it again may have been woken by the alarm.
    woken: bool,
}

impl<O: Outgoing> Future for Exchange<'_, O> {
    type Output = Result<Reply, Broken>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let request = this.request;
        match request.with_scratch(|scratch| this.advance(cx, scratch)) {
            Poll::Ready(Ok(reusable)) => {
                this.connection.busy = !reusable;
                Poll::Ready(Ok(this.reader.take_reply()))
            }
            Poll::Ready(Err(broken)) => Poll::Ready(Err(broken)),
            Poll::Pending => {
                let asks = std::mem::replace(&mut this.woken, true) || this.alarm.is_unasked();
                if asks && this.alarm.poll(cx).is_ready() {
                    let failure = if this.reader.begun() { Failure::Timeout } else { Failure::FirstByteTimeout };
                    return Poll::Ready(Err(Broken { failure, unsent: false, unanswered: false }));
                }
                Poll::Pending
            }
        }
    }
}

/// How much of the request is on its way.
enum Sent {
    Nothing,
    /// The rest is to be written when the connection takes it.
    Part(Box<[u8]>),
    /// All is written, but TLS may hold some of it back.
    Unflushed,
    All,
    /// The peer takes no more; its answer may be there all the same.
    Refused(Failure),
}

impl<O: Outgoing> Exchange<'_, O> {
    /// `Ready`: the answer is whole; true: the connection can be used again.
    fn advance(&mut self, cx: &mut Context<'_>, scratch: &mut Scratch) -> Poll<Result<bool, Broken>> {
        if matches!(self.sent, Sent::Nothing) {
            if self.connection.used {
                // Closed while it was idle, or something came that nobody asked for.
                if let Poll::Ready(read) = self.connection.stream.poll_read(cx, &mut scratch.input) {
                    let failure = read.err().map_or(Failure::Reset, |error| failure::of_exchange(&error));
                    return Poll::Ready(Err(Broken { failure, unsent: true, unanswered: true }));
                }
            }
            scratch.output.clear();
            self.request.write(&mut scratch.output);
            let first = self.write(cx, &scratch.output);
            if let Sent::Refused(failure) = &first.1
                && first.0 == 0
            {
                return Poll::Ready(Err(Broken { failure: *failure, unsent: true, unanswered: true }));
            }
            self.sent = first.1;
            if let Some(tail) = self.request.tail() {
                self.tail = Some(tail);
                self.follow(cx, &mut scratch.output);
            }
            // A connection that was just found empty wakes this task when there is something to read.
            if std::mem::replace(&mut self.connection.used, true) && matches!(self.sent, Sent::All) {
                return Poll::Pending;
            }
        } else if let Sent::Part(rest) = &mut self.sent {
            let rest = std::mem::take(rest);
            self.sent = self.write(cx, &rest).1;
            if self.tail.is_some() {
                self.follow(cx, &mut scratch.output);
            }
        } else if matches!(self.sent, Sent::Unflushed) {
            self.sent = self.flush(cx);
            if self.tail.is_some() {
                self.follow(cx, &mut scratch.output);
            }
        }
        self.read(cx, scratch, self.request.step())
    }

    /// Goes on with the tail as far as the connection takes it. While there is one, not all is sent.
    #[inline(never)]
    fn follow(&mut self, cx: &mut Context<'_>, output: &mut Vec<u8>) {
        while let (Some(tail), Sent::All) = (&mut self.tail, &self.sent) {
            output.clear();
            if tail.next(output) {
                self.sent = self.write(cx, output).1;
            } else {
                self.tail = None;
            }
        }
    }

    /// Writes what the connection takes, and says how many bytes that were.
    fn write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> (usize, Sent) {
        let mut from = 0;
        while from < bytes.len() {
            match self.connection.stream.poll_write(cx, &bytes[from..]) {
                Poll::Ready(Ok(0)) => return (from, Sent::Refused(Failure::Reset)),
                Poll::Ready(Ok(written)) => from += written,
                Poll::Ready(Err(error)) => return (from, Sent::Refused(failure::of_exchange(&error))),
                Poll::Pending => return (from, Sent::Part(bytes[from..].into())),
            }
        }
        (from, self.flush(cx))
    }

    fn flush(&mut self, cx: &mut Context<'_>) -> Sent {
        match self.connection.stream.poll_flush(cx) {
            Poll::Ready(Ok(())) => Sent::All,
            Poll::Ready(Err(error)) => Sent::Refused(failure::of_exchange(&error)),
            Poll::Pending => Sent::Unflushed,
        }
    }

    fn read(&mut self, cx: &mut Context<'_>, scratch: &mut Scratch, step: usize) -> Poll<Result<bool, Broken>> {
        loop {
            let read = match self.connection.stream.poll_read(cx, &mut scratch.input) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(read) => read,
            };
            let done = match read {
                Ok(0) => self.closed(),
                Ok(read) => self.came(&scratch.input[..read], &mut scratch.memos[step]),
                Err(error) => Err(self.broken(&error)),
            };
            match done {
                Ok(None) => {}
                Ok(Some(reusable)) => return Poll::Ready(Ok(reusable)),
                Err(broken) => return Poll::Ready(Err(broken)),
            }
        }
    }

    /// The answer's next bytes. `Some`: it is whole.
    fn came(&mut self, bytes: &[u8], memo: &mut Memo) -> Result<Option<bool>, Broken> {
        let whole = self.reader.feed(bytes, memo).map_err(|Malformed| self.invalid())?;
        let clean = |behind| behind == 0 && self.reader.keep_alive() && matches!(self.sent, Sent::All);
        Ok(whole.map(clean))
    }

    fn closed(&mut self) -> Result<Option<bool>, Broken> {
        match self.reader.close() {
            Ok(Closed::Whole) => Ok(Some(false)),
            Ok(Closed::Short) => Err(self.broken(&io::ErrorKind::UnexpectedEof.into())),
            Err(Malformed) => Err(self.invalid()),
        }
    }

    fn invalid(&self) -> Broken {
        Broken { failure: Failure::InvalidHttp, unsent: false, unanswered: false }
    }

    fn broken(&self, error: &io::Error) -> Broken {
        let failure = match &self.sent {
            Sent::Refused(failure) => *failure,
            _ => failure::of_exchange(error),
        };
        Broken { failure, unsent: false, unanswered: !self.reader.begun() }
    }
}
