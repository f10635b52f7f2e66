//! PURE: what of a manifest a test without a cluster can do, and what not.

use std::collections::BTreeSet;

use crate::api::{LoadTestSpec, Threshold, When};
use crate::results::judged::threshold::is_late;

/// A field of a manifest that has no effect without a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotApplied {
    /// For example `spec.sweep[1]`.
    pub path: String,
    /// For people.
    pub why: String,
}

/// What stands in for things of the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandIns {
    /// There is a connection URL of PostgreSQL.
    pub postgres: bool,
    /// There is a file with CA certificates.
    pub ca_file: bool,
}

/// The spec without what needs a cluster, and all that was taken away, in the order of the spec.
pub fn without_cluster(spec: &LoadTestSpec, stand_ins: StandIns) -> (LoadTestSpec, Vec<NotApplied>) {
    let mut reducing = Reducing { spec: spec.clone(), not_applied: Vec::new() };
    reducing.loads(stand_ins);
    reducing.targets();
    reducing.database(stand_ins);
    let gone = reducing.measurements(stand_ins);
    reducing.sweep();
    reducing.actions();
    reducing.dependents(&gone);
    reducing.thresholds(&gone);
    reducing.rest();
    (reducing.spec, reducing.not_applied)
}

struct Reducing {
    spec: LoadTestSpec,
    not_applied: Vec<NotApplied>,
}

impl Reducing {
    fn say(&mut self, path: impl Into<String>, why: impl Into<String>) {
        self.not_applied.push(NotApplied { path: path.into(), why: why.into() });
    }

    fn loads(&mut self, stand_ins: StandIns) {
        for i in 0..self.spec.loads.len() {
            if self.spec.loads[i].generators > 1 {
                self.say(format!("spec.loads[{i}].generators"), "this process sends all of the load");
                self.spec.loads[i].generators = 1;
            }
            let certificate = self.spec.loads[i].tls.as_mut().and_then(|tls| tls.client_certificate_from.take());
            if certificate.is_some() {
                self.say(format!("spec.loads[{i}].tls.clientCertificateFrom"), "no Secret is read here");
            }
            let asks = self.spec.loads[i].tls.as_ref().is_some_and(|tls| tls.ca_from.is_some());
            if asks && !stand_ins.ca_file {
                self.say(format!("spec.loads[{i}].tls.caFrom"), "no ConfigMap is read here; --cacert FILE stands in");
                self.spec.loads[i].tls.iter_mut().for_each(|tls| tls.ca_from = None);
            }
        }
    }

    fn targets(&mut self) {
        for i in 0..self.spec.targets.len() {
            let workload = self.spec.targets[i].workload_ref.name.0.clone();
            self.say(format!("spec.targets[{i}]"), format!("{workload} is neither given a size nor watched"));
        }
        self.spec.targets.clear();
    }

    fn database(&mut self, stand_ins: StandIns) {
        let Some(mut database) = self.spec.database.take() else { return };
        if database.rds.take().is_some() {
            self.say("spec.database.rds", "CloudWatch is asked by the operator only");
        }
        if database.postgres.is_some() && !stand_ins.postgres {
            self.say("spec.database.postgres", "left out by --without-postgres");
            database.postgres = None;
        }
        self.spec.database = Some(database).filter(|database| database.postgres.is_some());
    }

    /// Names of the measurements that are taken away.
    fn measurements(&mut self, stand_ins: StandIns) -> BTreeSet<String> {
        let mut gone = BTreeSet::new();
        for (i, measurement) in self.spec.measurements.clone().iter_mut().enumerate() {
            let name = &measurement.name.0;
            let path = format!("spec.measurements[{i}]");
            if measurement.log.is_some() {
                self.say(&path, format!("{name} counts log lines of pods"));
                gone.insert(name.clone());
            } else if measurement.sql.is_some() && self.spec.database.is_none() {
                self.say(&path, format!("{name} asks database.postgres"));
                gone.insert(name.clone());
            }
            let tls = self.spec.measurements[i].http.as_mut().and_then(|http| http.tls.as_mut());
            let certificate = tls.and_then(|tls| tls.client_certificate_from.take());
            if certificate.is_some() {
                self.say(format!("{path}.http.tls.clientCertificateFrom"), "no Secret is read here");
            }
            let tls = self.spec.measurements[i].http.as_mut().and_then(|http| http.tls.as_mut());
            if tls.is_some_and(|tls| !stand_ins.ca_file && tls.ca_from.take().is_some()) {
                self.say(format!("{path}.http.tls.caFrom"), "no ConfigMap is read here; --cacert FILE stands in");
            }
        }
        self.spec.measurements.retain(|measurement| !gone.contains(&measurement.name.0));
        gone
    }

    fn sweep(&mut self) {
        for (i, entry) in self.spec.sweep.clone().iter().enumerate() {
            if let Some(target) = &entry.target {
                self.say(
                    format!("spec.sweep[{i}]"),
                    format!("{} gets no size here, so its values make no rows", target.0),
                );
            }
        }
        for (i, entry) in self.spec.sweep.clone().iter().enumerate() {
            if let Some(action) = &entry.action {
                let why = format!("{} is not done here, so its values make no rows", action.0);
                self.say(format!("spec.sweep[{i}]"), why);
            }
        }
        self.spec.sweep.retain(|entry| entry.target.is_none() && entry.action.is_none());
    }

    fn actions(&mut self) {
        for (i, action) in std::mem::take(&mut self.spec.actions).into_iter().enumerate() {
            let why = if action.target().is_some() {
                "is done to a workload"
            } else if action.job.is_some() {
                "is done by a Job in the cluster"
            } else if action.when == When::DuringLoad {
                "is done in mid-load by the operator only"
            } else if action.sql.is_some() && self.spec.database.is_none() {
                "asks database.postgres"
            } else {
                self.spec.actions.push(action);
                continue;
            };
            self.say(format!("spec.actions[{i}]"), format!("{} {why}", action.name.0));
        }
        let steps = self.spec.loads.iter_mut().flat_map(|load| &mut load.steps);
        steps.filter_map(|step| step.expect.as_mut()).for_each(|expect| expect.during_action = None);
    }

    fn dependents(&mut self, gone: &BTreeSet<String>) {
        let mut settle = self.spec.settle.take();
        if let Some(settle) = &mut settle
            && let Some(until) = settle.until.take_if(|until| gone.contains(&until.measurement.0))
        {
            self.say("spec.settle.until", format!("{} is not measured here", until.measurement.0));
        }
        self.spec.settle = settle;
        if let Some(check) = self.spec.tasks_check.take_if(|check| gone.contains(&check.measurement.0)) {
            self.say("spec.tasksCheck", format!("{} is not measured here", check.measurement.0));
        }
    }

    fn thresholds(&mut self, gone: &BTreeSet<String>) {
        let all = std::mem::take(&mut self.spec.thresholds);
        for (i, threshold) in all.into_iter().enumerate() {
            match self.missing(&threshold, gone) {
                Some(why) => self.say(format!("spec.thresholds[{i}]"), format!("{}: {why}", threshold.metric)),
                None => self.spec.thresholds.push(threshold),
            }
        }
    }

    /// Why a threshold can't be judged here.
    fn missing(&self, threshold: &Threshold, gone: &BTreeSet<String>) -> Option<&'static str> {
        let mut parts = threshold.metric.split('.');
        match (parts.next().unwrap_or_default(), parts.next().unwrap_or_default()) {
            _ if is_late(&threshold.metric) => Some("CloudWatch is asked by the operator only"),
            ("targets", _) => Some("pods are watched by the operator only"),
            ("database", _) if self.spec.database.is_none() => Some("PostgreSQL is not asked here"),
            ("measurements", name) if gone.contains(name) => Some("it is not measured here"),
            ("backlog" | "backlogSlopePerSecond" | "drainSeconds", _) if self.waits_for_nothing() => {
                Some("spec.settle.until has no effect here")
            }
            ("tasksUnaccounted", _) if self.spec.tasks_check.is_none() => Some("spec.tasksCheck has no effect here"),
            _ => None,
        }
    }

    fn waits_for_nothing(&self) -> bool {
        let lost = |known: &NotApplied| known.path == "spec.settle.until";
        self.not_applied.iter().any(lost)
    }

    fn rest(&mut self) {
        if self.spec.pods.take().is_some() {
            self.say("spec.pods", "there are no pods; this process sends and measures");
        }
        for (field, set) in [("suspend", &mut self.spec.suspend), ("cancel", &mut self.spec.cancel)] {
            if std::mem::take(set) {
                let why = "a test without a cluster is started and stopped by hand".into();
                self.not_applied.push(NotApplied { path: format!("spec.{field}"), why });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const BOTH: StandIns = StandIns { postgres: true, ca_file: true };
    const NONE: StandIns = StandIns { postgres: false, ca_file: false };

    fn spec() -> LoadTestSpec {
        serde_json::from_value(json!({
            "loads": [{"name": "a", "url": "https://a", "clients": 4, "generators": 4,
                "tls": {"caFrom": {"configMapKeyRef": {"name": "ca", "key": "ca.crt"}}}}],
            "targets": [{"name": "api", "workloadRef": {"name": "api"}, "replicas": 2}],
            "database": {"rds": {"instance": "db"}, "postgres": {"urlFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}},
            "measurements": [
                {"name": "pending", "sql": "select 1"},
                {"name": "timeouts", "log": {"target": "api", "regex": "X"}},
            ],
            "sweep": [
                {"load": "a", "clients": [4, 8], "group": "g"},
                {"target": "api", "replicas": [1, 2], "group": "g"},
            ],
            "settle": {"until": {"measurement": "pending"}},
            "tasksCheck": {"measurement": "pending"},
            "thresholds": [
                {"metric": "latency.p99Ms", "max": 1}, {"metric": "targets.api.restarts", "max": 0},
                {"metric": "measurements.timeouts.last", "max": 0}, {"metric": "database.cpuPercent.maximum", "max": 9},
                {"metric": "database.connections.maximum", "max": 9}, {"metric": "backlog", "max": 9},
                {"metric": "tasksUnaccounted", "max": 0},
            ],
            "pods": {"cpu": "2"}, "suspend": true,
        }))
        .expect("a spec")
    }

    fn paths(stand_ins: StandIns) -> Vec<String> {
        without_cluster(&spec(), stand_ins).1.into_iter().map(|one| one.path).collect()
    }

    #[test]
    fn what_a_laptop_can_do_stays_and_the_rest_is_named() {
        let (left, _) = without_cluster(&spec(), BOTH);
        assert_eq!(
            paths(BOTH),
            [
                "spec.loads[0].generators",
                "spec.targets[0]",
                "spec.database.rds",
                "spec.measurements[1]",
                "spec.sweep[1]",
                "spec.thresholds[1]",
                "spec.thresholds[2]",
                "spec.thresholds[3]",
                "spec.pods",
                "spec.suspend"
            ]
        );
        assert_eq!((left.thresholds.len(), left.sweep.len(), left.measurements.len()), (4, 1, 1));
        assert!(left.tasks_check.is_some() && left.database.is_some());
        let plan = crate::plan::plan(&left).expect("what is left is a plan");
        assert_eq!(plan.rows.len(), 2);
    }

    #[test]
    fn without_postgresql_all_that_rests_on_it_is_named_too() {
        let named = paths(NONE);
        for path in [
            "spec.loads[0].tls.caFrom",
            "spec.database.postgres",
            "spec.measurements[0]",
            "spec.settle.until",
            "spec.tasksCheck",
            "spec.thresholds[4]",
            "spec.thresholds[5]",
            "spec.thresholds[6]",
        ] {
            assert!(named.iter().any(|one| one == path), "{path} is not in {named:?}");
        }
        let (left, _) = without_cluster(&spec(), NONE);
        assert_eq!(left.thresholds.len(), 1);
        assert!(crate::plan::plan(&left).is_ok());
    }

    #[test]
    fn statements_and_requests_beside_the_load_stay_and_what_is_done_to_the_cluster_is_named() {
        let mut spec = spec();
        spec.actions = serde_json::from_value(json!([
            {"name": "reset", "when": "BeforeRow", "job": {"cronJobRef": {"name": "reset"}}},
            {"name": "clean", "when": "BeforeRow", "sql": "truncate tasks"},
            {"name": "cut", "when": "DuringLoad", "afterSeconds": 1, "sql": "select 1"},
            {"name": "fresh", "when": "BeforeRow", "restart": {"target": "api"}},
            {"name": "tell", "when": "AfterRun", "http": {"url": "http://chat"}},
        ]))
        .expect("actions");
        let (with, without) = (without_cluster(&spec, BOTH), without_cluster(&spec, NONE));
        let left = |spec: &LoadTestSpec| spec.actions.iter().map(|one| one.name.0.clone()).collect::<Vec<_>>();
        assert_eq!((left(&with.0), left(&without.0)), (vec!["clean".into(), "tell".into()], vec!["tell".to_owned()]));
        let named = with.1.iter().map(|one| one.path.as_str()).filter(|path| path.starts_with("spec.actions"));
        assert_eq!(named.collect::<Vec<_>>(), ["spec.actions[0]", "spec.actions[2]", "spec.actions[3]"]);
        assert!(without.1.iter().any(|one| one.path == "spec.actions[1]" && one.why == "clean asks database.postgres"));
    }

    #[test]
    fn a_manifest_that_needs_no_cluster_is_left_as_it_is() {
        let plain: LoadTestSpec =
            serde_json::from_value(json!({"loads": [{"name": "a", "url": "http://a"}]})).expect("a spec");
        assert_eq!(without_cluster(&plain, NONE), (plain, vec![]));
    }
}
