//! Between the status as it is stored and the small state that decisions rest on.

use super::state::{Fire, State, Uid};
use crate::api::{CurrentRow, Instant, LoadTestStatus, Phase, Reason, RowStep, Run, TargetState, finished_since};
use crate::plan::PROTOCOL_VERSION;

/// Reads the state out of a status. `sized`: names of the targets that get a size, in the order they are claimed.
pub fn state(status: Option<&LoadTestStatus>, sized: &[String]) -> State {
    let Some(status) = status else {
        return State { targets: vec![None; sized.len()], ..State::default() };
    };
    let mut state = State {
        phase: status.phase.unwrap_or(Phase::Pending),
        observed_generation: status.observed_generation.unwrap_or(-1),
        run: status.history.iter().map(|past| past.id).max().unwrap_or(0),
        targets: sized.iter().map(|name| target(status, name)).collect(),
        end: refusal(status),
        finished_at: finished_since(&status.conditions)
            .filter(|_| status.phase == Some(Phase::Finished))
            .map(Instant::as_millis),
        ..State::default()
    };
    state.judged = state.phase == Phase::Evidence && status.verdict.is_some();
    if let Some(run) = &status.run {
        fill(&mut state, run);
    }
    state
}

fn target(status: &LoadTestStatus, name: &str) -> Option<(Uid, TargetState)> {
    let record = status.targets.iter().find(|record| record.name.0 == *name)?;
    Some((Uid::of(&record.uid), record.state))
}

/// Why a test without a run ended, as its condition says it.
fn refusal(status: &LoadTestStatus) -> Option<Reason> {
    let finished = status.phase == Some(Phase::Finished) && status.run.is_none();
    let ready = status.conditions.iter().find(|c| c.type_ == "Ready").filter(|_| finished)?;
    Reason::parse(&ready.reason)
}

fn fill(state: &mut State, run: &Run) {
    state.run = run.id;
    state.started_at = run.started_at.map_or(0, Instant::as_millis);
    state.protocol_known = run.protocol_version == PROTOCOL_VERSION;
    state.row = run.row.and_then(|row| u8::try_from(row).ok()).unwrap_or(0);
    state.step = run.step.unwrap_or(RowStep::Pending);
    state.deadline = run.step_deadline.map_or(0, Instant::as_millis);
    state.end = run.reason.as_deref().and_then(Reason::parse);
    if let Some(current) = &run.current {
        state.job = current.job_uid.as_deref().map(Uid::of);
        state.armed = current.armed_pods.iter().map(|pod| Uid::of(pod)).collect();
        state.fire = current
            .start_at
            .zip(current.hard_end_at)
            .map(|(start, end)| Fire { start_at: start.as_millis(), hard_end_at: end.as_millis() });
        if let Some(last) = current.acts.last() {
            state.act = u16::try_from(last.act).unwrap_or(0);
            state.acting = last.took_ms.is_none() && !last.failed;
            state.doomed = current.doomed_pods.iter().map(|pod| Uid::of(pod)).collect();
            state.act_job = current.act_job_uid.as_deref().map(Uid::of);
            let matters = state.acting || state.act_job.is_some();
            state.act_at = if matters { last.started_at.as_millis() } else { 0 };
        }
    }
}

/// Writes the state into a status whose `run` is there. `uid` gives the uid that was hashed, for objects just seen;
/// others keep the uid that the status has already.
pub fn write(state: &State, status: &mut LoadTestStatus, sized: &[String], uid: &dyn Fn(Uid) -> Option<String>) {
    status.phase = Some(state.phase);
    status.observed_generation = Some(state.observed_generation);
    for (name, target) in sized.iter().zip(&state.targets) {
        let record = status.targets.iter_mut().find(|record| record.name.0 == *name);
        if let (Some(record), Some((_, target))) = (record, target) {
            record.state = *target;
        }
    }
    let Some(run) = status.run.as_mut() else { return };
    run.row = Some(state.row.into());
    run.step = Some(state.step);
    run.started_at = Some(Instant::from_millis(state.started_at));
    run.step_deadline = (state.deadline > 0).then(|| Instant::from_millis(state.deadline));
    run.reason = state.end.map(|reason| reason.to_string());
    let old = run.current.take().unwrap_or_default();
    let text = |hash: Uid| {
        let known = old.armed_pods.iter().chain(&old.job_uid).chain(&old.doomed_pods).chain(&old.act_job_uid);
        let known = known.into_iter().find(|known| Uid::of(known) == hash);
        uid(hash).or_else(|| known.cloned())
    };
    let current = CurrentRow {
        job_uid: state.job.and_then(text),
        armed_pods: state.armed.iter().filter_map(|pod| text(*pod)).collect(),
        start_at: state.fire.map(|fire| Instant::from_millis(fire.start_at)),
        hard_end_at: state.fire.map(|fire| Instant::from_millis(fire.hard_end_at)),
        targets: if state.step == RowStep::Sizing { Vec::new() } else { old.targets },
        doomed_pods: state.doomed.iter().filter_map(|pod| text(*pod)).collect(),
        act_job_uid: state.act_job.and_then(text),
        acts: if state.act == 0 { Vec::new() } else { old.acts },
        action_problem: if state.act == 0 { None } else { old.action_problem },
    };
    run.current = (current != CurrentRow::default()).then_some(current);
}
