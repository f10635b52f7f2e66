//! PURE: what an answer's head says about what follows it (RFC 9112, section 6.3).

use std::sync::Arc;

use super::{Fields, Malformed, Want};

/// Header lines of an answer; more are no HTTP to us. hyper's limit.
const MOST_HEADERS: usize = 100;

/// What follows a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Nothing.
    Empty,
    /// So many bytes.
    Length(u64),
    /// Chunks (section 7.1).
    Chunked,
    /// Everything until the peer closes.
    UntilClose,
}

/// The part of a head that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub status: u16,
    pub framing: Framing,
    /// Another request may be sent on the connection.
    pub keep_alive: bool,
    /// What is wanted of it, when there is any.
    pub fields: Option<Arc<Fields>>,
}

/// Reads a head and says how long it is; `None`: its end has not come yet.
///
/// Errors: it is no head of HTTP/1, or it contradicts itself about its body.
pub fn parse(bytes: &[u8], want: Want) -> Result<Option<(Head, usize)>, Malformed> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(Malformed),
    };
    if length > super::MOST_HEAD {
        return Err(Malformed);
    }
    let status = response.code.filter(|code| (100..=999).contains(code)).ok_or(Malformed)?;
    let said = Said::read(response.headers, want);
    let old = response.version == Some(0);
    let framing = match status {
        100..200 | 204 | 304 => Framing::Empty,
        _ if want.head_only => Framing::Empty,
        _ => said.framing(old)?,
    };
    // Both lengths at once is how requests are smuggled: what comes next on that connection can't be trusted (6.3).
    let clear = framing != Framing::UntilClose && !(said.coded && said.length.is_some()) && status != 101;
    let keep_alive = clear && !said.close && (!old || said.keep_alive);
    Ok(Some((Head { status, framing, keep_alive, fields: said.fields }, length)))
}

/// The headers that frame.
#[derive(Default)]
struct Said {
    /// `Err`: what it says is no length, or two different ones.
    length: Option<Result<u64, Malformed>>,
    /// There is a `Transfer-Encoding`.
    coded: bool,
    /// Its last coding is `chunked`.
    chunked: bool,
    close: bool,
    keep_alive: bool,
    fields: Option<Arc<Fields>>,
}

impl Said {
    fn read(headers: &[httparse::Header<'_>], want: Want) -> Self {
        let mut said = Self::default();
        let mut fields = Fields::default();
        for header in headers {
            // By its length first: most headers are none of these.
            match header.name.len() {
                14 if header.name.eq_ignore_ascii_case("content-length") => said.lengths(header.value),
                17 if header.name.eq_ignore_ascii_case("transfer-encoding") => {
                    said.coded = true;
                    let last = header.value.rsplit(|byte| *byte == b',').next();
                    said.chunked = last.is_some_and(|last| last.trim_ascii().eq_ignore_ascii_case(b"chunked"));
                }
                10 if header.name.eq_ignore_ascii_case("connection") => {
                    for word in header.value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                        said.close |= word.eq_ignore_ascii_case(b"close");
                        said.keep_alive |= word.eq_ignore_ascii_case(b"keep-alive");
                    }
                }
                10 if want.cookies && header.name.eq_ignore_ascii_case("set-cookie") => {
                    fields.cookies.extend(std::str::from_utf8(header.value).ok().map(str::to_owned));
                }
                _ => {}
            }
        }
        if want.headers {
            let kept = |header: &httparse::Header<'_>| {
                Some((header.name.to_owned(), std::str::from_utf8(header.value).ok()?.to_owned()))
            };
            fields.headers = headers.iter().filter_map(kept).collect();
        }
        said.fields = (fields != Fields::default()).then(|| fields.into());
        said
    }

    /// A list of lengths is good when all are the same (section 6.3).
    fn lengths(&mut self, value: &[u8]) {
        for part in value.split(|byte| *byte == b',') {
            let found = digits(part.trim_ascii());
            self.length = Some(match (&self.length, found) {
                (None, found) => found,
                (Some(Ok(known)), Ok(found)) if *known == found => Ok(found),
                _ => Err(Malformed),
            });
        }
    }

    fn framing(&self, old: bool) -> Result<Framing, Malformed> {
        match &self.length {
            // HTTP/1.0 knows no transfer coding (section 6.1): the framing is faulty.
            _ if self.coded && old => Err(Malformed),
            _ if self.coded && self.chunked => Ok(Framing::Chunked),
            _ if self.coded => Ok(Framing::UntilClose),
            Some(length) => length.map(Framing::Length),
            None => Ok(Framing::UntilClose),
        }
    }
}

/// Digits only: no sign, no space, no overflow. The two largest numbers are hyper's own and no length.
fn digits(text: &[u8]) -> Result<u64, Malformed> {
    let digits = Some(text).filter(|text| !text.is_empty() && text.iter().all(u8::is_ascii_digit));
    let number = digits.and_then(|text| std::str::from_utf8(text).ok()?.parse::<u64>().ok());
    number.filter(|number| *number < u64::MAX - 1).ok_or(Malformed)
}
