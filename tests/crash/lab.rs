//! A simulated cluster with the real controller in it, which can be started, killed and started again.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use prometheus::Registry;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::cluster::rollout::deploy;
use crate::end::End;
use crate::fake::Fake;
use crate::fake::store::{Key, key};
use loadtest_operator::api::{LoadTest, LoadTestSpec, LoadTestStatus, Phase};
use loadtest_operator::controller::clock::Clock;
use loadtest_operator::controller::context::Context;
use loadtest_operator::controller::metrics::Metrics;
use loadtest_operator::controller::{Config, operate};
use loadtest_operator::runtime::health::Health;

/// The namespace of all tests.
pub const NAMESPACE: &str = "shop";
/// The LoadTest's name.
pub const TEST: &str = "probe";

/// Runs a test on a clock of its own, on which sleeping takes no time.
pub fn on_virtual_time<F: Future>(test: impl FnOnce() -> F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(async { test().await })
}

/// An operator process.
pub struct Operator {
    pub number: u32,
    task: JoinHandle<()>,
}

/// A cluster and its operator.
pub struct Lab {
    pub fake: Fake,
    pub operators: Vec<Operator>,
    started: u32,
    /// How long the cluster is without operator when one died.
    pub downtime: Duration,
    /// Limits and the like of the operators that are started from now on.
    pub config: Config,
    /// What /readyz of the operators answers.
    pub health: Health,
}

/// Two rows; one target that is sized and one that is watched; two generators; an observer.
pub fn reference_spec() -> Value {
    json!({
        "targets": [{"name": "api", "workloadRef": {"name": "api"}}, {"name": "proxy", "workloadRef": {"name": "proxy"}}],
        "sweep": [{"target": "api", "cpu": ["500m", "1"]}],
        "loads": [{"name": "main", "url": "http://api:8080", "rate": 20, "durationSeconds": 5, "generators": 2}],
        "measurements": [{"name": "pending", "http": {"url": "http://api:8080/count", "jsonPointer": "/count"},
            "intervalSeconds": 1}],
        "settle": {"seconds": 2, "until": {"measurement": "pending"}, "timeoutSeconds": 60},
        "deadlines": {"prepareSeconds": 60, "totalSeconds": 900}
    })
}

/// One row: a restart before it; in mid-load a target without pods for a while, and a deleted pod of another one.
pub fn acting_spec() -> Value {
    json!({
        "targets": [{"name": "api", "workloadRef": {"name": "api"}}, {"name": "proxy", "workloadRef": {"name": "proxy"}}],
        "loads": [{"name": "main", "url": "http://api:8080", "rate": 20, "durationSeconds": 30}],
        "actions": [
            {"name": "fresh", "when": "BeforeRow", "restart": {"target": "proxy"}},
            {"name": "away", "when": "DuringLoad", "afterSeconds": 3, "forSeconds": 6, "scale": {"target": "proxy", "replicas": 0}},
            {"name": "kill", "when": "DuringLoad", "afterSeconds": 6, "deletePods": {"target": "api"}},
            {"name": "again", "when": "DuringLoad", "afterSeconds": 20, "restart": {"target": "proxy"}}],
        "settle": {"seconds": 2},
        "deadlines": {"prepareSeconds": 60, "totalSeconds": 900}
    })
}

/// One row with an act by a Job at every moment, and a target that gets its pods when the load is over.
pub fn moments_spec() -> Value {
    let http = json!({"url": "http://api:8080/hook", "body": "$(run.id)"});
    json!({
        "targets": [{"name": "api", "workloadRef": {"name": "api"}}, {"name": "proxy", "workloadRef": {"name": "proxy"}}],
        "loads": [{"name": "main", "url": "http://api:8080", "rate": 20, "durationSeconds": 30}],
        "database": {"postgres": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}},
        "actions": [
            {"name": "fill", "when": "BeforeRun", "job": {"cronJobRef": {"name": "reset"}}},
            {"name": "reset", "when": "BeforeRow", "job": {"cronJobRef": {"name": "reset"}}},
            {"name": "cut", "when": "DuringLoad", "afterSeconds": 15, "sql": "select 1"},
            {"name": "grow", "when": "AfterLoad", "scale": {"target": "proxy", "replicas": 3}},
            {"name": "flush", "when": "AfterLoad", "http": http},
            {"name": "clear", "when": "AfterRow", "sql": "truncate t"},
            {"name": "tell", "when": "AfterRun", "http": http}],
        "settle": {"seconds": 2},
        "deadlines": {"prepareSeconds": 60, "totalSeconds": 900}
    })
}

impl Drop for Lab {
    /// Whatever a test was about: each status that was written is one that GitOps tools understand.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            crate::health::verify(&self.fake.world().store.changes);
        }
    }
}

impl Lab {
    /// A cluster with two rolled out Deployments, and no operator yet.
    pub fn new() -> Self {
        let fake = Fake::new();
        {
            let mut world = fake.world();
            deploy(&mut world, NAMESPACE, "api", 2, json!({"limits": {"cpu": "250m"}, "requests": {"cpu": "100m"}}));
            deploy(&mut world, NAMESPACE, "proxy", 1, json!({}));
            let pods = json!({"containers": [{"name": "reset", "image": "reset:1"}]});
            let reset = json!({"spec": {"suspend": true, "schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": {"spec": pods}}}}});
            world.store.create(&key("cronjobs", NAMESPACE, "reset"), reset);
        }
        Self {
            fake,
            operators: Vec::new(),
            started: 0,
            downtime: Duration::from_millis(500),
            config: Config::default(),
            health: Health::default(),
        }
    }

    /// The same with a LoadTest and an operator.
    pub fn with(spec: Value) -> Self {
        let mut lab = Self::new();
        lab.apply(TEST, spec);
        lab.start();
        lab
    }

    /// Creates a LoadTest.
    pub fn apply(&self, name: &str, spec: Value) {
        let spec: LoadTestSpec = serde_json::from_value(spec).expect("a spec");
        let mut test = serde_json::to_value(LoadTest::new(name, spec)).expect("JSON");
        test["status"] = json!({"observedGeneration": -1});
        self.fake.world().store.create(&at(name), test).expect("a free name");
        self.fake.wake();
    }

    /// Edits a LoadTest's spec, as a user does.
    pub fn edit(&self, name: &str, change: impl FnOnce(&mut Value)) {
        self.fake.world().store.edit(&at(name), |test| change(&mut test["spec"]));
        self.fake.wake();
    }

    /// Starts an operator that remembers nothing.
    pub fn start(&mut self) {
        self.started += 1;
        let number = self.started;
        let (clients, fake) = (self.fake.clients(number), self.fake.clone());
        let (pod, metrics) = (Some(format!("operator-{number}")), Metrics::new(&Registry::new()).expect("metrics"));
        let mut context = Context::new(clients, self.config.clone(), "agent:1".into(), pod, metrics);
        context.clock = Clock::from_fn(move || fake.now());
        let task = tokio::spawn(operate(Arc::new(context), self.health.clone()));
        self.operators.push(Operator { number, task });
    }

    /// Kills all operators.
    pub fn kill(&mut self) {
        for operator in self.operators.drain(..) {
            operator.task.abort();
            self.fake.world().dead.push(operator.number);
        }
    }

    /// Lets time go by; an operator that died is followed by another one.
    pub async fn live(&mut self, duration: Duration) {
        let until = Instant::now() + duration;
        while Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(250).min(until - Instant::now())).await;
            self.replace_the_dead().await;
        }
    }

    async fn replace_the_dead(&mut self) {
        while let Some(at) = self.operators.iter().position(|operator| self.fake.is_dead(operator.number)) {
            self.operators.remove(at).task.abort();
            tokio::time::sleep(self.downtime).await;
            self.start();
        }
    }

    /// Lives until `is` holds of the LoadTest's status.
    pub async fn until(&mut self, limit: Duration, what: &str, is: impl Fn(&LoadTestStatus) -> bool) {
        let until = Instant::now() + limit;
        while !is(&self.status(TEST)) {
            assert!(Instant::now() < until, "not in {} s: {what}\n{}", limit.as_secs(), self.story());
            self.live(Duration::from_millis(250)).await;
        }
    }

    /// Lives until the LoadTest is finished and its finalizer gone, and the standing rule had its time after that.
    pub async fn finish(&mut self, limit: Duration) -> End {
        self.until(limit, "the test is finished", |status| status.phase == Some(Phase::Finished)).await;
        let until = Instant::now() + Duration::from_secs(400);
        while self.has_finalizer(TEST) && Instant::now() < until {
            self.live(Duration::from_millis(250)).await;
        }
        self.live(Duration::from_secs(35)).await;
        self.fake.verify();
        End::of(self)
    }

    /// Lives until the LoadTest, which was deleted, is gone, and the standing rule had its time after that.
    pub async fn gone(&mut self, limit: Duration) -> End {
        let until = Instant::now() + limit;
        while !self.object(&at(TEST)).is_null() {
            assert!(Instant::now() < until, "not gone in {} s\n{}", limit.as_secs(), self.story());
            self.live(Duration::from_millis(250)).await;
        }
        self.live(Duration::from_secs(35)).await;
        self.fake.verify();
        End::of(self)
    }

    fn has_finalizer(&self, name: &str) -> bool {
        self.object(&at(name))["metadata"]["finalizers"].as_array().is_some_and(|all| !all.is_empty())
    }

    /// A LoadTest's status; the default, when it is gone.
    pub fn status(&self, name: &str) -> LoadTestStatus {
        serde_json::from_value(self.object(&at(name))["status"].clone()).unwrap_or_default()
    }

    /// The reason of the condition Ready.
    pub fn reason(&self, name: &str) -> String {
        let ready = self.status(name).conditions.into_iter().find(|condition| condition.type_ == "Ready");
        ready.map(|condition| condition.reason).unwrap_or_default()
    }

    /// An object, or null.
    pub fn object(&self, at: &Key) -> Value {
        self.fake.world().store.get(at).cloned().unwrap_or_default()
    }

    /// What was written so far, for a test that fails.
    pub fn story(&self) -> String {
        let world = self.fake.world();
        let ready = &world.store.get(&at(TEST)).map(|test| test["status"]["conditions"][0].to_string());
        format!("{ready:?}\n{}", world.journal.story())
    }
}

/// Where a LoadTest is.
pub fn at(name: &str) -> Key {
    key("loadtests", NAMESPACE, name)
}
