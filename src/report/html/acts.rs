//! What actions did in a row: marks behind its charts over time, and their list.

use maud::{Markup, html};

use super::chart::Mark;
use super::tables::table;
use crate::api::Instant;
use crate::results::figures::decimal::human;
use crate::results::shown::detail::{ActDetail, RowDetail};

/// Most lines of a list.
const MOST_LINES: usize = 40;

/// A deed, with what took it back.
struct Deed<'a> {
    act: &'a ActDetail,
    undone: Option<&'a ActDetail>,
}

fn deeds(detail: &RowDetail) -> Vec<Deed<'_>> {
    let mut all: Vec<Deed> = Vec::new();
    for act in &detail.acts {
        let open = all.iter_mut().rev().find(|deed| deed.act.action == act.action && deed.undone.is_none());
        match open.filter(|_| act.undo) {
            Some(deed) => deed.undone = Some(act),
            None => all.push(Deed { act, undone: None }),
        }
    }
    all
}

/// Seconds since the row's first request was due; `None`: the row sent nothing.
fn since(detail: &RowDetail, at: Instant) -> Option<f64> {
    let start = detail.row.started_at.map(Instant::as_millis)?;
    Some((at.as_millis() - start) as f64 / 1000.0)
}

/// When it was done: a Job's pod says so itself.
fn begun(act: &ActDetail) -> Instant {
    act.ran_at.unwrap_or(act.started_at)
}

/// How long it took from then on, milliseconds.
fn took(act: &ActDetail) -> Option<f64> {
    let waited = begun(act).as_millis() - act.started_at.as_millis();
    Some((i64::from(act.took_ms?) - waited).max(0) as f64)
}

/// The moment of an act that has no planned time.
fn moment(detail: &RowDetail, act: &ActDetail) -> String {
    let after = detail.row.load_ended_at.is_some_and(|end| act.started_at.as_millis() >= end.as_millis());
    if after { "after the load" } else { "before the row" }.into()
}

/// What was done and taken back is a window, from its beginning until it was back; all else an instant.
pub fn marks(detail: &RowDetail) -> Vec<Mark> {
    let mark = |(at, deed): (usize, &Deed)| {
        let from = since(detail, begun(deed.act))?;
        let back = deed
            .undone
            .and_then(|act| Some(since(detail, act.started_at)? + f64::from(act.took_ms.unwrap_or(0)) / 1000.0));
        Some(Mark { number: at + 1, from, to: back })
    };
    deeds(detail).iter().enumerate().filter_map(mark).collect()
}

/// The list, by the numbers of the marks; nothing where there was no action.
pub fn list(detail: &RowDetail) -> Markup {
    let deeds = deeds(detail);
    if deeds.is_empty() {
        return html! {};
    }
    let titles = ["#Number", "Action", "#Planned at s", "#Begun at s", "#Took ms", "#Back at s", "#Pods", "Outcome"]
        .map(str::to_owned);
    let lines: Vec<Vec<String>> =
        deeds.iter().take(MOST_LINES).enumerate().map(|(at, deed)| line(detail, at + 1, deed)).collect();
    html! {
        (table("Actions, by the numbers in the charts; seconds since the first request was due", &titles, &lines))
        @if deeds.len() > MOST_LINES { p.muted { (deeds.len() - MOST_LINES) " more are left out." } }
    }
}

fn line(detail: &RowDetail, number: usize, deed: &Deed) -> Vec<String> {
    let Deed { act, undone } = deed;
    let shown = |figure: Option<f64>| figure.map_or_else(|| "-".into(), human);
    let at = |act: &ActDetail| shown(since(detail, begun(act)));
    let failed = act.failed || undone.is_some_and(|act| act.failed);
    vec![
        number.to_string(),
        act.action.clone(),
        act.planned_ms.map_or_else(|| moment(detail, act), |ms| human(ms as f64 / 1000.0)),
        at(act),
        shown(took(act)),
        undone.map_or_else(|| "-".into(), at),
        shown(act.pods.map(f64::from)),
        if failed { "✗ failed" } else { "✓ done" }.into(),
    ]
}
