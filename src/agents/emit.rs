//! What a generator leaves behind: records on standard output and a short summary for when the log is gone.

use std::io::{self, Write};

use crate::results::gathered::record::{Header, Histogram, LoadRecord, Record, Termination, Timeline, Trailer};

/// The kubelet rotates larger logs and then shows their newest part only.
const MOST_OUTPUT: usize = 4 << 20;
/// The kubelet keeps so much of a termination message.
const MOST_TERMINATION: usize = 4096;

/// Writes the records of a pod: header, loads, trailer with count and checksum; one line each.
///
/// A load that would make the log too long loses its steps' histograms, then its timeline; its counts always stay.
/// Errors: the output can't be written to.
pub fn records(out: &mut impl Write, header: &Header, loads: &[LoadRecord]) -> io::Result<()> {
    let mut text = line(&Record::Header(header.clone()))?;
    let most = MOST_OUTPUT / loads.len().max(1);
    for load in loads {
        text.push_str(&fitting(load, most)?);
    }
    let lines = 1 + u32::try_from(loads.len()).unwrap_or(u32::MAX);
    let trailer = Trailer { records: lines, crc32: crc32fast::hash(text.as_bytes()) };
    text.push_str(&line(&Record::Trailer(trailer))?);
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn line(record: &Record) -> io::Result<String> {
    Ok(serde_json::to_string(record)? + "\n")
}

fn fitting(load: &LoadRecord, most: usize) -> io::Result<String> {
    let mut load = Box::new(load.clone());
    let whole = line(&Record::Load(load.clone()))?;
    if whole.len() <= most {
        return Ok(whole);
    }
    load.steps.iter_mut().for_each(|step| step.service = Histogram::default());
    let shorter = line(&Record::Load(load.clone()))?;
    if shorter.len() <= most {
        return Ok(shorter);
    }
    load.timeline = Timeline::default();
    // What is left is small: at most 1,000 items of some 80 bytes.
    line(&Record::Load(load))
}

/// The termination message: counts without histograms and timelines, cut down until it fits into 4 KiB.
pub fn termination(termination: &Termination) -> String {
    let mut short = termination.clone();
    for load in &mut short.loads {
        for histogram in [&mut load.latency, &mut load.service, &mut load.lateness, &mut load.connect] {
            *histogram = Histogram::default();
        }
        load.steps.iter_mut().for_each(|step| step.service = Histogram::default());
        load.timeline = Timeline::default();
        load.steps.iter_mut().for_each(|step| step.counts.places.clear());
        load.items.iter_mut().for_each(|items| items.rows.clear());
    }
    let cuts: [fn(&mut Termination); 5] = [
        |all| each(all, |load| load.steps.iter_mut().for_each(|step| step.counts.failures.clear())),
        |all| each(all, |load| load.steps.clear()),
        |all| each(all, |load| load.statuses.clear()),
        |all| each(all, |load| load.counts.failures.clear()),
        |all| all.message = all.message.take().map(|message| message.chars().take(500).collect()),
    ];
    for cut in cuts {
        let text = serde_json::to_string(&short).unwrap_or_default();
        if text.len() <= MOST_TERMINATION {
            return text;
        }
        cut(&mut short);
    }
    match serde_json::to_string(&short) {
        Ok(text) if text.len() <= MOST_TERMINATION => text,
        _ => serde_json::to_string(&Termination { loads: vec![], ..short }).unwrap_or_default(),
    }
}

fn each(all: &mut Termination, cut: fn(&mut LoadRecord)) {
    all.loads.iter_mut().for_each(cut);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::gathered::record::{Counts, StepCounts, StepRecord};

    fn header() -> Header {
        Header {
            protocol: 1,
            run_id: "demo-1".into(),
            row: 1,
            index: 0,
            start_at_ms: 5,
            grant_seen_after_ms: 60,
            version: "0".into(),
        }
    }

    fn large(steps: usize, histogram: usize) -> LoadRecord {
        let service = Histogram("x".repeat(histogram));
        let failures = (0..8).map(|code| (format!("status {code}"), 1)).collect();
        let step = |n| StepRecord {
            counts: StepCounts { name: format!("step{n}"), failures, ..StepCounts::default() },
            service: service.clone(),
        };
        LoadRecord {
            name: "l".into(),
            counts: Counts { sent: 77, ..Counts::default() },
            statuses: (100..600).map(|code| (code, 1)).collect(),
            steps: (0..steps).map(|n| step.clone()(n)).collect(),
            latency: service.clone(),
            ..Default::default()
        }
    }

    #[test]
    fn the_trailer_counts_and_checks_all_lines_before_it() {
        let mut out = Vec::new();
        records(&mut out, &header(), &[large(1, 10)]).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<_> = text.split_inclusive('\n').collect();
        let Record::Trailer(trailer) = serde_json::from_str(lines[2]).unwrap() else { panic!("{}", lines[2]) };
        assert_eq!(trailer.records, 2);
        assert_eq!(trailer.crc32, crc32fast::hash(lines[..2].concat().as_bytes()));
        let Record::Load(load) = serde_json::from_str(lines[1]).unwrap() else { panic!("{}", lines[1]) };
        assert_eq!(*load, large(1, 10));
    }

    #[test]
    fn a_log_that_would_be_too_long_loses_detail_and_no_count() {
        let mut out = Vec::new();
        records(&mut out, &header(), &[large(32, 1 << 18)]).unwrap();
        assert!(out.len() <= MOST_OUTPUT);
        let text = String::from_utf8(out).unwrap();
        let Record::Load(load) = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap() else { panic!() };
        assert_eq!((load.counts.sent, load.steps.len(), load.latency.0.len()), (77, 32, 1 << 18));
    }

    #[test]
    fn a_termination_message_fits_and_keeps_reason_and_counts() {
        let full = Termination {
            reason: Some("UrlNotAllowed".into()),
            message: Some("é".repeat(5000)),
            loads: vec![large(32, 5000)],
        };
        let text = termination(&full);
        assert!(text.len() <= MOST_TERMINATION);
        let read: Termination = serde_json::from_str(&text).unwrap();
        assert_eq!((read.reason.as_deref(), read.loads[0].counts.sent), (Some("UrlNotAllowed"), 77));
        assert!(text.starts_with("{\"reason\":\"UrlNotAllowed\",\"message\":\"é"));
    }

    #[test]
    fn a_small_one_keeps_its_failures() {
        let counts = Counts { failures: [("timeout".to_string(), 3)].into(), ..Counts::default() };
        let small = LoadRecord { counts, ..large(1, 9) };
        let read: Termination = serde_json::from_str(&termination(&Termination {
            reason: None,
            message: None,
            loads: vec![LoadRecord { statuses: [(200, 1)].into(), ..small }],
        }))
        .unwrap();
        assert_eq!((read.loads[0].counts.failures["timeout"], read.loads[0].statuses[&200]), (3, 1));
        assert_eq!(read.loads[0].steps[0].counts.failures.len(), 8);
    }
}
