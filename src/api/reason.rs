//! The words that say why: one for each waiting or terminal state, the same in condition, event and metric.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a test waits, or how it ended.
///
/// At most 24 letters each. `meaning` is what the documentation says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// spec.suspend holds the start; set it to false to begin.
    Suspended,
    /// Another test holds a target; this one waits for it until deadlines.queueSeconds.
    TargetBusy,
    /// The namespace runs as many tests as the operator allows; this one waits in line.
    LimitReached,
    /// The targets are being checked and claimed; nothing of them is changed yet.
    Claiming,
    /// The targets were given the row's size and their pods are being replaced.
    RollingOut,
    /// The row's generator Job is being created.
    CreatingGenerators,
    /// The generator pods are starting; none has sent anything.
    Arming,
    /// The common start instant is set and lies ahead.
    WaitingForStart,
    /// The load is being sent.
    Loading,
    /// The load is over and the generators' records are being read.
    Collecting,
    /// Work left in the application's queue is being waited for (settle.until).
    Draining,
    /// The quiet time after the row (settle.seconds).
    Settling,
    /// Generators that may still send are being waited for before the targets are put back.
    WaitingForStop,
    /// The targets are being put back.
    Restoring,
    /// Figures that come late (CloudWatch) are being waited for.
    WaitingForEvidence,
    /// The Kubernetes API did not answer; the operator tries again.
    ApiUnavailable,
    /// The spec contradicts itself; the message lists every error with its field.
    InvalidSpec,
    /// The test asks for more than the operator's configuration allows.
    LimitExceeded,
    /// A URL is neither a Service of the test's namespace nor on the operator's list of allowed hosts.
    UrlNotAllowed,
    /// The operator's configuration does not let this namespace read that RDS instance.
    DatabaseNotAllowed,
    /// AWS knows no RDS instance of that name in that region.
    DatabaseNotFound,
    /// A workload that the test names does not exist.
    TargetNotFound,
    /// A workload that the test names was not ready before anything was changed.
    TargetNotReady,
    /// The Service in a load's URL does not exist.
    ServiceNotFound,
    /// The Service in a load's URL bears a target's name and selects other pods.
    ServiceMismatch,
    /// A ConfigMap or key that the test names does not exist.
    ConfigMapMissing,
    /// The Deployment is paused, so a new size would not roll out.
    TargetPaused,
    /// A HorizontalPodAutoscaler or ScaledObject also sets the target; see whenManaged.
    TargetHasAutoscaler,
    /// An owning object also sets the target; see whenManaged.
    TargetHasOwner,
    /// The API server stored another size than the one that was sent (a mutating webhook).
    TargetMutated,
    /// A quota of the namespace leaves no room for the row.
    QuotaExceeded,
    /// The operator lacks a right; the message names it.
    Forbidden,
    /// The run was begun by a newer operator, whose protocol this one does not know.
    UnknownProtocol,
    /// Somebody else changed a target, or its pods were replaced or restarted, while the row ran.
    TargetDisturbed,
    /// PostgreSQL was restarted while the row ran.
    DatabaseRestarted,
    /// A target was deleted and made anew; the new one is not touched.
    TargetReplaced,
    /// The targets did not reach the row's size in deadlines.prepareSeconds.
    RolloutFailed,
    /// A quota kept the generator pods from being created.
    GeneratorQuota,
    /// The generators' image could not be pulled, or the pods run different images.
    GeneratorImage,
    /// No node had room for the generator pods.
    GeneratorUnschedulable,
    /// A generator ended without saying all it measured.
    GeneratorLost,
    /// A generator was killed for using more memory than pods.memory.
    GeneratorOutOfMemory,
    /// The generator itself was late: more than 1 % of the requests were sent late or not at all.
    GeneratorSaturated,
    /// A Secret or key that the test names does not exist.
    SecretMissing,
    /// A Job of the name that the row needs belongs to somebody else.
    JobNameTaken,
    /// The row's Job was deleted by somebody else.
    JobGone,
    /// The generators were not ready in time.
    ArmTimeout,
    /// Not all generators got the start instant in time, so none may send.
    StartMissed,
    /// The clocks of the generators' nodes differ by more than a second.
    ClockSkew,
    /// An agent pod was given a token or cloud credentials, and refused to run.
    AgentHasIdentity,
    /// The observer pod ended or never answered; the figures it samples are missing.
    ObserverLost,
    /// A generator's records could not be read in full.
    ResultsIncomplete,
    /// The backlog did not go down in settle.timeoutSeconds.
    DrainTimeout,
    /// A figure that a threshold needs is missing.
    EvidenceMissing,
    /// A deadline of the test passed; everything was put back.
    DeadlineExceeded,
    /// A threshold did not hold.
    ThresholdsBreached,
    /// Requests failed, and no threshold allows that.
    RequestsFailed,
    /// maxInFlight was reached, so the application did not keep up; the rate is "at least".
    InFlightCapReached,
    /// The clients' count of tasks differs from the application's own.
    TasksUnaccounted,
    /// All thresholds held in all rows.
    ThresholdsMet,
    /// spec.cancel ended the run; the rows that were done are kept.
    Cancelled,
    /// The LoadTest was deleted; everything was put back.
    Deleted,
    /// Every target is as it was.
    Restored,
    /// Fields that somebody else had changed meanwhile were left as they are.
    RestoreSkipped,
    /// A target no longer exists, so there was nothing to put back.
    TargetGone,
    /// A target could not be put back in time; the operator keeps trying.
    RestoreTimeout,
}

/// What kind of state a reason stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasonKind {
    /// The run goes on.
    Waiting,
    /// Nothing was changed.
    Refused,
    /// The run or row proves nothing.
    Invalid,
    /// A row did not hold what was asked of it.
    Failed,
    /// The run came to its end.
    End,
    /// What became of the targets.
    Restore,
}

impl Reason {
    /// Every reason, in the order of the documentation.
    pub const ALL: &[Reason] = &[
        Reason::Suspended,
        Reason::TargetBusy,
        Reason::LimitReached,
        Reason::Claiming,
        Reason::RollingOut,
        Reason::CreatingGenerators,
        Reason::Arming,
        Reason::WaitingForStart,
        Reason::Loading,
        Reason::Collecting,
        Reason::Draining,
        Reason::Settling,
        Reason::WaitingForStop,
        Reason::Restoring,
        Reason::WaitingForEvidence,
        Reason::ApiUnavailable,
        Reason::InvalidSpec,
        Reason::LimitExceeded,
        Reason::UrlNotAllowed,
        Reason::DatabaseNotAllowed,
        Reason::DatabaseNotFound,
        Reason::TargetNotFound,
        Reason::TargetNotReady,
        Reason::ServiceNotFound,
        Reason::ServiceMismatch,
        Reason::ConfigMapMissing,
        Reason::TargetPaused,
        Reason::TargetHasAutoscaler,
        Reason::TargetHasOwner,
        Reason::TargetMutated,
        Reason::QuotaExceeded,
        Reason::Forbidden,
        Reason::UnknownProtocol,
        Reason::TargetDisturbed,
        Reason::DatabaseRestarted,
        Reason::TargetReplaced,
        Reason::RolloutFailed,
        Reason::GeneratorQuota,
        Reason::GeneratorImage,
        Reason::GeneratorUnschedulable,
        Reason::GeneratorLost,
        Reason::GeneratorOutOfMemory,
        Reason::GeneratorSaturated,
        Reason::SecretMissing,
        Reason::JobNameTaken,
        Reason::JobGone,
        Reason::ArmTimeout,
        Reason::StartMissed,
        Reason::ClockSkew,
        Reason::AgentHasIdentity,
        Reason::ObserverLost,
        Reason::ResultsIncomplete,
        Reason::DrainTimeout,
        Reason::EvidenceMissing,
        Reason::DeadlineExceeded,
        Reason::ThresholdsBreached,
        Reason::RequestsFailed,
        Reason::InFlightCapReached,
        Reason::TasksUnaccounted,
        Reason::ThresholdsMet,
        Reason::Cancelled,
        Reason::Deleted,
        Reason::Restored,
        Reason::RestoreSkipped,
        Reason::TargetGone,
        Reason::RestoreTimeout,
    ];

    /// The word itself.
    pub fn as_str(self) -> &'static str {
        self.entry().0
    }

    /// One sentence for people.
    pub fn meaning(self) -> &'static str {
        self.entry().2
    }

    /// The kind of state it stands for.
    pub fn kind(self) -> ReasonKind {
        self.entry().1
    }

    /// The reason of that name.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| r.as_str() == word)
    }

    #[rustfmt::skip]
    fn entry(self) -> (&'static str, ReasonKind, &'static str) {
        use ReasonKind::*;
        match self {
            Self::Suspended => ("Suspended", Waiting, "spec.suspend holds the start; set it to false to begin."),
            Self::TargetBusy => ("TargetBusy", Waiting, "Another test holds a target; this one waits for it until deadlines.queueSeconds."),
            Self::LimitReached => ("LimitReached", Waiting, "The namespace runs as many tests as the operator allows; this one waits in line."),
            Self::Claiming => ("Claiming", Waiting, "The targets are being checked and claimed; nothing of them is changed yet."),
            Self::RollingOut => ("RollingOut", Waiting, "The targets were given the row's size and their pods are being replaced."),
            Self::CreatingGenerators => ("CreatingGenerators", Waiting, "The row's generator Job is being created."),
            Self::Arming => ("Arming", Waiting, "The generator pods are starting; none has sent anything."),
            Self::WaitingForStart => ("WaitingForStart", Waiting, "The common start instant is set and lies ahead."),
            Self::Loading => ("Loading", Waiting, "The load is being sent."),
            Self::Collecting => ("Collecting", Waiting, "The load is over and the generators' records are being read."),
            Self::Draining => ("Draining", Waiting, "Work left in the application's queue is being waited for (settle.until)."),
            Self::Settling => ("Settling", Waiting, "The quiet time after the row (settle.seconds)."),
            Self::WaitingForStop => ("WaitingForStop", Waiting, "Generators that may still send are being waited for before the targets are put back."),
            Self::Restoring => ("Restoring", Waiting, "The targets are being put back."),
            Self::WaitingForEvidence => ("WaitingForEvidence", Waiting, "Figures that come late (CloudWatch) are being waited for."),
            Self::ApiUnavailable => ("ApiUnavailable", Waiting, "The Kubernetes API did not answer; the operator tries again."),
            Self::InvalidSpec => ("InvalidSpec", Refused, "The spec contradicts itself; the message lists every error with its field."),
            Self::LimitExceeded => ("LimitExceeded", Refused, "The test asks for more than the operator's configuration allows."),
            Self::UrlNotAllowed => ("UrlNotAllowed", Refused, "A URL is neither a Service of the test's namespace nor on the operator's list of allowed hosts."),
            Self::DatabaseNotAllowed => ("DatabaseNotAllowed", Refused, "The operator's configuration does not let this namespace read that RDS instance."),
            Self::DatabaseNotFound => ("DatabaseNotFound", Refused, "AWS knows no RDS instance of that name in that region."),
            Self::TargetNotFound => ("TargetNotFound", Refused, "A workload that the test names does not exist."),
            Self::TargetNotReady => ("TargetNotReady", Refused, "A workload that the test names was not ready before anything was changed."),
            Self::ServiceNotFound => ("ServiceNotFound", Refused, "The Service in a load's URL does not exist."),
            Self::ServiceMismatch => ("ServiceMismatch", Refused, "The Service in a load's URL bears a target's name and selects other pods."),
            Self::ConfigMapMissing => ("ConfigMapMissing", Refused, "A ConfigMap or key that the test names does not exist."),
            Self::TargetPaused => ("TargetPaused", Refused, "The Deployment is paused, so a new size would not roll out."),
            Self::TargetHasAutoscaler => ("TargetHasAutoscaler", Refused, "A HorizontalPodAutoscaler or ScaledObject also sets the target; see whenManaged."),
            Self::TargetHasOwner => ("TargetHasOwner", Refused, "An owning object also sets the target; see whenManaged."),
            Self::TargetMutated => ("TargetMutated", Refused, "The API server stored another size than the one that was sent (a mutating webhook)."),
            Self::QuotaExceeded => ("QuotaExceeded", Refused, "A quota of the namespace leaves no room for the row."),
            Self::Forbidden => ("Forbidden", Refused, "The operator lacks a right; the message names it."),
            Self::UnknownProtocol => ("UnknownProtocol", Refused, "The run was begun by a newer operator, whose protocol this one does not know."),
            Self::TargetDisturbed => ("TargetDisturbed", Invalid, "Somebody else changed a target, or its pods were replaced or restarted, while the row ran."),
            Self::DatabaseRestarted => ("DatabaseRestarted", Invalid, "PostgreSQL was restarted while the row ran."),
            Self::TargetReplaced => ("TargetReplaced", Invalid, "A target was deleted and made anew; the new one is not touched."),
            Self::RolloutFailed => ("RolloutFailed", Invalid, "The targets did not reach the row's size in deadlines.prepareSeconds."),
            Self::GeneratorQuota => ("GeneratorQuota", Invalid, "A quota kept the generator pods from being created."),
            Self::GeneratorImage => ("GeneratorImage", Invalid, "The generators' image could not be pulled, or the pods run different images."),
            Self::GeneratorUnschedulable => ("GeneratorUnschedulable", Invalid, "No node had room for the generator pods."),
            Self::GeneratorLost => ("GeneratorLost", Invalid, "A generator ended without saying all it measured."),
            Self::GeneratorOutOfMemory => ("GeneratorOutOfMemory", Invalid, "A generator was killed for using more memory than pods.memory."),
            Self::GeneratorSaturated => ("GeneratorSaturated", Invalid, "The generator itself was late: more than 1 % of the requests were sent late or not at all."),
            Self::SecretMissing => ("SecretMissing", Invalid, "A Secret or key that the test names does not exist."),
            Self::JobNameTaken => ("JobNameTaken", Invalid, "A Job of the name that the row needs belongs to somebody else."),
            Self::JobGone => ("JobGone", Invalid, "The row's Job was deleted by somebody else."),
            Self::ArmTimeout => ("ArmTimeout", Invalid, "The generators were not ready in time."),
            Self::StartMissed => ("StartMissed", Invalid, "Not all generators got the start instant in time, so none may send."),
            Self::ClockSkew => ("ClockSkew", Invalid, "The clocks of the generators' nodes differ by more than a second."),
            Self::AgentHasIdentity => ("AgentHasIdentity", Invalid, "An agent pod was given a token or cloud credentials, and refused to run."),
            Self::ObserverLost => ("ObserverLost", Invalid, "The observer pod ended or never answered; the figures it samples are missing."),
            Self::ResultsIncomplete => ("ResultsIncomplete", Invalid, "A generator's records could not be read in full."),
            Self::DrainTimeout => ("DrainTimeout", Invalid, "The backlog did not go down in settle.timeoutSeconds."),
            Self::EvidenceMissing => ("EvidenceMissing", Invalid, "A figure that a threshold needs is missing."),
            Self::DeadlineExceeded => ("DeadlineExceeded", Invalid, "A deadline of the test passed; everything was put back."),
            Self::ThresholdsBreached => ("ThresholdsBreached", Failed, "A threshold did not hold."),
            Self::RequestsFailed => ("RequestsFailed", Failed, "Requests failed, and no threshold allows that."),
            Self::InFlightCapReached => ("InFlightCapReached", Failed, "maxInFlight was reached, so the application did not keep up; the rate is \"at least\"."),
            Self::TasksUnaccounted => ("TasksUnaccounted", Failed, "The clients' count of tasks differs from the application's own."),
            Self::ThresholdsMet => ("ThresholdsMet", End, "All thresholds held in all rows."),
            Self::Cancelled => ("Cancelled", End, "spec.cancel ended the run; the rows that were done are kept."),
            Self::Deleted => ("Deleted", End, "The LoadTest was deleted; everything was put back."),
            Self::Restored => ("Restored", Restore, "Every target is as it was."),
            Self::RestoreSkipped => ("RestoreSkipped", Restore, "Fields that somebody else had changed meanwhile were left as they are."),
            Self::TargetGone => ("TargetGone", Restore, "A target no longer exists, so there was nothing to put back."),
            Self::RestoreTimeout => ("RestoreTimeout", Restore, "A target could not be put back in time; the operator keeps trying."),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_short_and_finds_its_reason() {
        for &reason in Reason::ALL {
            assert!(reason.as_str().len() <= 24, "{reason}");
            assert_eq!(Reason::parse(reason.as_str()), Some(reason));
            assert_eq!(reason.as_str(), format!("{reason:?}"));
        }
    }
}
