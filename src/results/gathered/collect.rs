//! What a generator's log says, when it says all of it.

use std::fmt;

use crate::api::Reason;
use crate::plan::PROTOCOL_VERSION;

use super::record::{Header, LoadRecord, Record, Termination, Trailer};

/// All that one generator measured.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneratorReport {
    /// Who speaks.
    pub header: Header,
    /// Its share of each load it sent.
    pub loads: Vec<LoadRecord>,
}

/// How one generator ended, as the controller found it.
#[derive(Clone, Debug, PartialEq)]
pub enum GeneratorOutcome {
    /// Its log is complete.
    Complete(GeneratorReport),
    /// Its log is gone or cut; these counts are from the termination message, and its latency is unknown.
    Counts(Termination),
    /// It left nothing.
    Lost {
        /// `GeneratorLost`, or what is known to be behind it (`GeneratorOutOfMemory`, `SecretMissing`, …).
        reason: Reason,
        /// A sentence for people, without secrets.
        message: String,
    },
}

impl GeneratorOutcome {
    /// The shares of loads that are known.
    pub fn loads(&self) -> &[LoadRecord] {
        match self {
            Self::Complete(report) => &report.loads,
            Self::Counts(termination) => &termination.loads,
            Self::Lost { .. } => &[],
        }
    }
}

/// Why a log is not all that the generator said; a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incomplete(pub String);

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Incomplete {}

/// Reads a generator's standard output: a header, its loads, a trailer with the number of lines before it and their
/// CRC-32.
///
/// Empty lines before the header and after the trailer don't matter. Errors: anything else that isn't exactly what was
/// written (rotated away, cut off, mixed with foreign lines, altered), as [`Incomplete`].
pub fn parse(log: &str) -> Result<GeneratorReport, Incomplete> {
    let mut crc = crc32fast::Hasher::new();
    let (mut header, mut loads, mut lines, mut trailer) = (None, Vec::new(), 0u32, None);
    for line in log.split('\n').map(|l| l.strip_suffix('\r').unwrap_or(l)).filter(|l| !l.is_empty()) {
        if trailer.is_some() {
            return Err(incomplete("lines follow the trailer, so two processes wrote to one log"));
        }
        match read(line, lines)? {
            Record::Trailer(found) => {
                trailer = Some(found);
                continue;
            }
            Record::Header(found) if lines == 0 => header = Some(accepted(found)?),
            Record::Header(_) => return Err(incomplete("there are two headers, so two processes wrote to one log")),
            Record::Load(_) if lines == 0 => {
                return Err(incomplete("the beginning of the log is missing (rotated away)"));
            }
            Record::Load(load) => loads.push(*load),
        }
        lines += 1;
        crc.update(line.as_bytes());
        crc.update(b"\n");
    }
    check(trailer, lines, crc.finalize())?;
    let header = header.ok_or_else(|| incomplete("the header is missing"))?;
    Ok(GeneratorReport { header, loads })
}

fn read(line: &str, before: u32) -> Result<Record, Incomplete> {
    super::line::line(line).ok_or_else(|| match before {
        // The text is not repeated: it may be anything.
        0 => {
            incomplete("the log does not begin with a header: its beginning was rotated away, or it is no generator's")
        }
        _ => Incomplete(format!("line {} of the log is no record (cut off, or written by something else)", before + 1)),
    })
}

fn accepted(header: Header) -> Result<Header, Incomplete> {
    if header.protocol != PROTOCOL_VERSION {
        return Err(Incomplete(format!(
            "the generator speaks protocol {}, this operator {PROTOCOL_VERSION}",
            header.protocol
        )));
    }
    Ok(header)
}

fn check(trailer: Option<Trailer>, lines: u32, crc32: u32) -> Result<(), Incomplete> {
    let trailer = match trailer {
        Some(trailer) => trailer,
        None if lines == 0 => return Err(incomplete("the log is empty")),
        None => return Err(incomplete("the log has no trailer, so its end is missing")),
    };
    if trailer.records != lines {
        return Err(Incomplete(format!("{lines} of {} records are there", trailer.records)));
    }
    if trailer.crc32 != crc32 {
        return Err(incomplete("the records are not those that were written (checksum)"));
    }
    Ok(())
}

fn incomplete(why: &str) -> Incomplete {
    Incomplete(why.to_owned())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::results::gathered::record::Counts;

    pub fn header() -> Header {
        Header {
            protocol: PROTOCOL_VERSION,
            run_id: "demo-abcde-1".into(),
            row: 1,
            index: 0,
            start_at_ms: 1_000_000,
            grant_seen_after_ms: 60,
            version: "0.1.0".into(),
        }
    }

    pub fn log(records: &[Record]) -> String {
        let mut text = String::new();
        for record in records {
            text.push_str(&serde_json::to_string(record).expect("JSON"));
            text.push('\n');
        }
        let trailer = Trailer { records: records.len() as u32, crc32: crc32fast::hash(text.as_bytes()) };
        text + &serde_json::to_string(&Record::Trailer(trailer)).expect("JSON") + "\n"
    }

    fn good() -> String {
        let load = LoadRecord {
            name: "a".into(),
            counts: Counts { sent: 3, ok: 3, due: 3, ..Counts::default() },
            ..LoadRecord::default()
        };
        log(&[Record::Header(header()), Record::Load(Box::new(load))])
    }

    #[test]
    fn a_complete_log_is_read() {
        let report = parse(&good()).expect("complete");
        assert_eq!(report.header, header());
        assert_eq!(report.loads[0].counts.sent, 3);
    }

    #[test]
    fn every_cut_makes_it_incomplete() {
        let good = good();
        for cut in 0..good.len() - 1 {
            assert!(parse(&good[..cut]).is_err(), "cut at {cut}");
            assert!(cut == 0 || parse(&good[cut..]).is_err(), "begun at {cut}");
        }
    }

    #[test]
    fn one_changed_digit_makes_it_incomplete() {
        let error = parse(&good().replace("\"sent\":3", "\"sent\":9")).expect_err("altered");
        assert!(error.to_string().contains("checksum"), "{error}");
    }

    #[test]
    fn foreign_lines_make_it_incomplete() {
        let good = good();
        let second = good.find('\n').expect("lines") + 1;
        let mixed = format!("{}panic: out of luck\n{}", &good[..second], &good[second..]);
        assert!(parse(&mixed).expect_err("mixed").to_string().contains("line 2"));
        assert!(parse(&format!("{good}{good}")).is_err());
        assert!(parse("hello\n").is_err());
    }

    #[test]
    fn a_lost_line_and_another_protocol_are_named() {
        let other = Header { protocol: 99, ..header() };
        assert!(parse(&log(&[Record::Header(other)])).expect_err("newer").to_string().contains("protocol 99"));
        let good = good();
        let mut lines = good.lines();
        let (first, _, last) = (lines.next(), lines.next(), lines.next());
        let lost = format!("{}\n{}\n", first.expect("header"), last.expect("trailer"));
        assert_eq!(parse(&lost).expect_err("lost").to_string(), "1 of 2 records are there");
    }
}
