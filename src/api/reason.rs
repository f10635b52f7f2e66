//! The words that say why: one for each waiting or terminal state, the same in condition, event and metric.

use std::fmt;

use serde::{Deserialize, Serialize};

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

/// Each word once: with its kind, what it means, and what to do about it (empty: nothing).
macro_rules! reasons {
    ($($kind:ident { $($word:ident: $meaning:literal, $advice:literal;)+ })+) => {
        /// Why a test waits, or how it ended.
        ///
        /// At most 24 letters each. `meaning` is what the documentation says about it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Reason {
            $($(#[doc = $meaning] $word,)+)+
        }

        impl Reason {
            /// Every reason, in the order of the documentation.
            pub const ALL: &[Reason] = &[$($(Reason::$word,)+)+];

            fn entry(self) -> (&'static str, ReasonKind, &'static str, &'static str) {
                match self {
                    $($(Self::$word => (stringify!($word), ReasonKind::$kind, $meaning, $advice),)+)+
                }
            }
        }
    };
}

#[rustfmt::skip]
reasons! {
    Waiting {
        Suspended: "spec.suspend holds the start; set it to false to begin.", "Set spec.suspend to false.";
        TargetBusy: "Another test holds a target; this one waits for it until deadlines.queueSeconds.", "Wait, or end the other test: kubectl get deploy,sts -l loadtest.dev/claim --show-labels names it.";
        LimitReached: "The namespace runs as many tests as the operator allows; this one waits in line.", "Wait, or have the operator allow more (config.limits.maxConcurrentTests).";
        Claiming: "The targets are being checked and claimed; nothing of them is changed yet.", "";
        RollingOut: "The targets were given the row's size and their pods are being replaced.", "If it lasts: kubectl describe the pods of the workload (room, image, probe).";
        CreatingGenerators: "The row's generator Job is being created.", "";
        Arming: "The generator pods are starting; none has sent anything.", "If it lasts: kubectl describe the pods of the Job (room, image, Secret).";
        WaitingForStart: "The common start instant is set and lies ahead.", "";
        Loading: "The load is being sent.", "";
        Collecting: "The load is over and the generators' records are being read.", "";
        Acting: "An action of the test is being done, or its end waited for.", "If it lasts: kubectl describe the pods of the action's target; its timeoutSeconds ends the wait.";
        Draining: "Work left in the application's queue is being waited for (settle.until).", "If it lasts: does the measurement of settle.until go down? settle.timeoutSeconds ends the wait.";
        Settling: "The quiet time after the row (settle.seconds).", "";
        WaitingForStop: "Generators that may still send are being waited for before the targets are put back.", "";
        Restoring: "The targets are being put back.", "";
        WaitingForEvidence: "Figures that come late (CloudWatch) are being waited for.", "If it lasts: deadlines.evidenceSeconds ends the wait.";
        ApiUnavailable: "The Kubernetes API did not answer; the operator tries again.", "Look at the API server; nothing is lost meanwhile.";
    }
    Refused {
        InvalidSpec: "The spec contradicts itself; the message lists every error with its field.", "Correct each field that the message names; loadtest validate FILE finds them without a cluster.";
        LimitExceeded: "The test asks for more than the operator's configuration allows.", "Ask for less, or have the limit that the message names raised in the chart (config.limits).";
        UrlNotAllowed: "A URL is neither a Service of the test's namespace nor on the operator's list of allowed hosts.", "Name a Service of this namespace, or have the host put on config.allowedHosts; an ExternalName Service does not count.";
        DatabaseNotAllowed: "The operator's configuration does not let this namespace read that RDS instance or proxy.", "Have instance and proxy allowed for this namespace (config.rds of the chart).";
        DatabaseNotFound: "AWS knows no RDS instance or proxy of that name in that region.", "Check spec.database.rds: instance, proxy and region.";
        TargetNotFound: "A workload that the test names does not exist.", "Check spec.targets[].workloadRef: kind and name, in the namespace of the test.";
        TargetNotReady: "A workload that the test names was not ready before anything was changed.", "Bring the workload up first; the message says what its pods lack.";
        ServiceNotFound: "The Service in a load's URL does not exist.", "Check the host of the URL; the Service must stand in the namespace of the test.";
        ServiceMismatch: "The Service in a load's URL bears a target's name and selects other pods.", "Correct the Service's selector, or name the Service that leads to the target.";
        ConfigMapMissing: "A ConfigMap or key that the test names does not exist.", "Create it, or correct tls.caFrom.";
        CronJobMissing: "A CronJob that an action names does not exist, or makes other Jobs than of one pod.", "Create it (suspended, where only tests run it), or correct actions[].job.cronJobRef.";
        TargetPaused: "The Deployment is paused, so a new size would not roll out.", "kubectl rollout resume.";
        TargetHasAutoscaler: "A HorizontalPodAutoscaler or ScaledObject also sets the target; see whenManaged.", "Pause the autoscaler, take the size away so that the target is only watched, or write whenManaged: Override.";
        TargetHasOwner: "An owning object also sets the target; see whenManaged.", "Let its owner pause, take the size away so that the target is only watched, or write whenManaged: Override.";
        TargetMutated: "The API server stored another size than the one that was sent (a mutating webhook).", "Write the size that the webhook makes of it.";
        QuotaExceeded: "A quota of the namespace leaves no room for the row.", "Ask for less (pods.cpu, pods.memory, generators), or have the quota raised.";
        Forbidden: "The operator lacks a right; the message names it.", "Give the operator the right that the message names, or see which admission policy took it away.";
        UnknownProtocol: "The run was begun by a newer operator, whose protocol this one does not know.", "Bring the newer operator back until the run is over, or delete the LoadTest.";
    }
    Invalid {
        TargetDisturbed: "Somebody else changed a target, or its pods were replaced or restarted, while the row ran.", "The observations say what changed; keep deployments, autoscalers and other tests away, and run it again.";
        DatabaseRestarted: "PostgreSQL was restarted while the row ran.", "Run it again; see why PostgreSQL was restarted.";
        TargetReplaced: "A target was deleted and made anew; the new one is not touched.", "Run it again with the workload that is there now.";
        RolloutFailed: "The targets did not reach the row's size in deadlines.prepareSeconds.", "Look at the events of the workload's pods (room, image, probe), or raise deadlines.prepareSeconds.";
        GeneratorQuota: "A quota kept the generator pods from being created.", "Ask for less (pods.cpu, pods.memory, generators), or have the quota raised.";
        GeneratorImage: "The generators' image could not be pulled, or the pods run different images.", "Make the operator's image pullable in the test's namespace (pods.imagePullSecrets).";
        GeneratorUnschedulable: "No node had room for the generator pods.", "Ask for less (pods.cpu, pods.memory), or correct pods.nodeSelector and tolerations.";
        GeneratorLost: "A generator ended without saying all it measured.", "See why the pod ended: an eviction, a node that went away. Then run it again.";
        GeneratorOutOfMemory: "A generator was killed for using more memory than pods.memory.", "Raise pods.memory, or share the load among more generators.";
        GeneratorSaturated: "The generator itself was late: more than 1 % of the requests, and more than one, were sent late, or not at all.", "Give it more generators or more pods.cpu; the row shows how late it was.";
        SecretMissing: "A Secret or key that the test names does not exist.", "Create the Secret and key that vars or database.postgres name.";
        JobNameTaken: "A Job of the name that the row needs belongs to somebody else.", "Rename the test, or remove the Job of that name.";
        JobGone: "The row's Job was deleted by somebody else.", "Let nobody else delete Jobs of the test; run it again.";
        ArmTimeout: "The generators were not ready in time.", "Look at the events of the generator pods (room, image, node); run it again.";
        StartMissed: "Not all generators got the start instant in time, so none may send.", "Nothing was sent: the node was too busy to show the pods their start in time. Run it again.";
        ClockSkew: "The clocks of the generators' nodes differ by more than a second.", "Set the clocks of the nodes right (NTP), or keep the generators on one node.";
        AgentHasIdentity: "An agent pod was given a token or cloud credentials, and refused to run.", "Keep the webhook that hands out tokens or cloud credentials away from the agents' pods (pods.annotations, pods.labels).";
        ObserverLost: "The observer pod ended or never answered; the figures it samples are missing.", "See why the pod whose name ends in -observe ended, or what its URL and Secret lead to.";
        ResultsIncomplete: "A generator's records could not be read in full.", "See whether the log of the pod was cut (rotation, a full disk); fewer clients a generator make it shorter.";
        DrainTimeout: "The backlog did not go down in settle.timeoutSeconds.", "Raise settle.timeoutSeconds, or see why the work is not done.";
        ActionFailed: "An action of the test was not done, or not at its time; the message says which and why.", "See why in the message: an operator that was away, a target that was gone or that somebody else scaled, what the pod of a Job said. Then run it again.";
        EvidenceMissing: "A figure that a threshold needs is missing.", "The observations name the figure and how many of its points are there; optional: true where it is only nice to have.";
        DeadlineExceeded: "A deadline of the test passed; everything was put back.", "Raise the deadline that the message names: queueSeconds for waiting in line, totalSeconds for the run.";
    }
    Failed {
        ThresholdsBreached: "A threshold did not hold.", "The row names what was seen and what is allowed.";
        RequestsFailed: "Requests failed, and no threshold allows that.", "The observations say how they failed; a threshold on requests.failedPercent allows some.";
        InFlightCapReached: "maxInFlight was reached, so the application did not keep up; the rate is \"at least\".", "Send less, or give the application more; raise maxInFlight only where so many open requests are meant.";
        TasksUnaccounted: "The clients' count of tasks differs from the application's own.", "See where tasks got lost or were made twice; a threshold on tasksUnaccounted allows some.";
    }
    End {
        ThresholdsMet: "All thresholds held in all rows.", "";
        Cancelled: "The run was cancelled (spec.cancel; Ctrl-C of a local run); the rows that were done are kept.", "kubectl loadtest rerun starts it once more.";
        Deleted: "The LoadTest was deleted; everything was put back.", "";
        Expired: "The LoadTest had been finished for ttlSecondsAfterFinished and was deleted, with its results; an event only.", "";
    }
    Restore {
        Restored: "Every target is as it was.", "";
        RestoreSkipped: "Fields that somebody else had changed meanwhile were left as they are.", "See whether the value that somebody else wrote is the one that is wanted.";
        TargetGone: "A target no longer exists, so there was nothing to put back.", "";
        RestoreTimeout: "A target could not be put back in time; the operator keeps trying.", "The message names what stands in the way; kubectl loadtest restore puts a workload back without the operator.";
    }
}

impl Reason {
    /// The word itself.
    pub fn as_str(self) -> &'static str {
        self.entry().0
    }

    /// One sentence for people.
    pub fn meaning(self) -> &'static str {
        self.entry().2
    }

    /// What to do about it; `None`: nothing, it goes on by itself or is an end to be glad of.
    pub fn advice(self) -> Option<&'static str> {
        Some(self.entry().3).filter(|advice| !advice.is_empty())
    }

    /// The kind of state it stands for.
    pub fn kind(self) -> ReasonKind {
        self.entry().1
    }

    /// The reason of that name.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| r.as_str() == word)
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

    #[test]
    fn whatever_keeps_a_test_from_its_verdict_says_what_to_do() {
        for &reason in Reason::ALL {
            let asked = matches!(reason.kind(), ReasonKind::Refused | ReasonKind::Invalid | ReasonKind::Failed);
            assert!(!asked || reason.advice().is_some(), "{reason}");
            assert!(reason.advice().is_none_or(|advice| advice.ends_with('.')), "{reason}");
        }
    }
}
