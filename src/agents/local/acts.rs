//! Actions of a test without a cluster: statements and requests, at every moment but in mid-load.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Event, LocalTest};
use crate::agents::act::perform;
use crate::api::{Action, ActionFigures, Instant, Reason, When};
use crate::plan::{Ended, PlannedRow, act_input};
use crate::results::figures::note::{LONGEST, shortened};
use crate::results::judged::verdict::EarlyEnd;
use crate::results::row_input::Fact;

/// An action whose time came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    name: String,
    /// When it was begun, and when it was over; milliseconds since the epoch.
    from_ms: i64,
    to_ms: i64,
    /// Why it was not done, a sentence without secrets.
    pub problem: Option<String>,
}

/// Does the actions of a moment as they are written; `row`: none before and after the run. Before the load the first that fails is the last.
pub async fn at(
    test: &LocalTest<'_>,
    when: When,
    row: Option<&PlannedRow>,
    ended: Option<&Ended>,
    tell: &mut impl FnMut(Event<'_>),
) -> Vec<Act> {
    let actions = row.map_or(&test.plan.spec.actions, |row| &row.actions);
    let mut done = Vec::new();
    for action in actions.iter().filter(|action| action.when == when) {
        let name = &action.name.0;
        tell(Event::Waiting(&format!("action {name}")));
        let from_ms = Timestamp::now().as_millisecond();
        let problem = once(test, action, row, ended).await.err();
        let problem = problem.map(|why| format!("action {name} {}: {why}", moment(when, row)));
        let failed = problem.is_some();
        done.push(Act { name: name.clone(), from_ms, to_ms: Timestamp::now().as_millisecond(), problem });
        if failed && matches!(when, When::BeforeRun | When::BeforeRow) {
            break;
        }
    }
    done
}

async fn once(
    test: &LocalTest<'_>,
    action: &Action,
    row: Option<&PlannedRow>,
    ended: Option<&Ended>,
) -> Result<(), String> {
    let number = row.map(|row| row.number);
    let input = act_input(test.plan, action, &test.run, number, None, ended.cloned());
    let input = input.ok_or("it is neither a statement nor a request")?;
    // A person's own machine may ask any address.
    perform(&input, &test.environment, Arc::new(|_| None)).await
}

fn moment(when: When, row: Option<&PlannedRow>) -> String {
    let row = row.map_or(0, |row| row.number);
    match when {
        When::BeforeRun => "before the run".into(),
        When::AfterRun => "after the run".into(),
        When::AfterLoad => format!("after the load of row {row}"),
        When::AfterRow => format!("after row {row}"),
        When::BeforeRow | When::DuringLoad => format!("before row {row}"),
    }
}

/// Nothing is measured when what should have been done before it was not.
///
/// # Errors
/// The first that failed.
pub fn all_done(acts: &[Act]) -> Result<(), EarlyEnd> {
    let problem = acts.iter().find_map(|act| act.problem.clone());
    problem.map_or(Ok(()), |message| Err(EarlyEnd { reason: Reason::ActionFailed, message }))
}

/// What failed in a row, for its verdict: the first, as in a cluster.
pub fn facts(acts: &[Act]) -> Vec<Fact> {
    let problem = acts.iter().find_map(|act| act.problem.as_deref());
    let fact = |why| Fact { reason: Some(Reason::ActionFailed), message: shortened(why, LONGEST) };
    problem.map(fact).into_iter().collect()
}

/// What became of each action of a row.
pub fn figures(row: &PlannedRow, acts: &[Act]) -> Vec<ActionFigures> {
    let of_rows = row.actions.iter().filter(|action| !matches!(action.when, When::BeforeRun | When::AfterRun));
    let figures = |action: &Action| {
        let (done, failed): (Vec<&Act>, Vec<&Act>) =
            acts.iter().filter(|act| act.name == action.name.0).partition(|act| act.problem.is_none());
        let number = |acts: &[&Act]| i32::try_from(acts.len()).unwrap_or(i32::MAX);
        ActionFigures {
            name: action.name.clone(),
            times: number(&done),
            failed: (!failed.is_empty()).then(|| number(&failed)),
            first_at: done.first().map(|act| Instant::from_millis(act.from_ms)),
            last_at: done.last().map(|act| Instant::from_millis(act.to_ms)),
        }
    };
    of_rows.map(figures).collect()
}
