//! What the controller tells a running agent: annotations of its own pod, read from a downward-API volume.
//!
//! The kubelet writes one line an annotation, `key="value"` with the value quoted as Go's `strconv.Quote` does, and
//! swaps the whole directory by a symbolic link: a reader that opens the file anew each time sees a whole file.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

/// First request due; never changed. Instants are RFC 3339.
pub const START_AT: &str = "loadtest.dev/start-at";
/// When the controller wrote the grant; tells how far the clocks are apart.
pub const GRANTED_AT: &str = "loadtest.dev/granted-at";
/// No new request after this.
pub const STOP_AT: &str = "loadtest.dev/stop-at";
/// No generator sends or waits after this.
pub const HARD_END_AT: &str = "loadtest.dev/hard-end-at";
/// How often an agent looks. Changes arrive 0.01 to 0.2 s after the API's answer.
pub const POLL: Duration = Duration::from_millis(20);

/// Why the annotations could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    #[error(
        "cannot read the pod's annotations in {path}: {source}; mount metadata.annotations there as a downward-API volume"
    )]
    Unreadable { path: String, source: std::io::Error },
    #[error("line {line} of the pod's annotations is not key=\"value\"")]
    Malformed { line: usize },
    #[error("annotation {key} is not an RFC 3339 instant")]
    NotAnInstant { key: String },
}

/// The annotations of the pod as they were at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Annotations {
    values: BTreeMap<String, String>,
}

impl Annotations {
    /// Opens and reads the file anew.
    ///
    /// Errors: the file is not there, or is not what the kubelet writes.
    pub fn read(path: &Path) -> Result<Self, ChannelError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ChannelError::Unreadable { path: path.display().to_string(), source })?;
        Self::parse(&text)
    }

    /// Reads the kubelet's format.
    ///
    /// Errors: the number of the first line that is not `key="value"`.
    pub fn parse(text: &str) -> Result<Self, ChannelError> {
        let mut values = BTreeMap::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let pair = line.split_once('=').and_then(|(key, quoted)| Some((key, unquote(quoted)?)));
            let (key, value) = pair.ok_or(ChannelError::Malformed { line: number + 1 })?;
            values.insert(key.to_string(), value);
        }
        Ok(Self { values })
    }

    /// The value of an annotation.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// The instant in an annotation, milliseconds since the epoch; `None` when the annotation is not there.
    ///
    /// Errors: the value is no RFC 3339 instant.
    pub fn instant_ms(&self, key: &str) -> Result<Option<i64>, ChannelError> {
        let parse = |text: &str| text.parse::<Timestamp>().map(|at| at.as_millisecond());
        self.get(key).map(parse).transpose().map_err(|_| ChannelError::NotAnInstant { key: key.to_string() })
    }

    /// All of them.
    pub fn into_map(self) -> BTreeMap<String, String> {
        self.values
    }
}

/// Undoes Go's `strconv.Quote`; `None` when the text is not quoted so.
fn unquote(quoted: &str) -> Option<String> {
    let inner = quoted.trim_end().strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        let c = match c {
            '"' => return None,
            '\\' => match rest.next()? {
                'a' => '\x07',
                'b' => '\x08',
                'f' => '\x0c',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'v' => '\x0b',
                // A byte, not a character: Go writes bytes that are not UTF-8 so.
                'x' => {
                    bytes.push(u8::try_from(hex(&mut rest, 2)?).ok()?);
                    continue;
                }
                'u' => char::from_u32(hex(&mut rest, 4)?)?,
                'U' => char::from_u32(hex(&mut rest, 8)?)?,
                plain @ ('\\' | '"' | '\'') => plain,
                _ => return None,
            },
            plain => plain,
        };
        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn hex(chars: &mut std::str::Chars<'_>, digits: usize) -> Option<u32> {
    (0..digits).try_fold(0u32, |number, _| Some(number << 4 | chars.next()?.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubelets_file_is_read_with_its_escapes() {
        let text =
            "a=\"1\"\nloadtest.dev/row=\"{\\\"row\\\":1}\"\nodd=\"tab\\tline\\nnul\\x00 \\u00e9 \\U0001f600 =\\\\\"\n";
        let read = Annotations::parse(text).unwrap();
        assert_eq!(read.get("a"), Some("1"));
        assert_eq!(read.get("loadtest.dev/row"), Some("{\"row\":1}"));
        assert_eq!(read.get("odd"), Some("tab\tline\nnul\0 é 😀 =\\"));
        assert_eq!(read.into_map().len(), 3);
    }

    #[test]
    fn a_torn_line_is_an_error_and_not_half_a_value() {
        for torn in ["a=\"1", "a", "a=1", "a=\"\\\"", "a=\"\\q\"", "a=\"\\x4\"", "a=\"1\"2\""] {
            assert!(matches!(Annotations::parse(torn), Err(ChannelError::Malformed { line: 1 })), "{torn}");
        }
    }

    #[test]
    fn an_instant_that_is_not_there_is_none_and_a_wrong_one_an_error() {
        let read =
            Annotations::parse("loadtest.dev/start-at=\"2026-11-21T07:00:00.250Z\"\nloadtest.dev/stop-at=\"soon\"\n")
                .unwrap();
        assert_eq!(read.instant_ms(START_AT).unwrap(), Some(1_795_244_400_250));
        assert_eq!(read.instant_ms(HARD_END_AT).unwrap(), None);
        assert!(read.instant_ms(STOP_AT).unwrap_err().to_string().contains("loadtest.dev/stop-at"));
    }

    #[test]
    fn each_read_opens_the_file_that_is_there_now() {
        let folder = std::env::temp_dir().join(format!("channel-{}", uuid::Uuid::new_v4()));
        for version in ["1", "2"] {
            std::fs::create_dir_all(folder.join(version)).unwrap();
            std::fs::write(folder.join(version).join("annotations"), format!("v=\"{version}\"\n")).unwrap();
            let link = folder.join("next");
            std::os::unix::fs::symlink(version, &link).unwrap();
            std::fs::rename(&link, folder.join("data")).unwrap();
            let read = Annotations::read(&folder.join("data/annotations")).unwrap();
            assert_eq!(read.get("v"), Some(version));
        }
        assert!(matches!(Annotations::read(&folder.join("gone")), Err(ChannelError::Unreadable { .. })));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
