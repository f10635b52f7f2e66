//! What all passes share, and what the operator remembers between two passes. All of it may be lost: a new process only
//! looks again.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kube::Client;
use kube::runtime::events::{Recorder, Reporter};

use super::clock::Clock;
use super::config::Config;
use super::io::Clients;
use super::metrics::Metrics;
use super::read::follow::Follower;
use super::read::queue::Queue;
use super::watched::Watched;
use crate::api::{Rds, Reason, Row};
use crate::evidence::aws::DatabaseSource;
use crate::evidence::cluster::memory::MemoryCourse;
use crate::evidence::cluster::metrics::Used;
use crate::evidence::cluster::pods::PodFact;
use crate::lifecycle::{Live, Millis, Preflight, Uid};
use crate::results::gathered::series::Series;

/// Shared by all passes.
pub struct Context {
    /// Repeats by itself what the API server was too busy for.
    pub client: Client,
    /// Sends each call once: for acts, which go stale, and grants, which say when they were sent.
    pub once: Client,
    pub clock: Clock,
    pub config: Config,
    /// Image of the agents.
    pub image: String,
    pub events: Recorder,
    pub metrics: Metrics,
    pub watched: Watched,
    memory: Mutex<HashMap<String, Memory>>,
    sources: Mutex<Sources>,
    queues: Mutex<HashMap<String, Arc<Queue>>>,
}

/// By instance, proxy and region.
type Sources = HashMap<(String, Option<String>, Option<String>), Arc<DatabaseSource>>;

/// What is remembered of one LoadTest.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// The run that all this is about.
    pub run: i64,
    /// The preflight's answer, when it is final.
    pub preflight: Option<(Live<Preflight>, String)>,
    /// Until when it is remembered.
    pub preflight_until: Millis,
    /// Since when something other than a queue keeps the test from starting; 0: nothing does.
    pub not_yet_since: Millis,
    /// The last release of a target was refused.
    pub refused: bool,
    /// The API server refused to delete the LoadTest.
    pub kept: bool,
    /// The Job of the last act, once it is over and the Job gone.
    pub act_gone: Option<Uid>,
    /// Name of an act's Job that the API server won't take, and why.
    pub act_refused: Option<(String, String)>,
    /// What the API server said against the Job of the generators or the observer.
    pub job_refused: Option<String>,
    /// resourceVersion of each of the row's pods, by uid, and since when it is that.
    pub versions: BTreeMap<String, (String, Millis)>,
    /// Uids of generator pods that were seen ended.
    pub ended: std::collections::BTreeSet<String>,
    /// Digest of the pods that serve, and since when it is that.
    pub proof: Option<(String, Millis)>,
    /// Pods of each target when the load started.
    pub pods: BTreeMap<String, Vec<PodFact>>,
    /// Services under load that led to the targets when the load started.
    pub routes: std::collections::BTreeSet<String>,
    /// Other tests that sent load to the same targets meanwhile.
    pub others: std::collections::BTreeSet<String>,
    /// Containers (`pod/container`) whose counted logs were empty before the load.
    pub silent: std::collections::BTreeSet<String>,
    /// Logs that are counted while they are written, by measurement, pod and container.
    pub followed: BTreeMap<String, Arc<Follower>>,
    /// When it was looked for logs to follow last.
    pub followed_at: Millis,
    /// Nodes that generators ran on.
    pub nodes: std::collections::BTreeSet<String>,
    /// Most that a target's pods used, while the row loads.
    pub used: BTreeMap<String, Used>,
    /// What they used at each look, milliseconds since the epoch, for the row's charts.
    pub used_over_time: BTreeMap<String, Vec<(Millis, Used)>>,
    /// Memory of each target's pods over the load.
    pub memory: BTreeMap<String, MemoryCourse>,
    /// When `used` was looked at last.
    pub used_at: Millis,
    /// The row whose records were read, with the file for its ConfigMap.
    pub collected: Option<Row>,
    /// Fields that a release left alone, by target.
    pub skipped: BTreeMap<String, Vec<String>>,
    /// The last answer of CloudWatch, and when.
    pub series: Option<(Vec<Series>, Millis)>,
    /// Two answers of CloudWatch agreed (or there is nothing to wait for).
    pub series_final: bool,
    /// What AWS said of the database, or why it said nothing.
    pub database: Option<Result<crate::api::DatabaseIdentity, String>>,
    /// Why the run ends, for people.
    pub end_note: Option<String>,
    /// When the status was written last.
    pub written_at: Millis,
    /// The reason that was announced last.
    pub announced: Option<Reason>,
}

impl Context {
    /// A context that remembers nothing.
    pub fn new(clients: Clients, config: Config, image: String, instance: Option<String>, metrics: Metrics) -> Self {
        let reporter = Reporter { controller: "loadtest-operator".into(), instance };
        let Clients { patient, once } = clients;
        let events = Recorder::new(patient.clone(), reporter);
        Self {
            client: patient,
            once,
            clock: Clock::wall(),
            config,
            image,
            events,
            metrics,
            watched: Watched::default(),
            memory: Mutex::default(),
            sources: Mutex::default(),
            queues: Mutex::default(),
        }
    }

    /// The namespaces that are watched; `None` is all of them.
    pub fn namespaces(&self) -> Vec<Option<String>> {
        match self.config.watch_namespaces.as_slice() {
            [] => vec![None],
            some => some.iter().cloned().map(Some).collect(),
        }
    }

    /// What is remembered of `uid`'s run; nothing, when it was about another run.
    pub fn recall(&self, uid: &str, run: i64) -> Memory {
        self.memory()
            .get(uid)
            .filter(|memory| memory.run == run)
            .cloned()
            .unwrap_or(Memory { run, ..Memory::default() })
    }

    /// Remembers.
    pub fn remember(&self, uid: &str, memory: Memory) {
        self.memory().insert(uid.to_owned(), memory);
    }

    /// Forgets a LoadTest that is finished or gone.
    pub fn forget(&self, uid: &str) {
        self.memory().remove(uid);
    }

    /// The source of the figures of an RDS instance and its proxy, its connections and credentials kept from test to test.
    pub fn source(&self, rds: &Rds) -> Arc<DatabaseSource> {
        let default = Some(&self.config.aws_region).filter(|region| !region.is_empty());
        let region = rds.region.as_ref().or(default).cloned();
        let key = (rds.instance.clone(), rds.proxy.clone(), region.clone());
        let new = || Arc::new(DatabaseSource::new(&rds.instance, region.as_deref()).with_proxy(rds.proxy.as_deref()));
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(sources.entry(key).or_insert_with(new))
    }

    /// The line of tests of a namespace.
    pub fn queue(&self, namespace: &str) -> Arc<Queue> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(queues.entry(namespace.to_owned()).or_default())
    }

    fn memory(&self) -> MutexGuard<'_, HashMap<String, Memory>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
