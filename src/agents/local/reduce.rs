//! PURE: what of a manifest a test without a cluster can do, and what not.

use std::collections::BTreeSet;

use crate::api::{LoadTestSpec, When};
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
    reducing.columns(spec, &gone);
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
            match self.missing(&threshold.metric, gone) {
                Some(why) => self.say(format!("spec.thresholds[{i}]"), format!("{}: {why}", threshold.metric)),
                None => self.spec.thresholds.push(threshold),
            }
        }
    }

    /// Columns of figures that are not there; `whole` has the targets and actions that are taken away.
    fn columns(&mut self, whole: &LoadTestSpec, gone: &BTreeSet<String>) {
        let unset = |metric: &str| {
            let swept = metric.strip_prefix("set.").and_then(|set| set.split('.').next());
            swept.is_some_and(|name| {
                whole.targets.iter().any(|t| t.name.0 == name) || whole.actions.iter().any(|a| a.name.0 == name)
            })
        };
        for (i, column) in std::mem::take(&mut self.spec.columns).into_iter().enumerate() {
            let metric = column.metric.clone().unwrap_or_default();
            let why = if unset(&metric) { Some("nothing is set there") } else { self.missing(&metric, gone) };
            match why {
                Some(why) => self.say(format!("spec.columns[{i}]"), format!("{metric}: {why}")),
                None => self.spec.columns.push(column),
            }
        }
    }

    /// Why there is no such figure here.
    fn missing(&self, metric: &str, gone: &BTreeSet<String>) -> Option<&'static str> {
        let mut parts = metric.split('.');
        match (parts.next().unwrap_or_default(), parts.next().unwrap_or_default()) {
            _ if is_late(metric) => Some("CloudWatch is asked by the operator only"),
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
        if self.spec.ttl_seconds_after_finished.take().is_some() {
            self.say("spec.ttlSecondsAfterFinished", "there is no object to delete");
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
#[path = "reduce_tests.rs"]
mod tests;
