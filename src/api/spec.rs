//! The resource: what to test.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::rules;
use super::shared::*;
use super::status::LoadTestStatus;
use super::{
    action::*, column::*, database::*, judgement::*, load::*, measurement::*, pods::*, sweep::*, target::*, vars::*,
};

/// What to test.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "loadtest.dev",
    version = "v1alpha1",
    kind = "LoadTest",
    namespaced,
    status = "LoadTestStatus",
    derive = "PartialEq",
    shortname = "lt",
    category = "perf",
    doc = "LoadTest sends load to an application, sets the size of its workloads for each row of a table and puts them back, reads the database beside it, and gives one verdict.",
    selectable = ".status.phase",
    selectable = ".status.verdict",
    selectable = ".spec.runId",
    validation = rules::TEST_NAME,
    validation = rules::frozen_while_running(),
    printcolumn(name = "Verdict", type_ = "string", json_path = ".status.verdict", description = "Outcome."),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        description = "Why it waits, or how it ended."
    ),
    printcolumn(name = "Rows", type_ = "string", json_path = ".status.run.rowsDone", description = "Rows done of all."),
    printcolumn(
        name = "Rate",
        type_ = "string",
        json_path = ".status.summary.rate",
        description = "Highest rate of a valid row."
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp", description = "Age."),
    printcolumn(
        name = "Phase",
        type_ = "string",
        json_path = ".status.phase",
        description = "Where the run stands.",
        priority = 1
    ),
    printcolumn(
        name = "p99 ms",
        type_ = "string",
        json_path = ".status.summary.p99Ms",
        description = "p99 latency of that row.",
        priority = 1
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].message"#,
        description = "Message of Ready.",
        priority = 1
    ),
    printcolumn(
        name = "Run",
        type_ = "integer",
        json_path = ".status.run.id",
        description = "Number of the run.",
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::SWEEP_NAMES,
    validation = rules::MEASUREMENT_SOURCES,
    validation = rules::SETTLE_MEASUREMENT,
    validation = rules::TASKS_CHECK_MEASUREMENT,
    validation = rules::THRESHOLD_DATABASE,
    validation = rules::THRESHOLD_MEASUREMENT,
    validation = rules::THRESHOLD_LOAD,
    validation = rules::THRESHOLD_TARGET,
    validation = rules::ACTION_TARGET,
    validation = rules::ACTION_SQL
)]
pub struct LoadTestSpec {
    /// What is sent. Several run side by side, from the same instant.
    #[schemars(length(min = 1, max = 8), transform = list::by_name)]
    pub loads: Vec<Load>,

    /// The workloads under test: watched, and given a size where one is written here or in sweep; put
    /// back afterwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), transform = list::by_name)]
    pub targets: Vec<Target>,

    /// The database beside the application, read only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<Database>,

    /// Other numbers to watch: the application's own account, SQL, log lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), transform = list::by_name)]
    pub measurements: Vec<Measurement>,

    /// What changes from row to row. Each combination is one row of the table; without sweep there is
    /// one row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 6), transform = list::atomic)]
    pub sweep: Vec<Sweep>,

    /// Do the whole sweep so many times, one after the other (A B A B).
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 64))]
    pub repeats: i32,

    /// The quiet time around a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settle: Option<Settle>,

    /// Compare the tasks that the clients counted with the application's own count: the difference is
    /// tasksUnaccounted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks_check: Option<TasksCheck>,

    /// What must hold in every row for the verdict Passed. Unless one of them is about requests.failed
    /// or requests.failedPercent, no request may fail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), transform = list::atomic)]
    pub thresholds: Vec<Threshold>,

    /// The longest each part may take. Then everything is put back and the verdict is Invalid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadlines: Option<Deadlines>,

    /// The pods that send and measure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pods: Option<Pods>,

    /// Values to use as $(vars.NAME) in paths, headers, bodies and URLs; the place for secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), transform = list::by_name)]
    pub vars: Vec<Var>,

    /// What else is done to the targets, and when: faults, restarts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), transform = list::by_name)]
    pub actions: Vec<Action>,

    /// Columns of the table and the CSV, instead of the usual ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), transform = list::by_title)]
    pub columns: Vec<Column>,

    /// Makes random choices, such as random bodies, the same in every run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 2_147_483_647))]
    pub seed: Option<i32>,

    /// Delete this object so long after it finished; absent: never. Not for objects that a GitOps tool re-creates: that
    /// would run the test again. Its results go with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub ttl_seconds_after_finished: Option<i32>,

    /// Any label, for example a git commit. Changing it starts a new run of the same test.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"))]
    pub run_id: Option<String>,

    /// True: check the test and show its plan, but do not start. No effect on a run in progress.
    #[serde(default)]
    pub suspend: bool,

    /// True: stop the run in progress, put everything back, keep the rows that are done; start no other.
    #[serde(default)]
    pub cancel: bool,
}

fn one() -> i32 {
    1
}
