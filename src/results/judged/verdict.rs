//! The verdict of a test: that of its worst row, its late thresholds, or of what ended it early.
//!
//! - Passed only when every planned row passed and every threshold was judged.
//! - Passed < Failed < Invalid; the reason is that of the first of the worst rows.

use crate::api::{
    Breach, Count, DatabaseFigure, LoadTestSpec, Reason, ReasonKind, Requests, Row, RowVerdict, Threshold, Verdict,
};

use super::judge::{carries_late_figures, with_problem};
use super::threshold::{self, Judgement};
use crate::results::figures::decimal::human_count;
use crate::results::figures::note::{LONGEST, plural, shortened, without_secrets};
use crate::results::gathered::series::Series;

/// Longest message of a condition, characters.
const LONGEST_MESSAGE: usize = 1024;
/// How the sentence ends that says how many breaches a row has no room for.
const MORE_BREACHES: &str = " more thresholds did not hold";

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub verdict: Verdict,
    pub reason: Reason,
    /// A sentence or two for people.
    pub message: String,
}

/// Why a run ended before all rows were done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlyEnd {
    pub reason: Reason,
    /// A sentence without secrets; may be empty.
    pub message: String,
}

/// A whole test.
#[derive(Clone, Copy, Debug)]
pub struct TestInput<'a> {
    pub spec: &'a LoadTestSpec,
    /// Rows of the plan.
    pub planned_rows: usize,
    /// Those that are done, all stages. Not compacted ones.
    pub rows: &'a [Row],
    /// Figures of the whole test ([`whole_test_figures`]).
    pub database: &'a [DatabaseFigure],
    /// What CloudWatch said; for the reasons why figures are missing.
    pub series: &'a [Series],
    pub early: Option<&'a EarlyEnd>,
}

/// CloudWatch's figures from the first row's start to the last row's end, when a row can't carry them itself.
pub fn whole_test_figures(rows: &[Row], series: &[Series]) -> Vec<DatabaseFigure> {
    if rows.iter().all(carries_late_figures) {
        return Vec::new();
    }
    let start = rows.iter().filter_map(|r| r.started_at).min();
    let end = rows.iter().filter_map(|r| r.measured_until.or(r.load_ended_at)).max();
    let settled = rows.iter().filter_map(|r| r.ended_at).max();
    let Some((start, end)) = start.zip(end) else {
        return Vec::new();
    };
    let of = |s: &Series| s.over(start.as_millis(), end.as_millis(), settled.map(|at| at.as_millis()));
    series.iter().map(of).filter(|f| f.statistics.points > Some(0)).collect()
}

/// The thresholds on CloudWatch that no row can carry, judged once on the whole test.
pub fn whole_test_judgements<'a>(input: &TestInput<'a>) -> Vec<(&'a Threshold, Judgement)> {
    if input.rows.is_empty() || input.rows.iter().any(carries_late_figures) {
        return Vec::new();
    }
    let late = input.spec.thresholds.iter().filter(|t| threshold::is_late(&t.metric));
    late.map(|t| (t, with_problem(threshold::judge_test(t, input.database), t, input.series))).collect()
}

/// The verdict of the test.
pub fn outcome(input: &TestInput) -> Outcome {
    if let Some(early) = input.early.filter(|e| e.reason != Reason::ThresholdsMet) {
        return ended_early(early, input);
    }
    if let Some(found) = worst(input, RowVerdict::Invalid) {
        return found;
    }
    if input.rows.len() < input.planned_rows {
        let text = format!("Only {} of {} rows were done.", input.rows.len(), input.planned_rows);
        return said(Verdict::Invalid, Reason::ResultsIncomplete, text);
    }
    if let Some(row) = input.rows.iter().find(|r| r.verdict.is_none()) {
        let text = format!("Row {} was never judged: figures it waited for did not come.", row.row);
        return said(Verdict::Invalid, Reason::EvidenceMissing, text);
    }
    let once = whole_test_judgements(input);
    for (threshold, judgement) in &once {
        if let (Judgement::Missing(why), false) = (judgement, threshold.optional) {
            let text = format!("No figure for {} over the whole test: {why}.", threshold.metric);
            return said(Verdict::Invalid, Reason::EvidenceMissing, text);
        }
    }
    if let Some(found) = worst(input, RowVerdict::Failed) {
        return found;
    }
    if let Some(breach) = once.iter().find_map(|(_, j)| if let Judgement::Breached(b) = j { Some(b) } else { None }) {
        let text = format!("{} over the whole test.", breached(breach));
        return said(Verdict::Failed, Reason::ThresholdsBreached, text);
    }
    passed(input)
}

fn ended_early(early: &EarlyEnd, input: &TestInput) -> Outcome {
    let verdict = match early.reason.kind() {
        ReasonKind::End => Verdict::Aborted,
        ReasonKind::Failed => Verdict::Failed,
        _ => Verdict::Invalid,
    };
    let mut message = if early.message.is_empty() { early.reason.meaning().into() } else { early.message.clone() };
    if !input.rows.is_empty() {
        let rows = plural(input.rows.len() as u64, "row was", "rows were");
        message = format!("{} {rows} done of {}.", sentence(&message), input.planned_rows);
    }
    said(verdict, early.reason, message)
}

/// The first row of that verdict speaks for the test.
fn worst(input: &TestInput, verdict: RowVerdict) -> Option<Outcome> {
    let all: Vec<&Row> = input.rows.iter().filter(|r| r.verdict == Some(verdict)).collect();
    let row = all.first()?;
    let fallback = if verdict == RowVerdict::Failed { Reason::ThresholdsBreached } else { Reason::ResultsIncomplete };
    let reason = row.reason.as_deref().and_then(Reason::parse).unwrap_or(fallback);
    let word = if verdict == RowVerdict::Failed { "failed" } else { "proves nothing" };
    let mut message = format!("Row {} of {} {word}: {}", row.row, input.planned_rows, because(row, reason));
    if reason != Reason::ThresholdsBreached && !row.breaches.is_empty() {
        // Who looks for a late generator shall not be surprised by these next time.
        let breaches: Vec<_> = row.breaches.iter().map(breached).collect();
        message = format!("{message} Did not hold, either: {}.", breaches.join("; "));
    }
    if all.len() > 1 {
        message = format!("{} In all, {} rows of {} {}.", message, all.len(), input.planned_rows, plain(verdict));
    }
    let verdict = if verdict == RowVerdict::Failed { Verdict::Failed } else { Verdict::Invalid };
    Some(said(verdict, reason, message))
}

fn plain(verdict: RowVerdict) -> &'static str {
    if verdict == RowVerdict::Failed { "failed" } else { "prove nothing" }
}

/// The breaches or the observation that made the reason, else what the reason means.
fn because(row: &Row, reason: Reason) -> String {
    let about = |words: &str| row.observations.iter().find(|text| text.starts_with(words));
    match (reason, row.breaches.first(), row.observations.first()) {
        (Reason::ThresholdsBreached, Some(breach), _) => match broken(row) {
            1 => format!("{}.", breached(breach)),
            2 => format!("{}, and 1 more threshold did not hold.", breached(breach)),
            n => format!("{}, and {} more thresholds did not hold.", breached(breach), human_count(n as i64 - 1)),
        },
        (Reason::TasksUnaccounted, _, Some(first)) => sentence(about("the clients counted").unwrap_or(first)),
        (Reason::EvidenceMissing, _, Some(first)) => match missing(row, first) {
            Some(why) => sentence(&format!("{first}; {why}")),
            None => sentence(first),
        },
        (_, _, Some(observation)) => sentence(observation),
        _ => reason.meaning().into(),
    }
}

/// Thresholds of a row that did not hold; a row has room for a few, and says how many more there were.
fn broken(row: &Row) -> u64 {
    let more = row.observations.iter().find_map(|text| text.strip_suffix(MORE_BREACHES)?.parse::<u64>().ok());
    row.breaches.len() as u64 + more.unwrap_or(0)
}

/// What the row knows about why the figure of that sentence ("no figure for METRIC: ...") is missing.
fn missing(row: &Row, sentence: &str) -> Option<String> {
    let (metric, _) = sentence.strip_prefix("no figure for ")?.split_once(": ")?;
    let source = match metric.split('.').collect::<Vec<_>>()[..] {
        ["measurements", name, _] => name.to_owned(),
        ["database", ..] => "PostgreSQL answered".to_owned(),
        ["latency" | "service", _] | ["loads", _, "latency" | "service", _] => return failed(row),
        _ => return None,
    };
    let says = |text: &&String| text.strip_prefix(&source).is_some_and(|rest| rest.starts_with([' ', ':']));
    row.observations.iter().find(says).cloned()
}

/// "150 of 150 requests failed"; `None`: none did.
fn failed(row: &Row) -> Option<String> {
    let sum = |of: fn(&Requests) -> Option<Count>| -> i64 {
        row.loads.iter().filter_map(|load| of(load.requests.as_ref()?)).map(|n| n.0).sum()
    };
    let (failed, sent) = (sum(|all| all.failed), sum(|all| all.sent));
    (failed > 0).then(|| format!("{} of {} failed", human_count(failed), plural(sent as u64, "request", "requests")))
}

fn breached(breach: &Breach) -> String {
    let allowed = breach.limit.replacen("max ", "at most ", 1).replacen("min ", "at least ", 1);
    format!("{} was {}, allowed is {}", breach.metric, breach.observed, allowed)
}

fn sentence(text: &str) -> String {
    let text = shortened(text.trim(), LONGEST_MESSAGE - 2 * LONGEST);
    if text.ends_with(['.', '!', '?', '…']) { text } else { format!("{text}.") }
}

fn passed(input: &TestInput) -> Outcome {
    let rows = match input.rows.len() {
        1 => "the row".to_owned(),
        n => format!("all {n} rows"),
    };
    let text = match input.spec.thresholds.len() {
        0 => format!("No request failed in {rows}; there are no thresholds."),
        1 => format!("The threshold held in {rows}."),
        n => format!("All {n} thresholds held in {rows}."),
    };
    said(Verdict::Passed, Reason::ThresholdsMet, text)
}

fn said(verdict: Verdict, reason: Reason, message: String) -> Outcome {
    Outcome { verdict, reason, message: shortened(&without_secrets(&message), LONGEST_MESSAGE) }
}
