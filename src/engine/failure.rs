//! Why a request failed, told apart by what a person would do about it.

use std::fmt;

/// A class of failures; its text is the key in the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failure {
    /// Nobody listens there.
    ConnectRefused,
    /// The step's timeout passed before there was a connection.
    ConnectTimeout,
    /// No connection for another reason (no route, no local port, ...).
    ConnectFailed,
    /// No TLS session: certificate or protocol.
    Tls,
    /// The peer ended the connection before the answer was whole.
    Reset,
    /// The peer's answer is not HTTP/1.
    InvalidHttp,
    /// Not answered in the step's timeout.
    Timeout,
    /// Answered with a status that the step does not accept.
    Status(u16),
    /// The answer is no JSON, though its tasks are to be read from it.
    BadJson,
    /// No whole number stands at the tasks' JSON pointer.
    TaskCountMissing,
    /// The answer is too large to look for the task count in it.
    AnswerTooLarge,
    /// A variable made the request's path or header one that cannot be sent.
    BadRequest,
    /// Still waiting when the load was ended.
    Cut,
}

impl Failure {
    /// Whether the answer did not come in time.
    pub fn timed_out(self) -> bool {
        matches!(self, Self::Timeout | Self::ConnectTimeout)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::ConnectRefused => "connect refused",
            Self::ConnectTimeout => "connect timeout",
            Self::ConnectFailed => "connect failed",
            Self::Tls => "tls",
            Self::Reset => "reset",
            Self::InvalidHttp => "invalid http",
            Self::Timeout => "timeout",
            Self::Status(code) => return write!(out, "status {code}"),
            Self::BadJson => "bad json",
            Self::TaskCountMissing => "task count missing",
            Self::AnswerTooLarge => "answer too large",
            Self::BadRequest => "bad request",
            Self::Cut => "cut off",
        })
    }
}

/// The class of a failed connect of TCP.
pub fn of_connect(error: &std::io::Error) -> Failure {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => Failure::ConnectRefused,
        std::io::ErrorKind::TimedOut => Failure::ConnectTimeout,
        std::io::ErrorKind::ConnectionReset => Failure::Reset,
        _ => Failure::ConnectFailed,
    }
}

/// The class of a request that failed on its connection.
pub fn of_exchange(error: &hyper::Error) -> Failure {
    if error.is_parse() || error.is_parse_too_large() {
        return Failure::InvalidHttp;
    }
    if causes(error).any(|cause| cause.is::<rustls::Error>()) { Failure::Tls } else { Failure::Reset }
}

/// Whether the peer closed the connection by force.
pub fn is_reset(error: &hyper::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset};
    let io = |cause: &Cause| cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    causes(error).any(|cause| matches!(io(cause), Some(BrokenPipe | ConnectionReset)))
}

type Cause = dyn std::error::Error + 'static;

fn causes(error: &hyper::Error) -> impl Iterator<Item = &Cause> {
    std::iter::successors(std::error::Error::source(error), |cause| {
        match cause.downcast_ref::<std::io::Error>() {
            // An io::Error shows the cause of what it wraps, not what it wraps.
            Some(io) => io.get_ref().map(|wrapped| wrapped as &Cause),
            None => cause.source(),
        }
    })
}
