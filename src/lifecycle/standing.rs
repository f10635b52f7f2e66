//! The standing rule, in any phase: a claim or a Job of a run that is not active is removed, judged from its label
//! alone, so also when the LoadTest is gone.

use crate::api::{GlanceStatus, Phase};

/// A LoadTest's run that may hold claims and Jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Active {
    /// Value of the label: `<uid>.<number>`.
    pub label: String,
    /// Row whose Job may exist; 0: none.
    pub row: i32,
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
        active.then(|| Self { label: format!("{uid}.{}", run.id), row: run.row.unwrap_or(0) })
    }
}

/// Whether a run's label names a run of this LoadTest.
pub fn is_of(label: &str, uid: &str) -> bool {
    label.split_once('.').is_some_and(|(of, _)| of == uid)
}

/// Judges an object by its label's value and, for a generator Job, the row in its label.
pub fn standing(active: &[Active], label: &str, row: Option<i32>) -> Verdict {
    match active.iter().find(|run| run.label == label) {
        Some(run) if row.is_none_or(|row| row == run.row) => Verdict::Keep,
        _ => Verdict::Remove,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_no_active_run_is_removed() {
        let active = [Active { label: "u.2".into(), row: 3 }];
        assert_eq!(standing(&active, "u.2", None), Verdict::Keep);
        assert_eq!(standing(&active, "u.2", Some(3)), Verdict::Keep);
        assert_eq!(standing(&active, "u.2", Some(2)), Verdict::Remove);
        assert_eq!(standing(&active, "u.1", None), Verdict::Remove);
        assert_eq!(standing(&[], "v.1", None), Verdict::Remove);
        assert!(is_of("u.1", "u") && !is_of("u", "u") && !is_of("uv.1", "u"));
    }
}
