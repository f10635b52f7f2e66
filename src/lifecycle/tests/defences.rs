//! Each defence of the protocol is taken away in turn.

/// What the harness takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Defence {
    StatusSwap,
    TargetVersion,
    ClaimFirst,
    PodUid,
    JobName,
    Marker,
    LateStart,
    LiveReads,
    WaitForStop,
    CompareFields,
    CommitPoint,
    StandingRule,
    Finalizer,
    Fresh,
}
