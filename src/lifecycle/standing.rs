//! The standing rule, in any phase: a claim or a Job of a run that is not active is removed, judged from its label
//! alone, so also when the LoadTest is gone.

use crate::api::{GlanceStatus, Phase};
use crate::plan::act_part;

/// A LoadTest's run that may hold claims and Jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Active {
    /// Value of the label: `<uid>.<number>`.
    pub label: String,
    /// Row whose Job may exist; 0: none.
    pub row: i32,
    /// The act under way, whose Job may exist, as its label names it.
    pub act: Option<String>,
}

/// What becomes of an object with a run's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Keep,
    Remove,
}

impl Active {
    /// Of a LoadTest; `None` when its run is over.
    pub fn of(uid: &str, status: &GlanceStatus) -> Option<Self> {
        let run = status.run.as_ref()?;
        let active = matches!(status.phase?, Phase::Claiming | Phase::Running | Phase::Restoring | Phase::Evidence);
        let row = run.row.unwrap_or(0);
        // A run that is being ended gives its acts up; the only ones after it follow the verdict.
        let judged = status.phase == Some(Phase::Evidence) && status.verdict.is_some();
        let acts = judged || status.phase == Some(Phase::Running);
        let act = status.act_under_way().filter(|_| acts).map(|act| act_part((!judged).then_some(row), act));
        active.then(|| Self { label: format!("{uid}.{}", run.id), row, act })
    }
}

/// Whether a run's label names a run of this LoadTest.
pub fn is_of(label: &str, uid: &str) -> bool {
    label.split_once('.').is_some_and(|(of, _)| of == uid)
}

/// Judges an object by its label's value and, for a Job, the part of the run in its label: a row, an act, the observer.
pub fn standing(active: &[Active], label: &str, part: Option<&str>) -> Verdict {
    let Some(run) = active.iter().find(|run| run.label == label) else { return Verdict::Remove };
    let kept = match part {
        Some(act) if act.contains("act") => run.act.as_deref() == Some(act),
        Some(part) => part.parse().ok().is_none_or(|row: i32| row == run.row),
        None => true,
    };
    if kept { Verdict::Keep } else { Verdict::Remove }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_no_active_run_is_removed() {
        let active = [Active { label: "u.2".into(), row: 3, act: Some(act_part(Some(3), 2)) }];
        assert_eq!(standing(&active, "u.2", None), Verdict::Keep);
        for (part, verdict) in [
            ("3", Verdict::Keep),
            ("2", Verdict::Remove),
            ("observe", Verdict::Keep),
            ("3-act2", Verdict::Keep),
            ("3-act1", Verdict::Remove),
            ("end-act2", Verdict::Remove),
        ] {
            assert_eq!(standing(&active, "u.2", Some(part)), verdict, "{part}");
        }
        assert_eq!(standing(&active, "u.1", None), Verdict::Remove);
        assert_eq!(standing(&[], "v.1", None), Verdict::Remove);
        assert!(is_of("u.1", "u") && !is_of("u", "u") && !is_of("uv.1", "u"));
    }

    fn active(status: serde_json::Value) -> Option<String> {
        let status = serde_json::from_value(status).expect("a status");
        Active::of("u", &status).expect("an active run").act
    }

    #[test]
    fn the_job_of_an_act_is_kept_only_while_the_act_is_under_way() {
        let with = |phase: &str, last: serde_json::Value| serde_json::json!({"phase": phase, "run": {"id": 2, "row": 1, "current": {"acts": [{"act": 1, "tookMs": 5}, last]}}});
        let open = serde_json::json!({"act": 2});
        assert_eq!(active(with("Running", open.clone())).as_deref(), Some("1-act2"));
        assert_eq!(active(with("Running", serde_json::json!({"act": 2, "tookMs": 3}))), None);
        assert_eq!(active(with("Running", serde_json::json!({"act": 2, "failed": true}))), None);
        assert_eq!(active(with("Restoring", open.clone())), None);
        let mut judged = with("Evidence", open);
        assert_eq!(active(judged.clone()), None);
        judged["verdict"] = "Passed".into();
        assert_eq!(active(judged).as_deref(), Some("end-act2"));
    }
}
