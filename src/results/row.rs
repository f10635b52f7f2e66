//! A row in three stages: what the clients saw, what was read until it settled, what came late.

use crate::api::{Count, Decimal, Instant, Load, Reason, ReasonKind, Row, RowVerdict};
use crate::plan::PlannedRow;

use super::figures::database::{Window, database_figures};
use super::figures::decimal::{decimal, number};
use super::figures::drift::drift;
use super::figures::instrument;
use super::figures::load_figures::{count, load_figures};
use super::figures::measurements::{self, measurement_figures};
use super::figures::note::combine;
use super::figures::observations;
use super::figures::rate::over_ms;
use super::gathered::collect::GeneratorOutcome;
use super::gathered::merge::{MergedLoad, late_limit, merged};
use super::gathered::series::carries;
use super::judged::judge::{self, Standing};
use super::row_input::{CollectInput, CompleteInput, Fact, LateInput};

/// The loads of a row, added up over its generators, in the plan's order.
pub fn merged_loads(planned: &PlannedRow, outcomes: &[(u32, GeneratorOutcome)]) -> Vec<MergedLoad> {
    planned.loads.iter().map(|l| merged(&l.name.0, outcomes)).collect()
}

/// Tasks of the warm-up by the clients' count. `None`: there was a warm-up, and it is not known.
pub fn warmup_tasks(planned: &PlannedRow, loads: &[MergedLoad]) -> Option<u64> {
    let counts = |name: &str| loads.iter().find(|l| l.name == name).and_then(|l| l.counts.warmup_tasks);
    let mut sum = 0;
    for load in &planned.loads {
        let warm = load.warmup_seconds.unwrap_or(0) > 0 && load.steps.iter().any(|s| s.tasks.is_some());
        sum += if warm { counts(&load.name.0)? } else { 0 };
    }
    Some(sum)
}

/// Stage 1: the clients' part, the targets and whether the instrument worked.
///
/// The verdict is there when it can't get better: Invalid when the instrument failed, Failed at a full in-flight cap.
pub fn collected(input: &CollectInput) -> Row {
    let loads = merged_loads(input.planned, input.outcomes);
    let limit = late_limit(&loads);
    let mut row = empty(input.planned);
    row.started_at = loads.iter().filter_map(|l| l.counts.first_due_ms).min().map(Instant::from_millis);
    row.load_ended_at = loads.iter().filter_map(|l| l.counts.last_end_ms).max().map(Instant::from_millis);
    row.loads = input.planned.loads.iter().zip(&loads).map(|(load, sum)| load_figures(load, sum, limit)).collect();
    row.targets = input.targets.to_vec();
    row.actions = input.actions.to_vec();
    tasks(&mut row, input.planned, &loads);

    let failures = instrument::failures(input, &loads, limit);
    let capped = observations::capped(input.planned, &row.loads);
    if let Some((reason, _)) = failures.first() {
        set(&mut row, RowVerdict::Invalid, *reason);
    } else if loads.iter().any(|load| !load.breaches.is_empty()) {
        row.breaches = judge::stopping(&loads);
        set(&mut row, RowVerdict::Failed, Reason::ThresholdsBreached);
    } else if !capped.is_empty() {
        set(&mut row, RowVerdict::Failed, Reason::InFlightCapReached);
    }
    let mut notes: Vec<String> = failures.into_iter().map(|(_, text)| text).collect();
    notes.extend(observations::stopped(input.planned, &loads));
    notes.extend(capped);
    notes.extend(observations::failures(input.planned, &loads));
    notes.extend(observations::unrecovered(&loads));
    notes.extend(observations::restarts(input.targets));
    notes.extend(noticed(input.facts));
    notes.extend(drift(input.planned, input.outcomes));
    row.observations = combine(notes, &[], Vec::new());
    row
}

/// A row of which only the number and the settings are known.
pub fn empty(planned: &PlannedRow) -> Row {
    Row { row: planned.number, set: planned.set.clone(), ..Row::default() }
}

/// Over all loads that count tasks, by the time from the first of their requests due until the last of them was over: who takes
/// longer for the tasks did fewer of them in a second.
fn tasks(row: &mut Row, planned: &PlannedRow, loads: &[MergedLoad]) {
    let all = planned.loads.iter().zip(loads);
    let counting: Vec<(&Load, &MergedLoad)> = all.filter(|(_, merged)| merged.counts.tasks.is_some()).collect();
    let sum: u64 = counting.iter().filter_map(|(_, merged)| merged.counts.tasks).sum();
    let first = counting.iter().filter_map(|(_, merged)| merged.counts.first_due_ms).min();
    let last = counting.iter().filter_map(|(load, merged)| over_ms(load, merged)).max();
    if counting.is_empty() {
        return;
    }
    row.tasks = Some(count(sum));
    if let (Some(first), Some(last)) = (first, last)
        && last > first
    {
        row.tasks_per_second = decimal(sum as f64 * 1000.0 / (last - first) as f64);
    }
}

/// Facts that do not say why a row is Invalid (those stand with the failures).
fn noticed(facts: &[Fact]) -> Vec<String> {
    let only = |f: &&Fact| {
        f.reason.is_none_or(|r| r.kind() != ReasonKind::Invalid || r == Reason::ObserverLost) && !f.message.is_empty()
    };
    facts.iter().filter(only).map(|f| f.message.clone()).collect()
}

/// Stage 2: what was read until the row had settled, thresholds, verdict.
///
/// The row may be the one read back from the status. Without verdict it passed so far, and waits for CloudWatch
/// ([`with_late_figures`]).
pub fn completed(mut row: Row, input: &CompleteInput) -> Row {
    let mut notes = Vec::new();
    row.ended_at = Some(Instant::from_millis(input.ended_at_ms));
    let measures = input.spec.settle.as_ref().is_some_and(|settle| settle.measure);
    row.measured_until = input.drained_at_ms.filter(|_| measures).map(Instant::from_millis);
    if let Some(window) = window(&row) {
        let (figures, missing) = database_figures(input.samples, &window, input.connection_limit);
        // Late figures stay, should this be done again.
        row.database.retain(|f| f.source != crate::api::DatabaseSource::PostgreSql);
        row.database.splice(0..0, figures);
        notes.extend(missing);
        if input.spec.database.as_ref().is_some_and(|d| d.postgres.is_some()) {
            notes.extend(observations::coverage(&row, input.samples, &window));
        }
        let (figures, missing) = measurement_figures(input.spec, input.samples, input.logs, &window);
        row.measurements = figures;
        notes.extend(missing);
        work_left(&mut row, input);
        notes.extend(account(&mut row, input));
    }
    for fact in input.facts {
        let worse = row.verdict != Some(RowVerdict::Invalid) || row.reason.as_deref() == Some("TargetDisturbed");
        let reason = fact.reason.filter(|r| r.kind() == ReasonKind::Invalid && *r != Reason::ObserverLost);
        if let (Some(reason), true) = (reason, worse) {
            set(&mut row, RowVerdict::Invalid, reason);
        }
    }
    let first = input.facts.iter().map(|f| f.message.clone()).collect();
    let standing = judge::row(&mut row, input.spec);
    let kept = std::mem::take(&mut row.observations);
    let Standing { verdict, missing } = standing;
    let (why, notes) = explaining(&missing, notes);
    row.observations = combine([missing, why, first].concat(), &kept, notes);
    if let Some((verdict, reason)) = verdict {
        set(&mut row, verdict, reason);
    }
    row
}

/// Of the notes those that say why a figure is missing, and the others: the first stand where there is room for them.
fn explaining(missing: &[String], notes: Vec<String>) -> (Vec<String>, Vec<String>) {
    let about = |note: &String| {
        let source = note.split([' ', ':']).next().unwrap_or_default();
        let head = if source == "PostgreSQL" { "database.".to_owned() } else { format!("measurements.{source}.") };
        missing.iter().any(|text| text.starts_with(&format!("no figure for {head}")))
    };
    notes.into_iter().partition(about)
}

/// When the row's figures are of; `None`: it sent nothing.
fn window(row: &Row) -> Option<Window> {
    let (start, end) = row.measured()?;
    let settled_ms = row.ended_at.map(Instant::as_millis);
    Some(Window { start_ms: start.as_millis(), end_ms: end.as_millis(), settled_ms })
}

/// The backlog when the load ended, its growth until then, and how long and how fast it was worked off.
fn work_left(row: &mut Row, input: &CompleteInput) {
    let until = input.spec.settle.as_ref().and_then(|s| s.until.as_ref());
    let measurement = until.and_then(|until| input.spec.measurements.iter().find(|m| m.name.0 == until.measurement.0));
    let (Some(measurement), Some((start, end))) = (measurement, row.started_at.zip(row.load_ended_at)) else {
        return;
    };
    let load = Window { start_ms: start.as_millis(), end_ms: end.as_millis(), settled_ms: None };
    let values = measurements::values(input.samples, &measurement.name.0);
    row.backlog = measurements::backlog(&values, measurement, &load).map(|n| count(n.unsigned_abs()));
    row.backlog_slope_per_second = measurements::slope(&values, &load);
    let drained = input.drained_at_ms.map(|at| (at - load.end_ms).max(0) as f64 / 1000.0);
    row.drain_seconds = drained.and_then(decimal);
    row.processed_per_second = input.drained_at_ms.and_then(|at| processed(row.tasks?, load.start_ms, at));
}

/// Throughput by its definition, completions by the time that they took: X = C / T (E. D. Lazowska and others, Quantitative
/// System Performance, 1984, section 3.2). C: the tasks of all loads, without those of the warm-up. T: from the first request
/// due until the first value of settle.until's measurement that was down, so it is up to one of its intervals too long.
fn processed(tasks: Count, start_ms: i64, drained_ms: i64) -> Option<Decimal> {
    let milliseconds = Some(drained_ms - start_ms).filter(|length| *length > 0)?;
    decimal(tasks.0 as f64 * 1000.0 / milliseconds as f64)
}

/// The clients' count, warm-up included, minus the application's own.
fn account(row: &mut Row, input: &CompleteInput) -> Option<String> {
    let check = input.spec.tasks_check.as_ref()?;
    let figure = row.measurements.iter().find(|m| m.name.0 == check.measurement.0)?;
    let counted = number(figure.statistics.settled.as_ref()?)?.round() as i64;
    let clients = row.tasks?.0.checked_add(i64::try_from(input.warmup_tasks?).ok()?)?;
    let difference = clients.checked_sub(counted)?;
    row.tasks_unaccounted = Some(difference);
    observations::unaccounted(clients, difference)
}

/// Stage 3: the figures of CloudWatch that the row can carry, and the thresholds that waited for them.
pub fn with_late_figures(mut row: Row, input: &LateInput) -> Row {
    let window = window(&row).filter(|w| carries(w.start_ms, w.end_ms));
    if let Some(window) = window {
        row.database.retain(|f| f.source == crate::api::DatabaseSource::PostgreSql);
        let sampled: Vec<String> = row.database.iter().map(|f| f.name.clone()).collect();
        let figures = input.series.iter().map(|s| s.over(window.start_ms, window.end_ms, window.settled_ms));
        // What PostgreSQL was asked each second is not told again by the minute.
        row.database.extend(figures.filter(|f| f.statistics.points > Some(0) && !sampled.contains(&f.name)));
    }
    let Standing { verdict, missing } = judge::late(&mut row, input.spec, input.series, window.is_some());
    let kept = std::mem::take(&mut row.observations);
    row.observations = combine(missing, &kept, Vec::new());
    if let Some((verdict, reason)) = verdict {
        set(&mut row, verdict, reason);
    }
    row
}

fn set(row: &mut Row, verdict: RowVerdict, reason: Reason) {
    row.verdict = Some(verdict);
    row.reason = Some(reason.as_str().into());
}
