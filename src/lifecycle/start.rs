//! The common start of a row's generators: recorded once, then told to each of them.

use super::seen::{Live, PodsSeen};
use super::state::{Fire, Millis, lead};
use super::step::{Change, Effect, Input, Need, Step};
use super::wait::SOON;
use crate::api::Reason;

/// So long before the start a grant is written once more, milliseconds. A kubelet may miss a change of a pod's annotations: it
/// lists its pods, then looks which of them changed (`findAndAddNewPods` of its volume manager), and what changed in between it
/// shows the pod a minute or more later, or with the pod's next change.
pub const REMINDERS: [Millis; 2] = [3_500, 2_000];

/// The commit point: when the row starts and at the latest ends, and whom that is told.
pub(super) fn fire(input: &Input<'_>, generators: u32, worst_case: Millis, pods: &PodsSeen) -> Change {
    let start_at = input.now + lead(generators);
    let total_end = input.state.started_at + input.plan.total;
    if start_at >= total_end {
        return Change::Restoring(Reason::DeadlineExceeded);
    }
    let fire = Fire { start_at, hard_end_at: (start_at + worst_case).min(total_end) };
    Change::Fire { fire, pods: pods.armed.clone() }
}

/// The recorded pods are granted the recorded start, while it is still ahead, and reminded of it.
pub(super) fn starting(input: &Input<'_>) -> Step {
    let (state, now) = (input.state, input.now);
    let Some(fire) = state.fire else { return Step::Record(Change::RowInvalid(Reason::StartMissed)) };
    let in_time = now < fire.start_at - SOON;
    let pods = match &input.seen.pods {
        Live::NotRead => return Step::Read(Need::Pods),
        Live::Fresh(pods) => pods,
        _ if in_time => return Step::Wait { reason: Reason::WaitingForStart, until: now + SOON / 4 },
        _ => &PodsSeen::default(),
    };
    let reminders = REMINDERS.map(|before| fire.start_at - before);
    // Whoever was told since then need not be told again.
    let since = reminders.into_iter().rfind(|at| *at <= now).filter(|_| in_time).unwrap_or(Millis::MIN);
    let told = |pod| pods.granted.iter().any(|(granted, at)| *granted == pod && *at >= since);
    let untold: Vec<_> = state.armed.iter().copied().filter(|pod| !told(*pod)).collect();
    if untold.is_empty() {
        if now < fire.start_at {
            let next = reminders.into_iter().find(|at| *at > now);
            return Step::Wait { reason: Reason::WaitingForStart, until: next.unwrap_or(fire.start_at) };
        }
        return Step::Record(Change::Loading);
    }
    if in_time {
        return Step::Act(Effect::Grant(untold));
    }
    if input.seen.pods.fresh().is_some() || now >= state.deadline {
        // Some may have got it: they are stopped and their row collected as what it is, not as never fired.
        return Step::Record(Change::Restoring(Reason::StartMissed));
    }
    Step::Wait { reason: Reason::WaitingForStart, until: now + SOON / 4 }
}
