//! Sentences a person would write about a row.

use std::collections::BTreeMap;

use crate::api::{LoadFigures, Row, TargetFigures};
use crate::plan::PlannedRow;

use super::database::Window;
use super::decimal::human_count;
use super::note::plural;
use crate::results::gathered::merge::{MergedLoad, MergedStep};
use crate::results::gathered::recovery::OutageRecord;
use crate::results::gathered::sample::Sample;

/// What went wrong with requests, most frequent first: "2 requests timed out after 60 s", "1,203 answers were 503".
pub fn failures(planned: &PlannedRow, loads: &[MergedLoad]) -> Vec<String> {
    let mut all: Vec<(u64, String)> = Vec::new();
    for load in loads {
        let of = if loads.len() > 1 { format!("{}: ", load.name) } else { String::new() };
        for (step, class, n) in failures_by_step(load) {
            let at = step.map_or_else(|| of.clone(), |step| format!("{of}{step}: "));
            let turns = load.steps.iter().find(|one| step == Some(&one.counts.name) || load.steps.len() == 1);
            let turns = turns.and_then(|one| turns_of(one, class)).unwrap_or_default();
            all.push((n, format!("{at}{}{turns}", failure(class, n, timeout(planned, &load.name, step)))));
        }
        if load.counts.skipped > 0 {
            let requests = plural(load.counts.skipped, "request was", "requests were");
            all.push((
                load.counts.skipped,
                format!("{of}{requests} not made: a value that they need was not captured"),
            ));
        }
        let named: u64 = load.counts.failures.values().sum();
        if load.counts.failed > named {
            all.push((
                load.counts.failed - named,
                format!("{of}{} failed", plural(load.counts.failed - named, "request", "requests")),
            ));
        }
    }
    all.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    all.into_iter().filter(|(n, _)| *n > 0).map(|(_, text)| text).collect()
}

/// Each class of a load's failures; of a journey with the step, where every failure is known by its step.
fn failures_by_step(load: &MergedLoad) -> Vec<(Option<&str>, &str, u64)> {
    let all = |failures: &BTreeMap<String, u64>| failures.values().sum::<u64>();
    let by_step: u64 = load.steps.iter().map(|step| all(&step.counts.failures)).sum();
    if load.steps.len() < 2 || by_step != all(&load.counts.failures) {
        return load.counts.failures.iter().map(|(class, n)| (None, class.as_str(), *n)).collect();
    }
    load.steps
        .iter()
        .flat_map(|step| {
            step.counts.failures.iter().map(|(class, n)| (Some(step.counts.name.as_str()), class.as_str(), *n))
        })
        .collect()
}

/// ", at 8 of 20" or ", at 8 to 20 of 20": which time of a step that is sent several times failed.
fn turns_of(step: &MergedStep, class: &str) -> Option<String> {
    let turns = || step.counts.places.iter().filter(|place| place.class == class).map(|place| place.turn);
    let (first, last) = (turns().min()?, turns().max()?);
    let turns = if first == last { first.to_string() } else { format!("{first} to {last}") };
    Some(format!(", at {turns} of {}", human_count(i64::try_from(step.counts.each).ok()?)))
}

fn failure(class: &str, n: u64, timeout: Option<i32>) -> String {
    let requests = plural(n, "request", "requests");
    if let Some(status) = class.strip_prefix("status ") {
        return format!("{} {} {status}", plural(n, "answer", "answers"), if n == 1 { "was" } else { "were" });
    }
    match (class, timeout) {
        ("first byte timeout", Some(seconds)) => format!("{requests} had no answer after {seconds} s"),
        ("timeout", Some(seconds)) => format!("{requests} timed out after {seconds} s"),
        ("timeout", None) => format!("{requests} timed out"),
        ("not done", _) => format!("{} not done in time", plural(n, "item was", "items were")),
        ("unexpected json", _) => format!("{requests} had another JSON answer than expected"),
        _ => format!("{requests} failed: {class}"),
    }
}

/// The timeout of a step, or of all steps of a load, where they share one.
fn timeout(planned: &PlannedRow, name: &str, step: Option<&str>) -> Option<i32> {
    let load = planned.loads.iter().find(|l| l.name.0 == name)?;
    let mut all = load.steps.iter().filter(|s| step.is_none_or(|step| s.name.0 == step)).map(|s| s.timeout_seconds);
    let first = all.next()?;
    all.all(|t| t == first).then_some(first)
}

/// "ingest was stopped early: requests.failedPercent was 12, allowed is at most 5".
pub fn stopped(planned: &PlannedRow, loads: &[MergedLoad]) -> Vec<String> {
    let all = loads.iter().filter_map(|load| {
        let breach = load.breaches.first()?;
        let generators = planned.loads.iter().find(|l| l.name.0 == load.name).map_or(1, |l| l.generators);
        let part = match generators {
            ..=1 => String::new(),
            n => format!(" by {} of its {n} generators", load.breaches.len()),
        };
        let allowed = breach.limit.replacen("max ", "at most ", 1);
        Some(format!(
            "{} was stopped early{part}: {} was {}, allowed is {allowed}",
            load.name, breach.metric, breach.observed
        ))
    });
    all.collect()
}

/// An outage until the end of the load that is shorter than this is a last failed request or two, milliseconds.
const WORTH_SAYING_MS: u64 = 1_000;

/// "probe did not answer well again before its load ended"; of what never did, the failures say so.
pub fn unrecovered(loads: &[MergedLoad]) -> Vec<String> {
    let long = |one: &OutageRecord| one.open && one.milliseconds() >= WORTH_SAYING_MS;
    let open = |load: &&MergedLoad| load.recovery.as_ref().is_some_and(|all| all.outages.iter().any(long));
    loads
        .iter()
        .filter(|load| load.counts.ok > 0)
        .filter(open)
        .map(|load| format!("{} did not answer well again before its load ended", load.name))
        .collect()
}

/// "maxInFlight 1,000 was reached: 320 requests of ingest were due and not sent, so its rate is at least 118.2/s".
pub fn capped(planned: &PlannedRow, figures: &[LoadFigures]) -> Vec<String> {
    let all = figures.iter().filter_map(|load| {
        let requests = load.requests.as_ref()?;
        let capped = requests.capped.filter(|n| n.0 > 0)?;
        let limit = planned.loads.iter().find(|l| l.name == load.name).and_then(|l| l.max_in_flight).unwrap_or(1000);
        let rate =
            requests.per_second.as_ref().map_or_else(String::new, |r| format!(", so its rate is at least {}/s", r.0));
        Some(format!(
            "maxInFlight {} was reached: {} of {} were due and not sent{rate}",
            human_count(limit.into()),
            plural(capped.0 as u64, "request", "requests"),
            load.name.0
        ))
    });
    all.collect()
}

/// "api restarted twice, once out of memory".
pub fn restarts(targets: &[TargetFigures]) -> Vec<String> {
    let all = targets.iter().filter_map(|target| {
        let restarts = target.restarts.filter(|n| *n > 0)?;
        let oom = target.oom_kills.unwrap_or(0);
        let memory = match (oom, restarts) {
            (0, _) => String::new(),
            (o, r) if o == r => ", out of memory".into(),
            (o, _) => format!(", {} out of memory", times(o)),
        };
        Some(format!("{} restarted {}{memory}", target.name.0, times(restarts)))
    });
    all.collect()
}

fn times(n: i32) -> String {
    match n {
        1 => "once".into(),
        2 => "twice".into(),
        n => format!("{} times", human_count(n.into())),
    }
}

/// "PostgreSQL answered 9 of 10 samples: timeout", when it isn't nearly all.
pub fn coverage(row: &Row, samples: &[Sample], window: &Window) -> Option<String> {
    let asked = |s: &&Sample| (window.start_ms..=window.end_ms).contains(&s.t);
    let why = samples.iter().filter(asked).rev().find_map(|s| s.lost.get("postgres"));
    let statistics = row.database.iter().find(|f| f.name == "connections").map(|f| &f.statistics);
    let expected = statistics.and_then(|s| s.expected).unwrap_or_else(|| window.expected(window.sample_interval()));
    let points = statistics.and_then(|s| s.points).unwrap_or(0);
    if i64::from(points) * 100 >= i64::from(expected) * 95 {
        return None;
    }
    let why = why.map_or_else(String::new, |w| format!(": {w}"));
    Some(format!("PostgreSQL answered {points} of {expected} samples{why}"))
}

/// "the clients counted 2 tasks fewer than the application (1,000 and 1,002)".
pub fn unaccounted(clients: i64, difference: i64) -> Option<String> {
    if difference == 0 {
        return None;
    }
    let (n, word) = (difference.unsigned_abs(), if difference > 0 { "more" } else { "fewer" });
    Some(format!(
        "the clients counted {} {word} than the application ({} and {})",
        plural(n, "task", "tasks"),
        human_count(clients),
        human_count(clients - difference)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::fixture::good;
    use crate::results::gathered::record::{Counts, PlaceRecord, StepCounts};

    fn sentences(step: StepCounts, skipped: u64) -> Vec<String> {
        let load = MergedLoad {
            name: "m".into(),
            counts: Counts { failed: step.failed, failures: step.failures.clone(), skipped, ..Counts::default() },
            steps: [StepCounts { name: "login".into(), each: 1, ..StepCounts::default() }, step]
                .map(|counts| MergedStep { counts, service: None })
                .into(),
            ..MergedLoad::default()
        };
        failures(&good(60).planned, &[load])
    }

    #[test]
    fn a_failure_of_a_repeated_step_says_which_time_it_was() {
        let apply = |turns: &[u32]| StepCounts {
            name: "apply".into(),
            each: 20,
            failed: turns.len() as u64,
            failures: [("status 500".to_owned(), turns.len() as u64)].into(),
            places: turns
                .iter()
                .map(|turn| PlaceRecord { class: "status 500".to_owned(), turn: *turn, count: 1 })
                .collect(),
            ..StepCounts::default()
        };
        assert_eq!(sentences(apply(&[8]), 0), ["apply: 1 answer was 500, at 8 of 20"]);
        assert_eq!(sentences(apply(&[8, 9, 20]), 0), ["apply: 3 answers were 500, at 8 to 20 of 20"]);
    }

    #[test]
    fn what_could_not_be_made_and_what_never_came_is_said() {
        let ready = StepCounts {
            name: "ready".into(),
            each: 1,
            failed: 2,
            failures: [("not done".to_owned(), 2)].into(),
            ..StepCounts::default()
        };
        let expected = [
            "6 requests were not made: a value that they need was not captured",
            "ready: 2 items were not done in time",
        ];
        assert_eq!(sentences(ready, 6), expected);
    }
}
