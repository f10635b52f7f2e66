//! What the operator counts about itself and its runs, for Prometheus. Names that controller-runtime has are its names
//! (<https://book.kubebuilder.io/reference/metrics-reference>), so that the dashboards people have show this operator too.
//!
//! Labels have few values: phases, verdicts, reasons, codes. Only running tests have series of their own, and those go
//! with the run.

use std::time::Duration;

use prometheus::{
    HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, core::Collector,
};

use crate::api::{Count, LoadTestStatus, Phase, Row};
use crate::lifecycle::Change;

/// The label `controller` of controller-runtime's metrics.
const CONTROLLER: &str = "loadtest";
/// controller-runtime's own bounds, seconds.
const SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// How long a run may take, seconds.
const RUN_SECONDS: &[f64] = &[30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 43_200.0];
const PHASES: [Phase; 6] =
    [Phase::Pending, Phase::Claiming, Phase::Running, Phase::Restoring, Phase::Evidence, Phase::Finished];

/// How a pass ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nothing more to do until something changes.
    Success,
    /// To be looked at again after a time.
    RequeueAfter,
    Error,
}

/// All of them.
#[derive(Clone, Debug)]
pub struct Metrics {
    reconciles: IntCounterVec,
    errors: IntCounterVec,
    seconds: HistogramVec,
    active: IntGaugeVec,
    calls: IntCounterVec,
    leads: IntGaugeVec,
    tests: IntGaugeVec,
    row: IntGaugeVec,
    rows_planned: IntGaugeVec,
    runs: IntCounterVec,
    rows: IntCounterVec,
    requests: IntCounterVec,
    tasks: IntCounter,
    run_seconds: HistogramVec,
    claims_left: IntGauge,
}

/// A pass under way, also one that is given up when the lease is lost.
pub struct UnderWay(IntGauge);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// Registers them.
    ///
    /// # Errors
    /// One of the names is taken.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str, labels: &[&str]| {
            keep(registry, IntCounterVec::new(Opts::new(name, help), labels)?)
        };
        let gauge =
            |name: &str, help: &str, labels: &[&str]| keep(registry, IntGaugeVec::new(Opts::new(name, help), labels)?);
        let histogram = |name: &str, help: &str, bounds: &[f64], labels: &[&str]| {
            keep(registry, HistogramVec::new(HistogramOpts::new(name, help).buckets(bounds.to_vec()), labels)?)
        };
        let one = ["namespace", "name"];
        let tasks = IntCounter::new("loadtest_tasks_total", "Tasks that the clients counted in judged rows.")?;
        let left = "Workloads of runs that are over which could not be put back yet.";
        Ok(Self {
            reconciles: counter(
                "controller_runtime_reconcile_total",
                "Passes over a LoadTest.",
                &["controller", "result"],
            )?,
            errors: counter("controller_runtime_reconcile_errors_total", "Passes that broke off.", &["controller"])?,
            seconds: histogram(
                "controller_runtime_reconcile_time_seconds",
                "Length of a pass.",
                SECONDS,
                &["controller"],
            )?,
            active: gauge("controller_runtime_active_workers", "Passes under way.", &["controller"])?,
            calls: counter("rest_client_requests_total", "Calls of the Kubernetes API.", &["code", "method"])?,
            leads: gauge("leader_election_master_status", "1 while this process works, 0 while it waits.", &["name"])?,
            tests: gauge("loadtest_tests", "LoadTests by phase.", &["phase"])?,
            row: gauge("loadtest_run_row", "Row that a running test is in; 0 before the first.", &one)?,
            rows_planned: gauge("loadtest_run_rows", "Rows that a running test has in all.", &one)?,
            runs: counter("loadtest_runs_total", "Runs that came to their end.", &["verdict", "reason"])?,
            rows: counter("loadtest_rows_total", "Rows that were judged.", &["verdict"])?,
            requests: counter("loadtest_requests_total", "Counted requests of judged rows.", &["outcome"])?,
            tasks: keep(registry, tasks)?,
            run_seconds: histogram(
                "loadtest_run_seconds",
                "Length of a run, with waiting and putting back.",
                RUN_SECONDS,
                &["verdict"],
            )?,
            claims_left: keep(registry, IntGauge::new("loadtest_claims_left", left)?)?,
        })
    }

    /// A pass began; it is under way until what this gives is dropped.
    pub fn began(&self) -> UnderWay {
        let active = self.active.with_label_values(&[CONTROLLER]);
        active.inc();
        UnderWay(active)
    }

    /// A pass ended.
    pub fn ended(&self, how: Ended, took: Duration) {
        let result = match how {
            Ended::Success => "success",
            Ended::RequeueAfter => "requeue_after",
            Ended::Error => "error",
        };
        self.reconciles.with_label_values(&[CONTROLLER, result]).inc();
        self.seconds.with_label_values(&[CONTROLLER]).observe(took.as_secs_f64());
        if how == Ended::Error {
            self.errors.with_label_values(&[CONTROLLER]).inc();
        }
    }

    /// A call of the Kubernetes API was answered; `code` is its status, or `error`.
    pub fn called(&self, code: &str, method: &str) {
        self.calls.with_label_values(&[code, method]).inc();
    }

    /// Whether this process works or waits for the lease of that name.
    pub fn leads(&self, lease: &str, leads: bool) {
        self.leads.with_label_values(&[lease]).set(leads.into());
    }

    /// So many workloads of runs that are over could not be put back.
    pub fn claims_left(&self, number: usize) {
        self.claims_left.set(i64::try_from(number).unwrap_or(i64::MAX));
    }

    /// A change was recorded, and this is the status since.
    pub fn recorded(&self, change: &Change, status: &LoadTestStatus) {
        if let Change::Finish | Change::Refuse(_) = change {
            self.finished(status);
            // Verdicts of rows are final now, late figures in them.
            status.results.iter().for_each(|row| self.judged(row));
        }
    }

    fn judged(&self, row: &Row) {
        if let Some(verdict) = row.verdict {
            self.rows.with_label_values(&[&format!("{verdict:?}")]).inc();
        }
        self.tasks.inc_by(number(row.tasks));
        for requests in row.loads.iter().filter_map(|load| load.requests.as_ref()) {
            for (outcome, count) in [("ok", requests.ok), ("failed", requests.failed), ("capped", requests.capped)] {
                self.requests.with_label_values(&[outcome]).inc_by(number(count));
            }
        }
    }

    fn finished(&self, status: &LoadTestStatus) {
        let Some(verdict) = status.verdict.map(|verdict| format!("{verdict:?}")) else { return };
        let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready");
        let reason = ready.map_or("", |condition| &condition.reason);
        self.runs.with_label_values(&[verdict.as_str(), reason]).inc();
        let run = status.run.as_ref();
        if let (Some(start), Some(end)) =
            (run.and_then(|run| run.started_at.as_ref()), run.and_then(|run| run.finished_at.as_ref()))
        {
            let seconds = Duration::from_millis(u64::try_from(end.as_millis() - start.as_millis()).unwrap_or(0));
            self.run_seconds.with_label_values(&[verdict.as_str()]).observe(seconds.as_secs_f64());
        }
    }

    /// Where all tests stand: their phase, and of running ones namespace, name, row and rows.
    pub fn stand<'a>(&self, tests: impl Iterator<Item = (Phase, Option<Running<'a>>)>) {
        self.row.reset();
        self.rows_planned.reset();
        let mut counts = PHASES.map(|phase| (phase, 0));
        for (phase, running) in tests {
            counts.iter_mut().filter(|(of, _)| *of == phase).for_each(|(_, count)| *count += 1);
            if let Some(run) = running {
                let labels = [run.namespace, run.name];
                self.row.with_label_values(&labels).set(run.row.into());
                self.rows_planned.with_label_values(&labels).set(run.rows.into());
            }
        }
        for (phase, count) in counts {
            self.tests.with_label_values(&[&format!("{phase:?}")]).set(count);
        }
    }
}

/// A test that runs.
#[derive(Clone, Copy, Debug)]
pub struct Running<'a> {
    pub namespace: &'a str,
    pub name: &'a str,
    /// 0: before the first.
    pub row: i32,
    pub rows: i32,
}

fn keep<C: Collector + Clone + 'static>(registry: &Registry, metric: C) -> prometheus::Result<C> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn number(count: Option<Count>) -> u64 {
    count.and_then(|count| u64::try_from(count.0).ok()).unwrap_or(0)
}
