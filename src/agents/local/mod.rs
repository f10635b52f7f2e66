//! A whole test in one process, without a cluster: what the pods do, one row after the other, judged as in a cluster.

mod acts;
mod mapping;
mod progress;
mod reduce;
mod row;
mod samples;
mod settle;

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use jiff::Timestamp;

pub use mapping::{Mapping, map_urls};
pub use progress::Progress;
pub use reduce::{NotApplied, StandIns, without_cluster};

use self::acts::Act;
use self::row::{Fired, fire_row};
use self::samples::Samples;
use self::settle::{drain, quiet};
use crate::agents::refusal::Refusal;
use crate::api::{LimitSource, Reason, Row, Verdict, When};
use crate::engine::Stop;
use crate::plan::{
    Ended as EndedInput, GeneratorInput, PartContent, PartInput, Plan, PlannedRow, RunIdentity, generator_input,
    observer_input,
};
use crate::results::figures::drain::drained_at;
use crate::results::figures::server::restarted;
use crate::results::judged::verdict::{EarlyEnd, Outcome, TestInput, outcome};
use crate::results::row::{collected, completed, merged_loads, warmup_tasks, with_late_figures};
use crate::results::row_input::{CollectInput, CompleteInput, Fact, LateInput};
use crate::results::shown::course::course;
use crate::results::shown::detail::RowDetail;

/// A test to run here.
pub struct LocalTest<'a> {
    /// Of a spec that needs no cluster ([`without_cluster`]).
    pub plan: &'a Plan,
    pub run: RunIdentity,
    /// Values of secrets by the names that the plan gives them ([`crate::plan::var_env`]). Never shown.
    pub environment: HashMap<String, String>,
    /// File with the CA certificates to trust for every load and measurement with https, also in place of those of ConfigMaps.
    pub ca_file: Option<String>,
    /// Files that stand in for keys of ConfigMaps to upload, `NAME/KEY` and path.
    pub files: Vec<(String, String)>,
}

/// What there is to tell while it runs.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A row begins.
    Row(&'a PlannedRow),
    /// It is under load; twice a second.
    Loading(&'a Progress),
    /// Its load has ended.
    Loaded,
    /// What is waited for, a sentence.
    Waiting(&'a str),
    /// A row is done.
    Done(&'a Row),
}

/// What a test came to.
pub struct Ended {
    pub rows: Vec<Row>,
    pub outcome: Outcome,
    /// Most connections of the database, and where that is known from.
    pub connection_limit: Option<(i32, LimitSource)>,
    /// All that was measured, by number of the row.
    pub details: BTreeMap<i32, RowDetail>,
    pub early: Option<EarlyEnd>,
}

/// Runs every row in order; `stop` ends the load in progress and starts no other row. `tell` is told what happens.
pub async fn run(test: &LocalTest<'_>, stop: &Stop, tell: &mut impl FnMut(Event<'_>)) -> Ended {
    let total = test.plan.spec.deadlines.clone().unwrap_or_default().total_seconds;
    let total = Duration::from_secs(u64::try_from(total).unwrap_or(0));
    let mut running = Running {
        test,
        end: Instant::now() + total,
        samples: Samples::default(),
        rows: vec![],
        details: BTreeMap::new(),
    };
    let early = running.all(stop, tell).await.err();
    let mut ended = running.ended(early);
    let verdict = match ended.outcome.verdict {
        Verdict::Passed => "Passed",
        Verdict::Failed => "Failed",
        Verdict::Invalid => "Invalid",
        Verdict::Aborted => "Aborted",
    };
    let said = EndedInput { verdict: verdict.into(), message: ended.outcome.message.clone() };
    for problem in
        acts::at(test, When::AfterRun, None, Some(&said), tell).await.into_iter().filter_map(|act| act.problem)
    {
        // It changes no verdict, and is said.
        ended.outcome.message = format!("{}; {problem}", ended.outcome.message.trim_end_matches('.'));
    }
    ended
}

struct Running<'a> {
    test: &'a LocalTest<'a>,
    /// The whole run is over by then.
    end: Instant,
    samples: Samples,
    rows: Vec<Row>,
    details: BTreeMap<i32, RowDetail>,
}

impl Running<'_> {
    async fn all(&mut self, stop: &Stop, tell: &mut impl FnMut(Event<'_>)) -> Result<(), EarlyEnd> {
        let plan = self.test.plan;
        if let Some(mut input) = observer_input(plan, &self.test.run) {
            let http = input.measurements.iter_mut().filter_map(|m| m.tls_mut());
            http.for_each(|tls| tls.ca_file.clone_from(&self.test.ca_file));
            self.samples = Samples::start(&input, &self.test.environment).map_err(early)?;
        }
        acts::all_done(&acts::at(self.test, When::BeforeRun, None, None, tell).await)?;
        drain(&plan.spec, &self.samples, Timestamp::now().as_millisecond(), self.end, stop, tell).await?;
        for planned in &plan.rows {
            self.row(planned, stop, tell).await?;
        }
        Ok(())
    }

    async fn row(
        &mut self,
        planned: &PlannedRow,
        stop: &Stop,
        tell: &mut impl FnMut(Event<'_>),
    ) -> Result<(), EarlyEnd> {
        if Instant::now() >= self.end {
            let message = "The whole run may take no longer (spec.deadlines.totalSeconds).".into();
            return Err(EarlyEnd { reason: Reason::DeadlineExceeded, message });
        }
        tell(Event::Row(planned));
        let plan = self.test.plan;
        let mut done = acts::at(self.test, When::BeforeRow, Some(planned), None, tell).await;
        acts::all_done(&done)?;
        let env = self.test.environment.clone().into_iter().collect();
        let bounds = (plan.rows.len(), self.end);
        let fired = fire_row(&self.input(planned), &env, bounds, &self.samples, stop, tell).await.map_err(early)?;
        let first = collected(&CollectInput {
            planned,
            start_at_ms: Some(fired.start_ms),
            outcomes: &fired.outcomes,
            actions: &[],
            targets: &[],
            facts: &[],
        });
        if !stop.is_requested() {
            done.extend(acts::at(self.test, When::AfterLoad, Some(planned), None, tell).await);
        }
        // However the wait ends, what the row found is kept.
        let waited = self.settle(planned, &first, stop, tell).await;
        let ended_at_ms = Timestamp::now().as_millisecond();
        self.samples.caught_up().await;
        if waited.is_ok() {
            done.extend(acts::at(self.test, When::AfterRow, Some(planned), None, tell).await);
        }
        self.complete(planned, first, (&fired, &done), ended_at_ms, tell);
        waited
    }

    async fn settle(
        &self,
        planned: &PlannedRow,
        row: &Row,
        stop: &Stop,
        tell: &mut impl FnMut(Event<'_>),
    ) -> Result<(), EarlyEnd> {
        let (spec, rows) = (&self.test.plan.spec, &self.test.plan.rows);
        let from = row.load_ended_at.map_or_else(|| Timestamp::now().as_millisecond(), |at| at.as_millis());
        drain(spec, &self.samples, from, self.end, stop, tell).await?;
        let last = rows.last().is_some_and(|last| last.number == planned.number);
        quiet(spec, last, &self.samples, stop, tell).await
    }

    /// The row's figures and verdict, and its details.
    fn complete(
        &mut self,
        planned: &PlannedRow,
        first: Row,
        (fired, acts): (&Fired, &[Act]),
        ended_at_ms: i64,
        tell: &mut impl FnMut(Event<'_>),
    ) {
        let spec = &self.test.plan.spec;
        let loads = merged_loads(planned, &fired.outcomes);
        let warmup_tasks = warmup_tasks(planned, &loads);
        let samples = self.samples.since(fired.start_ms - 2_000);
        let drained_at_ms = first.load_ended_at.and_then(|end| drained_at(spec, end.as_millis(), &samples));
        let mut facts: Vec<Fact> = acts::facts(acts);
        facts.extend(restarted(self.samples.facts().as_ref(), fired.start_ms, ended_at_ms));
        let input = CompleteInput {
            spec,
            planned,
            samples: &samples,
            logs: &[],
            connection_limit: self.connection_limit().map(|(limit, _)| limit),
            warmup_tasks,
            drained_at_ms,
            ended_at_ms,
            facts: &facts,
        };
        let mut done = with_late_figures(completed(first, &input), &LateInput { spec, series: &[] });
        done.actions = acts::figures(planned, acts);
        tell(Event::Done(&done));
        let detail = RowDetail::new(done.clone(), &loads, &fired.outcomes, warmup_tasks);
        let (course, statements) = (course(&done, &samples, &[]), self.samples.statements(done.row));
        self.details.insert(done.row, RowDetail { course, statements, ..detail });
        self.rows.push(done);
    }

    fn input(&self, planned: &PlannedRow) -> GeneratorInput {
        let mut input = generator_input(self.test.plan, planned, &self.test.run);
        for load in &mut input.loads {
            load.tls.ca_file.clone_from(&self.test.ca_file);
            load.steps.iter_mut().flat_map(|step| &mut step.upload).for_each(|part| self.stand_in_file(part));
        }
        input
    }

    fn stand_in_file(&self, part: &mut PartInput) {
        if let PartContent::File(file) = &mut part.content {
            let given = self.test.files.iter().rev().find(|(key, _)| file.ends_with(&format!("/{key}")));
            given.iter().for_each(|(_, path)| file.clone_from(path));
        }
    }

    fn connection_limit(&self) -> Option<(i32, LimitSource)> {
        let written = self.test.plan.spec.database.as_ref().and_then(|database| database.max_connections);
        let asked = || Some((self.samples.facts()?.max_connections?, LimitSource::PostgreSql));
        written.map(|limit| (limit, LimitSource::Spec)).or_else(asked)
    }

    fn ended(self, early: Option<EarlyEnd>) -> Ended {
        let plan = self.test.plan;
        let outcome = outcome(&TestInput {
            spec: &plan.spec,
            planned_rows: plan.rows.len(),
            rows: &self.rows,
            database: &[],
            series: &[],
            early: early.as_ref(),
        });
        let connection_limit = self.connection_limit();
        Ended { rows: self.rows, outcome, connection_limit, details: self.details, early }
    }
}

fn early(refusal: Refusal) -> EarlyEnd {
    EarlyEnd { reason: refusal.reason, message: refusal.message }
}

/// The end of a test that was stopped by hand.
fn stopped() -> EarlyEnd {
    EarlyEnd { reason: Reason::Cancelled, message: "The test was stopped before its end.".into() }
}

#[cfg(test)]
mod lies_tests;
#[cfg(test)]
mod sql_tests;
