//! The verdict of a row: Passed is earned, Failed is the application's, Invalid the instrument's or the evidence's.

use crate::api::{Breach, LoadTestSpec, Reason, Row, RowVerdict, Threshold};

use super::threshold::{self, Judgement};
use crate::results::gathered::merge::MergedLoad;
use crate::results::gathered::series::{Series, carries};

/// Breaches that a row has room for.
const MOST_BREACHES: usize = 4;

/// What a stage makes of a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// Absent: it waits for late figures, or nothing changed.
    pub verdict: Option<(RowVerdict, Reason)>,
    /// Evidence that is missing, and breaches there was no room for; sentences.
    pub missing: Vec<String>,
}

/// Can this row carry CloudWatch's minutes?
pub fn carries_late_figures(row: &Row) -> bool {
    row.measured().is_some_and(|(start, end)| carries(start.as_millis(), end.as_millis()))
}

/// Judges all thresholds but those of CloudWatch, writes the breaches and says how the row stands.
pub fn row(row: &mut Row, spec: &LoadTestSpec) -> Standing {
    let stopping = stopped_early(row);
    let known = |metric: &String| stopping.iter().any(|breach| breach.metric == *metric);
    let now = spec.thresholds.iter().filter(|t| !threshold::is_late(&t.metric) && !known(&t.metric));
    let Judged { mut breaches, mut missing } = judged(now, |t| threshold::judge(t, row));
    breaches.sort_by_key(|b| !of_restarts(b));
    if let Some(text) = unchecked_tasks(row, spec) {
        missing.push(text);
    }
    if !stopping.is_empty() {
        // It did fail; that less is known of it doesn't make it unknown.
        missing.clear();
    }
    row.breaches = stopping;
    let mut notes = missing.clone();
    notes.extend(add_breaches(row, breaches));
    let waits = carries_late_figures(row) && spec.thresholds.iter().any(|t| threshold::is_late(&t.metric));
    let verdict = standing(row, spec, !missing.is_empty())
        .or_else(|| (!waits).then_some((RowVerdict::Passed, Reason::ThresholdsMet)));
    if verdict.is_none() {
        row.verdict = None;
        row.reason = None;
    }
    Standing { verdict, missing: notes }
}

/// The thresholds that stopped loads, each once, as the first generator saw it.
pub fn stopping(loads: &[MergedLoad]) -> Vec<Breach> {
    let mut all: Vec<Breach> = Vec::new();
    for breach in loads.iter().flat_map(|load| &load.breaches) {
        if !all.iter().any(|known| known.metric == breach.metric) {
            all.push(breach.clone());
        }
    }
    all.truncate(MOST_BREACHES);
    all
}

/// The breaches of a row whose clients' part says that thresholds stopped it.
fn stopped_early(row: &Row) -> Vec<Breach> {
    let breached =
        row.verdict == Some(RowVerdict::Failed) && row.reason.as_deref() == Some(Reason::ThresholdsBreached.as_str());
    if breached { row.breaches.clone() } else { Vec::new() }
}

/// Judges the thresholds of CloudWatch, when the row carries them. A row that waited has its verdict afterwards.
pub fn late(row: &mut Row, spec: &LoadTestSpec, series: &[Series], carries: bool) -> Standing {
    let late = spec.thresholds.iter().filter(|t| carries && threshold::is_late(&t.metric));
    let Judged { breaches, missing } = judged(late, |t| with_problem(threshold::judge(t, row), t, series));
    let breached = !breaches.is_empty();
    let mut notes = missing.clone();
    notes.extend(add_breaches(row, breaches));
    let verdict = match row.verdict {
        Some(RowVerdict::Invalid) => None,
        _ if !missing.is_empty() => Some((RowVerdict::Invalid, Reason::EvidenceMissing)),
        Some(RowVerdict::Failed) => None,
        _ if breached => Some((RowVerdict::Failed, Reason::ThresholdsBreached)),
        _ => Some((RowVerdict::Passed, Reason::ThresholdsMet)),
    };
    Standing { verdict, missing: notes }
}

/// Says why CloudWatch has no figure, where it said so.
pub fn with_problem(judgement: Judgement, threshold: &Threshold, series: &[Series]) -> Judgement {
    let name = threshold.metric.split('.').nth(1).unwrap_or_default();
    let problem = series.iter().find(|s| s.figure == name).and_then(|s| s.problem.clone());
    match (judgement, problem) {
        (Judgement::Missing(why), Some(problem)) => Judgement::Missing(format!("{why}; {problem}")),
        (judgement, _) => judgement,
    }
}

struct Judged {
    breaches: Vec<Breach>,
    missing: Vec<String>,
}

fn judged<'a>(thresholds: impl Iterator<Item = &'a Threshold>, judge: impl Fn(&Threshold) -> Judgement) -> Judged {
    let mut judged = Judged { breaches: Vec::new(), missing: Vec::new() };
    for threshold in thresholds {
        match judge(threshold) {
            Judgement::Held(_) => {}
            Judgement::Breached(breach) => judged.breaches.push(breach),
            Judgement::Missing(_) if threshold.optional => {}
            Judgement::Missing(why) => judged.missing.push(format!("no figure for {}: {why}", threshold.metric)),
        }
    }
    judged
}

/// A row has room for four; a sentence says how many more there were.
fn add_breaches(row: &mut Row, mut breaches: Vec<Breach>) -> Option<String> {
    let room = MOST_BREACHES.saturating_sub(row.breaches.len());
    let more = breaches.len().saturating_sub(room);
    breaches.truncate(room);
    row.breaches.extend(breaches);
    (more > 0).then(|| format!("{more} more thresholds did not hold"))
}

/// tasksCheck without a threshold of its own asks for a difference of 0, and so for the figure.
fn unchecked_tasks(row: &Row, spec: &LoadTestSpec) -> Option<String> {
    let asked = spec.tasks_check.is_some() && !threshold::judges_unaccounted(spec);
    (asked && row.tasks_unaccounted.is_none())
        .then(|| "no figure for tasksUnaccounted: the clients' or the application's count of tasks is missing".into())
}

/// Invalid before Failed; `None`: nothing speaks against the row.
fn standing(row: &Row, spec: &LoadTestSpec, evidence_missing: bool) -> Option<(RowVerdict, Reason)> {
    if row.verdict == Some(RowVerdict::Invalid) {
        let reason = row.reason.as_deref().and_then(Reason::parse).unwrap_or(Reason::ResultsIncomplete);
        // Who asks for no restarts wants to hear of one, not that it disturbed the row.
        let asked = reason == Reason::TargetDisturbed && row.breaches.iter().any(of_restarts);
        return Some(match asked {
            true => (RowVerdict::Failed, Reason::ThresholdsBreached),
            false => (RowVerdict::Invalid, reason),
        });
    }
    if row.loads.is_empty() || row.loads.iter().any(|l| l.requests.is_none()) {
        return Some((RowVerdict::Invalid, Reason::ResultsIncomplete));
    }
    if evidence_missing {
        return Some((RowVerdict::Invalid, Reason::EvidenceMissing));
    }
    let counted = |of: fn(&crate::api::Requests) -> Option<crate::api::Count>| {
        move |l: &crate::api::LoadFigures| l.requests.as_ref().and_then(of).is_some_and(|n| n.0 > 0)
    };
    let (capped, failed) = (counted(|r| r.capped), counted(|r| r.failed));
    let allowed = |load: &str| spec.thresholds.iter().any(|t| threshold::allows_failures(t, load));
    let reason = if !stopped_early(row).is_empty() {
        Reason::ThresholdsBreached
    } else if row.loads.iter().any(capped) {
        Reason::InFlightCapReached
    } else if !row.breaches.is_empty() {
        Reason::ThresholdsBreached
    } else if row.loads.iter().any(|l| failed(l) && !allowed(&l.name.0)) {
        Reason::RequestsFailed
    } else if spec.tasks_check.is_some() && !threshold::judges_unaccounted(spec) && row.tasks_unaccounted != Some(0) {
        Reason::TasksUnaccounted
    } else {
        return None;
    };
    Some((RowVerdict::Failed, reason))
}

fn of_restarts(breach: &Breach) -> bool {
    let metric = &breach.metric;
    metric.starts_with("targets.") && (metric.ends_with(".restarts") || metric.ends_with(".oomKills"))
}
