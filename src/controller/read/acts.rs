//! What the actions of a row did, from its records: their figures, what failed, and what of a target's changes is ours.

use crate::api::{ActRecord, Action, ActionFigures, CurrentRow, Instant, Reason, Target, When};
use crate::controller::session::Session;
use crate::evidence::cluster::pods::PodFact;
use crate::lifecycle::ActKind;
use crate::results::row_input::Fact;
use crate::results::shown::detail::ActDetail;

/// What the acts of a row made of one target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ours {
    /// Changes of its spec: by so much its generation grew.
    pub changes: i64,
    /// Pods that were deleted.
    pub deleted: usize,
    /// It was scaled or restarted: any of its pods may be another one.
    pub replaced: bool,
    /// An act of it failed or is under way, so what it did is not known.
    pub unsure: bool,
}

/// What stands in the status of the row in progress.
pub fn current(session: &Session<'_>) -> CurrentRow {
    let run = session.test.status.as_ref().and_then(|status| status.run.as_ref());
    run.and_then(|run| run.current.clone()).unwrap_or_default()
}

/// Of each action what became of it in the row.
pub fn figures(session: &Session<'_>) -> Vec<ActionFigures> {
    figures_of(session, &current(session).acts)
}

/// The same of a row that ends before its load because act `number` failed, which may not even have begun; nothing where no act did.
pub fn figures_before(session: &Session<'_>, mut records: Vec<ActRecord>, number: Option<u16>) -> Vec<ActionFigures> {
    if let Some(act) = number.map(i32::from).filter(|act| records.iter().all(|record| record.act != *act)) {
        let started_at = Instant::from_millis(session.now());
        records.push(ActRecord { act, started_at, took_ms: None, ran_at: None, pods: None, failed: true });
    }
    if records.is_empty() { Vec::new() } else { figures_of(session, &records) }
}

fn figures_of(session: &Session<'_>, records: &[ActRecord]) -> Vec<ActionFigures> {
    let mut all = Vec::new();
    let of_rows = |action: &Action| !matches!(action.when, When::BeforeRun | When::AfterRun);
    let actions = session.test.spec.actions.iter().enumerate();
    for (index, action) in actions.filter(|(_, action)| of_rows(action)) {
        let of_action = |undone: bool| {
            records.iter().filter(move |record| {
                planned(session, record).is_some_and(|act| act.action == index && (undone || !act.undo))
            })
        };
        let done = || of_action(true).filter(|record| record.took_ms.is_some());
        let failed = of_action(true).filter(|record| record.took_ms.is_none()).count();
        let until = |record: &ActRecord| record.started_at.as_millis() + i64::from(record.took_ms.unwrap_or(0));
        let ended = done().map(|record| record.ran_at.map_or_else(|| until(record), Instant::as_millis));
        all.push(ActionFigures {
            name: action.name.clone(),
            times: number(of_action(false).filter(|record| record.took_ms.is_some()).count()),
            failed: (failed > 0).then(|| number(failed)),
            first_at: done().map(|record| record.ran_at.unwrap_or(record.started_at)).min(),
            last_at: ended.max().map(Instant::from_millis),
        });
    }
    all
}

fn number(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// Each act with its times, for the row's ConfigMap.
pub fn details(session: &Session<'_>) -> Vec<ActDetail> {
    let detail = |record: &ActRecord| {
        let act = planned(session, record)?;
        Some(ActDetail {
            action: session.test.spec.actions.get(act.action)?.name.0.clone(),
            undo: act.undo,
            planned_ms: act.at_ms,
            started_at: record.started_at,
            took_ms: record.took_ms,
            ran_at: record.ran_at,
            pods: record.pods,
            failed: record.failed,
        })
    };
    current(session).acts.iter().filter_map(detail).collect()
}

fn planned(session: &Session<'_>, record: &ActRecord) -> Option<crate::plan::Act> {
    let number = u16::try_from(record.act).ok()?;
    crate::controller::planned::planned(session, number).map(|(act, _)| act)
}

/// That an action failed, or was still under way when the load (the row) was over.
pub fn facts(session: &Session<'_>) -> Vec<Fact> {
    let current = current(session);
    let open = current.acts.iter().any(|record| record.failed || record.took_ms.is_none());
    let message = current.action_problem.unwrap_or_else(|| "an action was under way when the load ended".into());
    open.then_some(Fact { reason: Some(Reason::ActionFailed), message }).into_iter().collect()
}

/// The same of those that followed the load, and where the first of those after the row began.
pub fn after_load(session: &Session<'_>) -> (Vec<Fact>, Option<i64>) {
    let records = current(session).acts;
    let when = |record: &ActRecord| planned(session, record).map(|act| act.when);
    let failed = records.iter().any(|record| record.failed && when(record) > Some(When::DuringLoad));
    let after_row = records.iter().find(|record| when(record) == Some(When::AfterRow));
    let facts = if failed { facts(session) } else { Vec::new() };
    (facts, after_row.map(|record| record.started_at.as_millis()))
}

/// What the acts of the row made of a target; `None`: no act was done to it in mid-load.
pub fn ours(session: &Session<'_>, target: &Target) -> Option<Ours> {
    let records = current(session).acts;
    let at = session.sized.iter().position(|name| *name == target.name.0)?;
    let found = session.test.status.iter().flat_map(|status| &status.targets).find(|t| t.name == target.name);
    let original = found.and_then(|record| record.original.as_ref()).and_then(|size| size.replicas);
    let base = target.replicas.or(original).unwrap_or(1);
    let (mut ours, mut replicas, mut any) = (Ours::default(), base, false);
    for record in &records {
        let number = u16::try_from(record.act).unwrap_or(0);
        let Some(act) = session.view.act(&session.state, number) else { continue };
        if act.kind.target() != Some(at) || act.at.is_none() {
            continue;
        }
        any = true;
        ours.unsure |= record.failed || record.took_ms.is_none();
        let wanted = match act.kind {
            ActKind::DeletePods { .. } => {
                ours.deleted += usize::try_from(record.pods.unwrap_or(0)).unwrap_or(0);
                continue;
            }
            ActKind::Restart { .. } => {
                ours.changes += 1;
                replicas
            }
            ActKind::Scale { replicas, .. } => i32::from(replicas),
            ActKind::ScaleBack { .. } => base,
            ActKind::Job { .. } => continue,
        };
        ours.changes += i64::from(wanted != replicas);
        ours.replaced = true;
        replicas = wanted;
    }
    any.then_some(ours)
}

impl Ours {
    /// What somebody else did to a target in the row, beside our acts. `grown`: by how much its generation grew.
    pub fn disturbed(self, name: &str, grown: i64, before: Option<&[PodFact]>, after: &[PodFact]) -> Option<String> {
        if self.unsure {
            return None;
        }
        if grown != self.changes {
            return Some(format!("somebody else changed {name} while the load ran"));
        }
        let gone = before?.iter().filter(|b| !after.iter().any(|a| a.uid == b.uid)).count();
        (!self.replaced && gone > self.deleted).then(|| {
            format!("{gone} pods of {name} were replaced while the load ran, and actions deleted only {}", self.deleted)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods(uids: &[&str]) -> Vec<PodFact> {
        uids.iter().map(|uid| PodFact { uid: (*uid).into(), ..PodFact::default() }).collect()
    }

    #[test]
    fn what_our_acts_changed_is_no_disturbance_and_what_came_on_top_is() {
        let ours = Ours { changes: 2, replaced: true, ..Ours::default() };
        assert_eq!(ours.disturbed("db", 2, Some(&pods(&["a"])), &pods(&["b"])), None);
        assert!(ours.disturbed("db", 3, None, &[]).is_some_and(|text| text.contains("somebody else changed db")));
    }

    #[test]
    fn more_pods_gone_than_were_deleted_is_a_disturbance() {
        let ours = Ours { deleted: 1, ..Ours::default() };
        assert_eq!(ours.disturbed("db", 0, Some(&pods(&["a", "b"])), &pods(&["b", "c"])), None);
        assert!(ours.disturbed("db", 0, Some(&pods(&["a", "b"])), &pods(&["c", "d"])).is_some());
    }
}
