//! A test that earns its Passed; the tests spoil it.

use serde_json::json;

use crate::api::{LoadTestSpec, Row, Setting, TargetFigures, Threshold};
use crate::plan::{PROTOCOL_VERSION, Plan, PlannedRow};

use super::figures::measurements::LogCount;
use super::gathered::collect::{GeneratorOutcome, GeneratorReport};
use super::gathered::histogram;
use super::gathered::record::{Counts, Header, LoadRecord};
use super::gathered::sample::{PostgresSample, Sample};
use super::gathered::series::{MINUTE_MS, Point, Series};
use super::judged::verdict::{EarlyEnd, Outcome, TestInput, outcome, whole_test_figures};
use super::row::{collected, completed, with_late_figures};
use super::row_input::{CollectInput, CompleteInput, Fact, LateInput};

/// The granted start, a whole minute.
pub const START: i64 = 20 * MINUTE_MS;

/// One row of one load (10 requests a second, shared by two generators) and all that is known about it.
#[derive(Clone)]
pub struct Scene {
    pub spec: LoadTestSpec,
    pub planned: PlannedRow,
    pub outcomes: Vec<(u32, GeneratorOutcome)>,
    pub targets: Vec<TargetFigures>,
    pub facts: Vec<Fact>,
    pub later_facts: Vec<Fact>,
    pub samples: Vec<Sample>,
    pub logs: Vec<LogCount>,
    pub warmup_tasks: Option<u64>,
    pub drained_at_ms: Option<i64>,
    /// Settle time over, milliseconds since the epoch.
    pub settled_ms: i64,
    pub series: Vec<Series>,
    pub early: Option<EarlyEnd>,
    pub seconds: i64,
}

/// Good in every respect, for so many seconds.
pub fn good(seconds: i64) -> Scene {
    let spec: LoadTestSpec = serde_json::from_value(json!({
        "loads": [{"name": "ingest", "url": "http://api:8000", "rate": 10, "durationSeconds": seconds, "generators": 2,
            "steps": [{"name": "post", "path": "/tasks", "timeoutSeconds": 60, "tasks": {"perResponse": 1}}]}],
        "targets": [{"name": "api", "workloadRef": {"name": "api"}}],
        "database": {"rds": {"instance": "db"}, "postgres": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}},
        "measurements": [
            {"name": "created", "sql": "select count(*) from tasks where created >= $(row.start)", "intervalSeconds": 1},
            {"name": "pending", "sql": "select count(*) from tasks where state = 'waiting'", "intervalSeconds": 1},
            {"name": "timeouts", "log": {"target": "api", "regex": "TIMEOUT"}},
        ],
        "settle": {"seconds": 10, "until": {"measurement": "pending"}},
        "tasksCheck": {"measurement": "created"},
    }))
    .expect("a spec");
    let planned = PlannedRow {
        number: 1,
        point: 1,
        set: vec![Setting { name: "ingest.rate".into(), value: "10".into() }],
        loads: spec.loads.clone(),
        targets: spec.targets.clone(),
        variables: Default::default(),
        actions: spec.actions.clone(),
    };
    let target = json!({"name": "api", "replicas": 1, "cpu": "1", "memory": "256Mi", "restarts": 0, "oomKills": 0});
    let end = START + seconds * 1000;
    Scene {
        outcomes: (0..2).map(|i| (i, report(i, share(5 * seconds as u64, end)))).collect(),
        targets: vec![serde_json::from_value(target).expect("figures of a target")],
        facts: Vec::new(),
        later_facts: Vec::new(),
        samples: (-2..=seconds + 10).map(|s| sample(s, seconds)).collect(),
        logs: vec![LogCount { name: "timeouts".into(), count: Some(0), problem: None }],
        warmup_tasks: Some(0),
        drained_at_ms: Some(end + 2_500),
        settled_ms: end + 10_000,
        series: vec![cpu(0..seconds / 60 + 2)],
        early: None,
        spec,
        planned,
        seconds,
    }
}

/// So many good answers of 20 ms, sent 1 ms late.
pub fn share(n: u64, end_ms: i64) -> LoadRecord {
    let times = |micros| {
        let mut times = histogram::empty();
        (0..n).for_each(|_| histogram::record(&mut times, micros));
        histogram::encode(&times)
    };
    LoadRecord {
        name: "ingest".into(),
        counts: Counts {
            due: n,
            sent: n,
            ok: n,
            tasks: Some(n),
            warmup_tasks: Some(0),
            first_due_ms: Some(START),
            last_end_ms: Some(end_ms),
            ..Counts::default()
        },
        statuses: [(202, n)].into(),
        latency: times(20_000),
        service: times(19_000),
        lateness: times(1_000),
        ..LoadRecord::default()
    }
}

pub fn report(index: u32, load: LoadRecord) -> GeneratorOutcome {
    let header = Header {
        protocol: PROTOCOL_VERSION,
        run_id: "demo-abcde-1".into(),
        row: 1,
        index,
        start_at_ms: START,
        grant_seen_after_ms: 60,
        version: "0.1.0".into(),
    };
    GeneratorOutcome::Complete(GeneratorReport { header, loads: vec![load] })
}

fn sample(second: i64, seconds: i64) -> Sample {
    let tasks = (second.clamp(0, seconds) * 10) as f64;
    Sample {
        t: START + second * 1000,
        pg: Some(PostgresSample {
            connections: 12,
            active: Some(4),
            waiting: Some(1),
            lock: Some(1),
            transactions: Some(5_000 + 20 * second),
            ..PostgresSample::default()
        }),
        m: [("created".into(), tasks), ("pending".into(), 0.0)].into(),
        ..Sample::default()
    }
}

/// 40 % in each of these minutes since the start.
pub fn cpu(minutes: std::ops::Range<i64>) -> Series {
    let point = |m| Point { start_ms: START + m * MINUTE_MS, average: 40.0, maximum: 45.0 };
    Series::of_cloudwatch("cpuPercent", minutes.map(point).collect(), None)
}

impl Scene {
    /// With a threshold, as in a manifest.
    pub fn threshold(mut self, json: serde_json::Value) -> Self {
        let threshold: Threshold = serde_json::from_value(json).expect("a threshold");
        self.spec.thresholds.push(threshold);
        self
    }

    /// The record of a generator, to be spoilt.
    pub fn load(&mut self, index: usize) -> &mut LoadRecord {
        &mut self.report(index).loads[0]
    }

    pub fn report(&mut self, index: usize) -> &mut GeneratorReport {
        match &mut self.outcomes[index].1 {
            GeneratorOutcome::Complete(report) => report,
            other => panic!("{other:?} has no report"),
        }
    }

    /// Histogram of a generator: so many of these microseconds more.
    pub fn later(&mut self, index: usize, n: u64, micros: u64) {
        let load = self.load(index);
        let mut times = histogram::empty();
        (0..load.counts.sent - n).for_each(|_| histogram::record(&mut times, 1_000));
        (0..n).for_each(|_| histogram::record(&mut times, micros));
        load.lateness = histogram::encode(&times);
    }

    /// So many of a generator's good answers failed instead, of this class and status.
    pub fn fail(&mut self, index: usize, n: u64, class: &str, status: Option<u16>) {
        let load = self.load(index);
        let good = share(load.counts.ok - n, START);
        (load.latency, load.service) = (good.latency, good.service);
        load.counts.ok -= n;
        load.counts.failed += n;
        load.counts.tasks = Some(load.counts.ok);
        load.counts.failures.insert(class.into(), n);
        *load.statuses.entry(202).or_default() -= n;
        if let Some(status) = status {
            *load.statuses.entry(status).or_default() += n;
        }
    }

    pub fn end_ms(&self) -> i64 {
        START + self.seconds * 1000
    }

    /// Stage 1 and 2, through the JSON of a status in between, as after a restart.
    pub fn row(&self) -> Row {
        let row = collected(&CollectInput {
            planned: &self.planned,
            start_at_ms: Some(START),
            outcomes: &self.outcomes,
            targets: &self.targets,
            actions: &[],
            facts: &self.facts,
        });
        let read: Row = serde_json::from_value(serde_json::to_value(&row).expect("JSON")).expect("a row");
        assert_eq!(read, row);
        let input = CompleteInput {
            spec: &self.spec,
            planned: &self.planned,
            samples: &self.samples,
            logs: &self.logs,
            connection_limit: Some(100),
            warmup_tasks: self.warmup_tasks,
            drained_at_ms: self.drained_at_ms,
            ended_at_ms: self.settled_ms,
            facts: &self.later_facts,
        };
        completed(read, &input)
    }

    /// All stages.
    pub fn judged(&self) -> (Row, Outcome) {
        let row = with_late_figures(self.row(), &LateInput { spec: &self.spec, series: &self.series });
        let rows = [row];
        let database = whole_test_figures(&rows, &self.series);
        let input = TestInput {
            spec: &self.spec,
            planned_rows: 1,
            rows: &rows,
            database: &database,
            series: &self.series,
            early: self.early.as_ref(),
        };
        let outcome = outcome(&input);
        let [row] = rows;
        (row, outcome)
    }

    pub fn plan(&self) -> Plan {
        Plan { spec: self.spec.clone(), rows: vec![self.planned.clone()], hash: "0".repeat(64) }
    }
}

/// The closed list of the database's figures, as the API's rule for thresholds has it: those of PostgreSQL, those of CloudWatch.
pub fn closed_list() -> (std::collections::BTreeSet<String>, std::collections::BTreeSet<String>) {
    let rule = crate::api::rules::METRIC;
    let list = rule.split("database[.](").nth(1).and_then(|rest| rest.split(')').next()).expect("the list");
    let late = |name: &String| super::judged::threshold::is_late(&format!("database.{name}.average"));
    list.split('|').map(str::to_owned).partition(|name| !late(name))
}
