//! The conditions of a LoadTest, derived from where it stands; the table is in `docs/protocol.md`.
//!
//! Reconciling and Stalled are there only when they are True, and never both.

use crate::api::{Condition, ConditionStatus, Count, Instant, Reason, Verdict};

/// What the conditions say.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// Working or waiting.
    Busy(Reason),
    /// Held by spec.suspend.
    Held,
    /// Over.
    Over(Verdict, Reason),
}

/// Longest message of a condition.
const MAX_MESSAGE: usize = 1024;

/// The conditions for `standing`; `lastTransitionTime` moves only where the status does.
pub fn conditions(
    old: &[Condition],
    standing: &Standing,
    message: &str,
    generation: i64,
    now: Instant,
) -> Vec<Condition> {
    use ConditionStatus::{False, True, Unknown};
    let (reason, ready, succeeded, finished, flag) = match standing {
        Standing::Busy(reason) => (*reason, Unknown, Unknown, False, Some("Reconciling")),
        Standing::Held => (Reason::Suspended, False, Unknown, False, None),
        Standing::Over(Verdict::Passed, reason) => (*reason, True, True, True, None),
        Standing::Over(_, reason) => (*reason, False, False, True, Some("Stalled")),
    };
    let message = shown(if message.is_empty() { reason.meaning() } else { message }, standing);
    let mut wanted = vec![("Ready", ready)];
    wanted.extend(flag.map(|flag| (flag, True)));
    wanted.extend([("Succeeded", succeeded), ("Finished", finished)]);
    wanted
        .into_iter()
        .map(|(type_, status)| {
            let before = old.iter().find(|c| c.type_ == type_ && c.status == status);
            Condition {
                type_: type_.into(),
                status,
                reason: reason.to_string(),
                message: message.clone(),
                observed_generation: Some(Count(generation)),
                last_transition_time: before.map_or(now, |c| c.last_transition_time),
            }
        })
        .collect()
}

/// A message as a condition and an event have it: of bounded length and without control characters, which a pod's last words or somebody's
/// event may have brought in, for a terminal to obey. Only what is said of a plan that is held has lines.
pub fn shown(message: &str, standing: &Standing) -> String {
    let kept = |c: char| !c.is_control() || c == '\n' && *standing == Standing::Held;
    let message: String = message.chars().map(|c| if kept(c) { c } else { ' ' }).collect();
    if message.chars().count() <= MAX_MESSAGE {
        return message;
    }
    message.chars().take(MAX_MESSAGE - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(standing: &Standing) -> Vec<(String, ConditionStatus)> {
        let made = conditions(&[], standing, "", 3, Instant::from_millis(0));
        made.into_iter().map(|c| (c.type_, c.status)).collect()
    }

    #[test]
    fn only_an_end_that_is_not_passed_is_stalled() {
        let stalled = |standing: &Standing| of(standing).iter().any(|(type_, _)| type_ == "Stalled");
        assert!(!stalled(&Standing::Busy(Reason::Loading)));
        assert!(!stalled(&Standing::Held));
        assert!(!stalled(&Standing::Over(Verdict::Passed, Reason::ThresholdsMet)));
        for verdict in [Verdict::Failed, Verdict::Invalid, Verdict::Aborted] {
            assert!(stalled(&Standing::Over(verdict, Reason::Cancelled)));
        }
    }

    #[test]
    fn a_transition_time_moves_only_with_the_status() {
        let busy =
            |reason, old: &[Condition], ms| conditions(old, &Standing::Busy(reason), "", 1, Instant::from_millis(ms));
        let first = busy(Reason::Arming, &[], 1);
        let second = busy(Reason::Loading, &first, 2);
        assert_eq!(second[0].last_transition_time, first[0].last_transition_time);
        assert_eq!(second[0].reason, "Loading");
        let over = conditions(
            &second,
            &Standing::Over(Verdict::Passed, Reason::ThresholdsMet),
            "",
            1,
            Instant::from_millis(3),
        );
        assert_eq!(over[0].last_transition_time, Instant::from_millis(3));
    }

    #[test]
    fn a_message_is_one_short_line_that_no_terminal_obeys() {
        let hostile = format!("pods \u{1b}[2J\r\nverdict: Passed\u{9b}1m {}", "x".repeat(2000));
        let made = conditions(&[], &Standing::Busy(Reason::Arming), &hostile, 1, Instant::from_millis(0));
        let message = &made[0].message;
        assert!(message.starts_with("pods  [2J  verdict: Passed 1m x") && message.ends_with('…'), "{message}");
        assert_eq!((message.chars().count(), message.chars().any(char::is_control)), (MAX_MESSAGE, false));
        assert_eq!(shown(message, &Standing::Busy(Reason::Arming)), *message, "the same again");
        assert_eq!(shown("row 1\nrow 2", &Standing::Held), "row 1\nrow 2");
    }

    #[test]
    fn a_finished_test_says_finished_true_whatever_its_verdict() {
        for verdict in [Verdict::Passed, Verdict::Failed, Verdict::Invalid, Verdict::Aborted] {
            let of = of(&Standing::Over(verdict, Reason::Deleted));
            assert!(of.contains(&("Finished".into(), ConditionStatus::True)));
        }
    }
}
