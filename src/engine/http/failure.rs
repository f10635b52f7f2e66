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
    /// Not a byte of an answer came in the step's timeout.
    FirstByteTimeout,
    /// An answer began and was not whole in the step's timeout.
    Timeout,
    /// Answered with a status that the step does not accept.
    Status(u16),
    /// The answer is no JSON, though something is to be read from it.
    BadJson,
    /// Another value than the expected one stands in the JSON answer, or none.
    UnexpectedJson,
    /// A value to capture is not in the answer, or no later request could carry it.
    CaptureMissing,
    /// An item was not done in the time for it.
    NotDone,
    /// No whole number stands at the tasks' JSON pointer.
    TaskCountMissing,
    /// The answer is too large to look for something in it.
    AnswerTooLarge,
    /// Still waiting when the load was ended.
    Cut,
}

impl Failure {
    /// Whether the answer did not come in time.
    pub fn timed_out(self) -> bool {
        matches!(self, Self::Timeout | Self::FirstByteTimeout | Self::ConnectTimeout)
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
            Self::FirstByteTimeout => "first byte timeout",
            Self::Timeout => "timeout",
            Self::Status(code) => return write!(out, "status {code}"),
            Self::BadJson => "bad json",
            Self::UnexpectedJson => "unexpected json",
            Self::CaptureMissing => "capture missing",
            Self::NotDone => "not done",
            Self::TaskCountMissing => "task count missing",
            Self::AnswerTooLarge => "answer too large",
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

/// The class of a failed handshake of TLS.
pub fn of_handshake(error: &std::io::Error) -> Failure {
    // A peer that goes away in the handshake says nothing about certificates or versions.
    match error.kind() {
        std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe => Failure::Reset,
        _ => Failure::Tls,
    }
}

/// The class of a request that failed on its connection.
pub fn of_exchange(error: &std::io::Error) -> Failure {
    if error.get_ref().is_some_and(|cause| cause.is::<rustls::Error>()) { Failure::Tls } else { Failure::Reset }
}
