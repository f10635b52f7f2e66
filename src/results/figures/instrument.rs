//! Did the instrument work? What makes a row Invalid before any threshold is looked at.

use std::collections::BTreeMap;

use crate::api::{Load, Reason, ReasonKind};
use crate::plan::PlannedRow;

use super::decimal::human;
use super::note::plural;
use crate::results::gathered::collect::GeneratorOutcome;
use crate::results::gathered::merge::MergedLoad;
use crate::results::gathered::record::{Header, THRESHOLD};
use crate::results::row_input::{CollectInput, Fact};

/// Clocks may differ so much, milliseconds.
pub const MOST_SKEW_MS: i64 = 1_000;
/// So much of what was due may be late or unsent, percent.
pub const MOST_LATE_PERCENT: f64 = 1.0;

/// Why the row proves nothing, each with a sentence; the first is the reason. A disturbed target stands last: a threshold
/// on its restarts may still judge the row.
pub fn failures(input: &CollectInput, loads: &[MergedLoad], late_limit: u64) -> Vec<(Reason, String)> {
    let known = |wanted: bool| {
        let disturbed = |f: &&Fact| matches!(f.reason, Some(Reason::TargetDisturbed)) == wanted;
        input.facts.iter().filter(disturbed).filter_map(invalid).collect::<Vec<_>>()
    };
    let mut all = known(false);
    all.extend(lost(input.outcomes));
    all.extend(missing(input.planned, input.outcomes));
    all.extend(foreign(input));
    all.extend(counts_only(input.outcomes));
    all.extend(unfinished(loads));
    all.extend(skew(input.outcomes));
    for (load, merged) in input.planned.loads.iter().zip(loads) {
        all.extend(unsent(load, merged));
        all.extend(saturated(merged, late_limit));
    }
    all.extend(known(true));
    all
}

fn invalid(fact: &Fact) -> Option<(Reason, String)> {
    // A lost observer makes its figures missing; whether that matters is for the thresholds to say.
    let reason = fact.reason.filter(|r| r.kind() == ReasonKind::Invalid && *r != Reason::ObserverLost)?;
    Some((reason, fact.message.clone()))
}

fn lost(outcomes: &[(u32, GeneratorOutcome)]) -> Vec<(Reason, String)> {
    let all = outcomes.iter().filter_map(|(index, outcome)| match outcome {
        GeneratorOutcome::Lost { reason, message } => {
            let reason = if reason.kind() == ReasonKind::Invalid { *reason } else { Reason::GeneratorLost };
            Some((reason, format!("generator {} of {}: {message}", index + 1, outcomes.len())))
        }
        _ => None,
    });
    all.collect()
}

/// Each completion index speaks once.
fn missing(planned: &PlannedRow, outcomes: &[(u32, GeneratorOutcome)]) -> Vec<(Reason, String)> {
    let wanted: u32 = planned.loads.iter().map(generators).sum();
    let mut seen: BTreeMap<u32, u32> = BTreeMap::new();
    for (index, _) in outcomes {
        *seen.entry(*index).or_default() += 1;
    }
    let absent = (0..wanted).filter(|i| !seen.contains_key(i)).count() as u64;
    let mut all = Vec::new();
    if absent > 0 {
        let text = format!("{} of {wanted} said nothing", plural(absent, "generator", "generators"));
        all.push((Reason::GeneratorLost, text));
    }
    if let Some((index, n)) = seen.iter().find(|(i, n)| **n > 1 || **i >= wanted) {
        let text = match n {
            1 => format!("generator {} answered, but there are only {wanted}", index + 1),
            n => format!("{n} pods sent the share of generator {}, so load was fired more than once", index + 1),
        };
        all.push((Reason::ResultsIncomplete, text));
    }
    all
}

fn generators(load: &Load) -> u32 {
    u32::try_from(load.generators).unwrap_or(1).max(1)
}

/// Records of another row, run, start or load.
fn foreign(input: &CollectInput) -> Vec<(Reason, String)> {
    let mut run: Option<&str> = None;
    let mut all = Vec::new();
    for (index, outcome) in input.outcomes {
        let own: Vec<&str> = outcome.loads().iter().map(|l| l.name.as_str()).collect();
        if let GeneratorOutcome::Complete(report) = outcome {
            let header = &report.header;
            let run = *run.get_or_insert(&header.run_id);
            if let Some(what) = strange(header, *index, run, input) {
                all.push((Reason::ResultsIncomplete, format!("generator {}'s records are of {what}", index + 1)));
            }
        }
        if matches!(outcome, GeneratorOutcome::Lost { .. }) {
            continue;
        }
        if let Some(wanted) = load_of(input.planned, *index).filter(|name| own != [*name]) {
            let text = format!("generator {} did not report the load {wanted} and nothing else", index + 1);
            all.push((Reason::ResultsIncomplete, text));
        }
    }
    all
}

fn strange(header: &Header, index: u32, run: &str, input: &CollectInput) -> Option<&'static str> {
    if header.index != index {
        Some("another generator")
    } else if header.row != input.planned.number {
        Some("another row")
    } else if header.run_id != run {
        Some("another run")
    } else if Some(header.start_at_ms) != input.start_at_ms {
        Some("another start")
    } else {
        None
    }
}

/// Completion indexes are dealt to the loads in their order.
fn load_of(planned: &PlannedRow, index: u32) -> Option<&str> {
    let mut first = 0;
    planned.loads.iter().find_map(|load| {
        first += generators(load);
        (index < first).then_some(load.name.0.as_str())
    })
}

fn counts_only(outcomes: &[(u32, GeneratorOutcome)]) -> Vec<(Reason, String)> {
    let all = outcomes.iter().filter_map(|(index, outcome)| {
        let GeneratorOutcome::Counts(termination) = outcome else {
            return None;
        };
        let said = termination.reason.as_deref().and_then(Reason::parse).filter(|r| r.kind() == ReasonKind::Invalid);
        let text = match (&termination.message, said) {
            (Some(message), _) => format!("generator {}: {message}", index + 1),
            (None, Some(reason)) => format!("generator {}: {}", index + 1, reason.meaning()),
            (None, None) => {
                format!("the log of generator {} is gone: its counts are known, its latency is not", index + 1)
            }
        };
        Some((said.unwrap_or(Reason::ResultsIncomplete), text))
    });
    all.collect()
}

fn unfinished(loads: &[MergedLoad]) -> Vec<(Reason, String)> {
    let mut all = Vec::new();
    for load in loads {
        if let Some(why) = load.contradictions.first() {
            all.push((Reason::ResultsIncomplete, format!("the records of {} contradict themselves: {why}", load.name)));
        }
        if let Some(why) = load.stopped.iter().find(|why| *why != THRESHOLD) {
            let reason = if why == "hard-end" { Reason::DeadlineExceeded } else { Reason::ResultsIncomplete };
            let left = match load.counts.unsent {
                0 => String::new(),
                n => format!("; {} not sent", plural(n, "planned request was", "planned requests were")),
            };
            all.push((reason, format!("{} was stopped before its end ({why}){left}", load.name)));
        }
    }
    all
}

/// How far the generators' clocks are apart: each saw the grant so long after it was written, by its own clock. A clock
/// that is behind the controller's saw it before it was written.
fn skew(outcomes: &[(u32, GeneratorOutcome)]) -> Option<(Reason, String)> {
    let seen = outcomes.iter().filter_map(|(_, outcome)| match outcome {
        GeneratorOutcome::Complete(report) => Some(report.header.grant_seen_after_ms),
        _ => None,
    });
    let (least, most) = seen.fold((0, i64::MIN), |(least, most), ms| (least.min(ms), most.max(ms)));
    let first = outcomes.iter().find_map(|(_, o)| match o {
        GeneratorOutcome::Complete(report) => Some(report.header.grant_seen_after_ms),
        _ => None,
    })?;
    let apart = if outcomes.len() > 1 { most - least.min(first) } else { -least };
    (apart > MOST_SKEW_MS).then(|| {
        (Reason::ClockSkew, format!("the clocks of the nodes differ by about {} s", human(apart as f64 / 1000.0)))
    })
}

/// A load that sent nothing, or less than its rate asks for though nothing says so.
fn unsent(load: &Load, merged: &MergedLoad) -> Option<(Reason, String)> {
    if merged.counts.first_due_ms.is_none() && merged.counts.due == 0 && merged.contradictions.is_empty() {
        return Some((Reason::ResultsIncomplete, format!("{} sent nothing", merged.name)));
    }
    // What a threshold stopped was not due any more.
    let (rate, seconds) = (load.rate.filter(|_| merged.breaches.is_empty())?, load.duration_seconds?);
    let wanted = i64::from(rate) * i64::from(seconds) / i64::from(load.per_seconds.unwrap_or(1).max(1));
    // Each generator may be one short where the rate doesn't divide evenly.
    let short = wanted - i64::from(generators(load)) - merged.counts.due as i64;
    (short as f64 > wanted as f64 * MOST_LATE_PERCENT / 100.0).then(|| {
        let text = format!("{}: only {} of {wanted} requests became due", merged.name, merged.counts.due);
        (Reason::GeneratorSaturated, text)
    })
}

/// More of what was due was late than may be. A single request that was sent late does not make it so: of fewer than 100 it is
/// more than 1 % whatever the generator is, and one that is late for exactly 1 % shows it in up to 63 of 100 such rows (1 - 0.99^99,
/// binomial). Its lateness is in its latency, which counts from due. Two are judged, and so is what was not sent.
fn saturated(merged: &MergedLoad, late_limit: u64) -> Option<(Reason, String)> {
    let late = merged.late(late_limit).unwrap_or(merged.left_out());
    let percent = late as f64 * 100.0 / (merged.counts.due as f64).max(1.0);
    let by_chance = late == 1 && merged.left_out() == 0;
    (percent > MOST_LATE_PERCENT && !by_chance).then(|| {
        let text = format!(
            "the generator was late: {} of {} of {} {} sent more than {} ms late, or not at all",
            human(late as f64),
            plural(merged.counts.due, "request", "requests"),
            merged.name,
            if late == 1 { "was" } else { "were" },
            human(late_limit as f64 / 1000.0)
        );
        (Reason::GeneratorSaturated, text)
    })
}
