//! A small simulated cluster behind the fake: rollouts, Jobs, kubelets and the processes in their pods, on the virtual clock.
//!
//! Nothing runs by itself: what is due until now is done before each call is answered.

pub mod acts;
pub mod agents;
pub mod jobs;
pub mod process;
pub mod rollout;
pub mod speech;
pub mod ways;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::fake::answer::Answer;
use crate::fake::path::Path;
use crate::fake::store::{Key, text};
use crate::fake::{Millis, World};
use process::Process;
use ways::Ways;

/// What happens at an instant. Pods and their processes are named by uid.
#[derive(Clone, Debug)]
pub enum What {
    /// The Deployment controller works on this generation.
    Rollout { at: Key, generation: i64, stage: u8 },
    /// The Job controller makes a Job's pods.
    MakePods { job: Key },
    /// The container runs.
    Runs { uid: String },
    /// The startup probe holds: armed.
    Arms { uid: String },
    /// The kubelet has written the pod's annotations into its volume.
    Seen { uid: String },
    /// The start instant.
    Fire { uid: String },
    /// The pod of an act is ready.
    Act { uid: String },
    /// The load is over.
    End { uid: String, why: Option<&'static str> },
    /// A pod that was deleted is gone.
    Gone { uid: String },
}

/// Something that is due.
pub struct Due {
    pub at: Millis,
    pub what: What,
}

/// That a generator sent its load.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fired {
    /// Value of the run's label.
    pub run: String,
    pub row: i32,
    pub index: u32,
    pub at: Millis,
    /// When it sent its last request; absent: it still sends.
    pub until: Option<Millis>,
}

/// What is under way in the cluster.
#[derive(Default)]
pub struct Cluster {
    agenda: BTreeMap<(Millis, u64), What>,
    counter: u64,
    pub ways: Ways,
    pub processes: BTreeMap<String, Process>,
    pub fired: Vec<Fired>,
    /// Names of the Jobs whose pods did an act, one after the other.
    pub done: Vec<String>,
}

impl Cluster {
    /// Has something happen at an instant.
    pub fn plan(&mut self, at: Millis, what: What) {
        self.counter += 1;
        self.agenda.insert((at, self.counter), what);
    }

    /// A rollout that is complete already.
    pub fn forget_rollout(&mut self, of: &Key) {
        self.agenda.retain(|_, what| !matches!(what, What::Rollout { at, .. } if at == of));
    }

    /// The next thing that is due until `now`.
    pub fn due(&mut self, now: Millis) -> Option<Due> {
        let first = *self.agenda.keys().next().filter(|(at, _)| *at <= now)?;
        let what = self.agenda.remove(&first)?;
        Some(Due { at: first.0, what })
    }

    /// Does it.
    pub fn perform(world: &mut World, what: What) {
        match what {
            What::Rollout { at, generation, stage } => rollout::step(world, &at, generation, stage),
            What::MakePods { job } => jobs::make_pods(world, &job),
            What::Runs { uid } => agents::runs(world, &uid),
            What::Arms { uid } => agents::arms(world, &uid),
            What::Seen { uid } => agents::seen(world, &uid),
            What::Fire { uid } => agents::fire(world, &uid),
            What::Act { uid } => acts::act(world, &uid),
            What::End { uid, why } => agents::end(world, &uid, why),
            What::Gone { uid } => agents::gone(world, &uid),
        }
    }

    /// A client wrote an object: the controllers of its kind take notice.
    pub fn noticed(world: &mut World, at: &Key, old: Option<&Value>) {
        let now = world.store.now;
        let new = world.store.get(at).cloned();
        match (at.0.as_str(), &new) {
            ("deployments", Some(new)) => {
                let generation = new["metadata"]["generation"].as_i64().unwrap_or(0);
                if old.is_none_or(|old| old["metadata"]["generation"] != new["metadata"]["generation"]) {
                    world.cluster.plan(now + 100, What::Rollout { at: at.clone(), generation, stage: 0 });
                }
            }
            ("jobs", Some(new)) if jobs::starts(new, old) => {
                world.cluster.plan(now + 200, What::MakePods { job: at.clone() });
            }
            ("jobs" | "loadtests", None) => jobs::orphans(world),
            ("pods", None) => rollout::pod_gone(world, old),
            ("pods", Some(new))
                if old.is_some_and(|old| old["metadata"]["annotations"] != new["metadata"]["annotations"]) =>
            {
                let uid = text(new, "/metadata/uid").to_owned();
                let after = world.cluster.look_after(&uid);
                world.cluster.plan(now + after, What::Seen { uid });
            }
            _ => {}
        }
    }

    /// How long after a change of a pod's annotations its kubelet writes them into its volume, milliseconds.
    fn look_after(&mut self, uid: &str) -> Millis {
        let missed = self.ways.missed;
        let misses = self.processes.get_mut(uid).is_some_and(|process| {
            process.changes = process.changes.saturating_add(1);
            process.changes <= missed
        });
        if misses { 75_000 } else { 60 }
    }

    /// A pod's log.
    pub fn log(world: &World, at: &Key, path: &Path) -> Answer {
        let Some(pod) = world.store.get(at) else { return Answer::no(404, format!("pods \"{}\" not found", at.2)) };
        let Some(process) = world.cluster.processes.get(text(pod, "/metadata/uid")) else {
            return speech::of_application(world, path);
        };
        speech::log(world, process, path.query.get("sinceTime").map(String::as_str))
    }

    /// The generators that sent load, by row, of all runs.
    pub fn fires(&self) -> BTreeMap<i32, Vec<u32>> {
        let mut rows: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
        for fired in &self.fired {
            rows.entry(fired.row).or_default().push(fired.index);
        }
        rows
    }
}
