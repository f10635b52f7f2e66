//! A fake API server in this process: the verbs that the operator uses and no other, on a virtual clock.
//!
//! Real are resource versions, uids, generations, preconditions, the status subresource, finalizers, dry runs, watches.
//! An unknown request is answered 501 and fails the test that asks [`Fake::verify`].

pub mod answer;
pub mod fault;
pub mod follow;
pub mod journal;
pub mod patch;
pub mod path;
pub mod selector;
pub mod server;
pub mod service;
pub mod store;
pub mod watch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch as channel;
use tokio::time::Instant;

use crate::cluster::Cluster;
use fault::{Call, Plan, Trouble};
use journal::Journal;
use store::Store;

/// Milliseconds since the epoch.
pub type Millis = i64;

/// The instant at which every virtual clock begins.
pub const EPOCH: Millis = 1_800_000_000_000;

/// All that one simulated cluster holds.
pub struct World {
    pub store: Store,
    pub cluster: Cluster,
    pub journal: Journal,
    pub faults: Plan,
    /// How watches go wrong.
    pub watching: watch::Watching,
    /// Clients that never get another answer: their process is dead.
    pub dead: Vec<u32>,
    /// A client whose process dies at its next request.
    pub dying: Option<u32>,
}

/// A handle on the world; clones are the same world.
#[derive(Clone)]
pub struct Fake {
    world: Arc<Mutex<World>>,
    origin: Instant,
    /// Told of each change of the store, and of each death.
    changed: Arc<channel::Sender<u64>>,
}

impl Fake {
    /// An empty cluster, now.
    pub fn new() -> Self {
        let world = World {
            store: Store::default(),
            cluster: Cluster::default(),
            journal: Journal::default(),
            faults: Plan::none(),
            watching: watch::Watching::default(),
            dead: Vec::new(),
            dying: None,
        };
        Self { world: Arc::new(Mutex::new(world)), origin: Instant::now(), changed: Arc::new(channel::Sender::new(0)) }
    }

    /// The virtual time, milliseconds since the epoch.
    pub fn now(&self) -> Millis {
        EPOCH + i64::try_from(self.origin.elapsed().as_millis()).expect("a test of less than an age")
    }

    /// The world as it is now: all that was due in the simulated cluster has happened.
    pub fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.advance(self.now());
        world
    }

    /// What goes wrong from now on: asked for each call.
    pub fn trouble(&self, plan: impl FnMut(&Call) -> Option<Trouble> + Send + 'static) {
        self.world().faults = Plan::of(plan);
    }

    /// Wakes watches and whoever waits for a death.
    pub fn wake(&self) {
        self.changed.send_modify(|n| *n += 1);
    }

    /// Whether that client's process was killed.
    pub fn is_dead(&self, client: u32) -> bool {
        self.world().dead.contains(&client)
    }

    /// Fails when the operator asked for something that the fake does not know.
    pub fn verify(&self) {
        let world = self.world();
        assert!(world.journal.unknown.is_empty(), "requests that the fake does not know: {:#?}", world.journal.unknown);
    }
}

impl World {
    /// Does what the simulated controllers and kubelets had to do until `now`.
    pub fn advance(&mut self, now: Millis) {
        self.store.now = self.store.now.max(EPOCH);
        while let Some(due) = self.cluster.due(now) {
            self.store.now = due.at;
            Cluster::perform(self, due.what);
        }
        self.store.now = now;
    }
}
