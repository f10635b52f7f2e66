//! How the simulated cluster behaves: everything is well, unless a test says otherwise.

/// What becomes of an agent's pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pods {
    #[default]
    Arm,
    /// The image can't be pulled.
    NoImage,
    /// No node has room.
    NoRoom,
    /// A quota keeps them from being made.
    NotMade,
    /// The container runs, and never says that it is armed.
    NeverArm,
    /// A Secret that the pod names is missing.
    NoSecret,
}

/// What becomes of rollouts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rollouts {
    #[default]
    Come,
    /// New pods are never ready.
    Stick,
    /// New pods are never ready, and the Deployment's progress deadline passes after 20 s.
    Fail,
    /// New pods are ready, and the old ones don't go.
    Linger,
    /// New pods are ready, with less CPU than they were given.
    Starve,
}

/// What `pods/log` answers about a generator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Logs {
    #[default]
    Whole,
    /// 500.
    Unreadable,
    /// Empty: rotated away.
    Empty,
    /// Without its last line.
    Cut,
}

/// All of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ways {
    pub generators: Pods,
    pub observer: Pods,
    /// The pods of actions.
    pub acts: Pods,
    /// What a statement or request comes to; empty: it is done.
    pub act_says: &'static str,
    pub rollouts: Rollouts,
    pub logs: Logs,
    /// Generators leave a termination message.
    pub last_words: bool,
    /// So many changes of a pod's annotations its kubelet misses: it shows them a minute later, or with the next change.
    pub missed: u8,
    /// The kubelet no longer says how containers end.
    pub deaf: bool,
    /// What the measurement `pending` says.
    pub backlog: f64,
    /// The observer's log has lines.
    pub observer_speaks: bool,
    /// EndpointSlices keep the pods that are gone.
    pub stale_endpoints: bool,
    /// A webhook stores another CPU limit than the one that is sent.
    pub webhook: bool,
    /// What each pod of an application logged: instants in milliseconds since the epoch, and lines.
    pub app_log: &'static [(i64, &'static str)],
    /// What each pod of an application uses by the metrics API: CPU and memory; absent: there is no such API.
    pub used: Option<(&'static str, &'static str)>,
    /// By so much its memory grows a minute, percent of 64 MiB.
    pub leak_percent: f64,
}

impl Default for Ways {
    fn default() -> Self {
        Self {
            generators: Pods::Arm,
            observer: Pods::Arm,
            acts: Pods::Arm,
            act_says: "",
            rollouts: Rollouts::Come,
            logs: Logs::Whole,
            last_words: true,
            missed: 0,
            deaf: false,
            backlog: 0.0,
            observer_speaks: true,
            stale_endpoints: false,
            webhook: false,
            app_log: &[],
            used: None,
            leak_percent: 0.0,
        }
    }
}
