//! What agents say, in the product's own formats.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::process::{Doing, Process};
use super::ways::Logs;
use crate::fake::answer::Answer;
use crate::fake::path::Path;
use crate::fake::{Millis, World};
use loadtest_operator::agents::emit;
use loadtest_operator::plan::{Arrivals, PROTOCOL_VERSION};
use loadtest_operator::results::gathered::histogram;
use loadtest_operator::results::gathered::record::{Counts, Header, Histogram, LoadRecord, Termination};
use loadtest_operator::results::gathered::sample::{ObserverLine, Sample};

/// Encoding a histogram takes long in a debug build, and all answers are alike.
static TIMES: Mutex<BTreeMap<(u64, u64), Histogram>> = Mutex::new(BTreeMap::new());

fn times(n: u64, micros: u64) -> Histogram {
    let mut known = TIMES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let made = || {
        let mut times = histogram::empty();
        (0..n).for_each(|_| histogram::record(&mut times, micros));
        histogram::encode(&times)
    };
    known.entry((n, micros)).or_insert_with(made).clone()
}

/// The records and the termination message of a generator that sent until `now`: every answer good.
pub fn records(process: &Process, now: Millis, why: Option<&str>) -> (String, String) {
    let (Some(input), Doing::Granted { start_at, seen_after, .. }) = (&process.input, process.doing) else {
        return (String::new(), String::new());
    };
    let load = &input.loads[0];
    let Arrivals::Rate { count, per_seconds, seconds, .. } = load.arrivals else {
        panic!("the simulated load is a rate")
    };
    let due = u64::from(count) * u64::from(seconds) / u64::from(per_seconds) / u64::from(load.generators);
    let sent = match why {
        Some(_) => due * u64::try_from(now - start_at).unwrap_or(0) / 1000 / u64::from(seconds.max(1)),
        None => due,
    };
    let record = LoadRecord {
        name: load.name.clone(),
        counts: Counts {
            due,
            sent,
            ok: sent,
            unsent: due - sent,
            first_due_ms: Some(start_at),
            last_end_ms: Some(now),
            ..Counts::default()
        },
        statuses: [(200, sent)].into(),
        latency: times(sent, 20_000),
        service: times(sent, 19_000),
        lateness: times(sent, 1_000),
        stopped: why.map(str::to_owned),
        ..LoadRecord::default()
    };
    let header = Header {
        protocol: PROTOCOL_VERSION,
        run_id: input.run_id.clone(),
        row: input.row,
        index: process.index,
        start_at_ms: start_at,
        grant_seen_after_ms: seen_after,
        version: "simulated".into(),
    };
    let mut log = Vec::new();
    emit::records(&mut log, &header, std::slice::from_ref(&record)).expect("memory takes everything");
    let last_words = emit::termination(&Termination { reason: None, message: None, loads: vec![record] });
    (String::from_utf8(log).expect("text"), last_words)
}

/// What `pods/log` answers.
pub fn log(world: &World, process: &Process, since: Option<&str>) -> Answer {
    if process.input.is_none() {
        return Answer::text(if world.cluster.ways.observer_speaks {
            observed(world, process, since)
        } else {
            String::new()
        });
    }
    match world.cluster.ways.logs {
        Logs::Whole => Answer::text(process.log.clone()),
        Logs::Unreadable => Answer::no(500, "the kubelet does not answer"),
        Logs::Empty => Answer::text(String::new()),
        Logs::Cut => {
            let whole = process.log.trim_end();
            Answer::text(whole.rsplit_once('\n').map_or("", |(before, _)| before).to_owned())
        }
    }
}

/// One line a second since the observer was armed.
fn observed(world: &World, process: &Process, since: Option<&str>) -> String {
    let since = since.and_then(|text| text.parse::<jiff::Timestamp>().ok()).map_or(0, jiff::Timestamp::as_millisecond);
    let Some(armed_at) = process.armed_at else { return String::new() };
    let until = process.ended_at.unwrap_or(world.store.now);
    let first = armed_at.max(since - (since - armed_at).rem_euclid(1000));
    let line = |t: Millis| {
        let sample = Sample { t, m: [("pending".to_owned(), world.cluster.ways.backlog)].into(), ..Sample::default() };
        serde_json::to_string(&ObserverLine::Sample(sample)).expect("a line") + "\n"
    };
    (first..=until).step_by(1000).map(line).collect()
}

/// Lines as the kubelet shows them, each after its instant.
pub fn lines(lines: &[(Millis, &str)]) -> String {
    let line = |(at, text): &(Millis, &str)| {
        format!("{} {text}\n", jiff::Timestamp::from_millisecond(*at).expect("an instant"))
    };
    lines.iter().map(line).collect()
}

/// What `pods/log` answers about a pod of an application.
pub fn of_application(world: &World, path: &Path) -> Answer {
    if path.query.get("previous").is_some_and(|on| on == "true") {
        return Answer::no(400, "previous terminated container not found");
    }
    let since = path.query.get("sinceTime").and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let since = since.map_or(0, jiff::Timestamp::as_millisecond);
    let new: Vec<_> = world.cluster.ways.app_log.iter().filter(|(at, _)| *at >= since).copied().collect();
    let mut text = lines(&new);
    let most = path.query.get("limitBytes").and_then(|text| text.parse().ok()).unwrap_or(usize::MAX);
    text.truncate(most);
    Answer::text(text)
}
