//! PURE: a body in chunks (RFC 9112, section 7.1), with extensions and trailers, as strict as hyper's.

use super::Malformed;

/// Bytes of all chunk extensions together, and of the trailers.
const MOST_EXTRA: u32 = 16 << 10;

/// Where in the body the next byte belongs.
#[derive(Debug, Default)]
pub struct Chunked {
    state: State,
    /// Of this chunk, while its size is read, and then what is left of it.
    left: u64,
    /// Bytes of extensions, then of trailers.
    extra: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Before the first digit of a size.
    #[default]
    Start,
    Size,
    /// White space behind a size.
    SizeSpace,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    /// At the beginning of a line behind the last chunk.
    EndCr,
    Trailer,
    TrailerLf,
    EndLf,
}

impl Chunked {
    /// Takes in the next bytes and hands the body's to `keep`. `Some`: the body is whole, and so many of the bytes were its own.
    ///
    /// Errors: these are no chunks, or the extensions or trailers are too long.
    pub fn feed(&mut self, bytes: &[u8], mut keep: impl FnMut(&[u8])) -> Result<Option<usize>, Malformed> {
        let mut at = 0;
        while at < bytes.len() {
            if self.state == State::Data {
                let all = bytes.len() - at;
                let own = usize::try_from(self.left).map_or(all, |left| left.min(all));
                keep(&bytes[at..at + own]);
                self.left -= own as u64;
                at += own;
                if self.left == 0 {
                    self.state = State::DataCr;
                }
                continue;
            }
            let last = self.state == State::EndLf;
            self.state = self.step(bytes[at])?;
            at += 1;
            if last {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    fn step(&mut self, byte: u8) -> Result<State, Malformed> {
        match (self.state, byte) {
            (State::Start | State::Size, digit) if digit.is_ascii_hexdigit() => {
                let digit = char::from(digit).to_digit(16).ok_or(Malformed)?;
                let more = self.left.checked_mul(16).and_then(|left| left.checked_add(u64::from(digit)));
                self.left = more.ok_or(Malformed)?;
                Ok(State::Size)
            }
            (State::Size | State::SizeSpace, b' ' | b'\t') => self.extra_byte(State::SizeSpace),
            (State::Size | State::SizeSpace, b';') => Ok(State::Extension),
            (State::Size | State::SizeSpace | State::Extension, b'\r') => Ok(State::SizeLf),
            // A line feed of its own in an extension is how requests are smuggled.
            (State::Extension, b'\n') => Err(Malformed),
            (State::Extension, _) => self.extra_byte(State::Extension),
            (State::SizeLf, b'\n') if self.left == 0 => {
                self.extra = 0;
                Ok(State::EndCr)
            }
            (State::SizeLf, b'\n') => Ok(State::Data),
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => Ok(State::Start),
            (State::EndCr, b'\r') => Ok(State::EndLf),
            (State::EndCr, _) => self.extra_byte(State::Trailer),
            (State::Trailer, b'\r') => Ok(State::TrailerLf),
            (State::Trailer, _) => self.extra_byte(State::Trailer),
            (State::TrailerLf, b'\n') => Ok(State::EndCr),
            (State::EndLf, b'\n') => Ok(State::EndLf),
            _ => Err(Malformed),
        }
    }

    fn extra_byte(&mut self, next: State) -> Result<State, Malformed> {
        self.extra += 1;
        if self.extra > MOST_EXTRA { Err(Malformed) } else { Ok(next) }
    }
}
