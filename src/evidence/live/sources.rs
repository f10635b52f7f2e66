//! All live sources of a test, asked together once a second, each at its own pace.
//!
//! Each source has a task of its own, so that one that is slow holds up no other; what it is asked while it still works
//! is left out. An answer carries the instant it was asked at.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;

use super::connect::{Lost, Server};
use super::http::{AddressCheck, HttpSource};
use super::pages::durations;
use super::postgres::PostgresSource;
use super::secrets::Secrets;
use super::sessions::OWN;
use super::sql::SqlSource;
use super::values::Values;
use super::work::{Timing, Work};
use crate::plan::{MeasurementSource, ObservedRow, ObserverInput};
use crate::results::gathered::durations::DurationsRecord;
use crate::results::gathered::sample::{DatabaseFacts, ObserverLine, PostgresSample, Sample};
use crate::results::gathered::statements::Statements;

/// A fresh connection is tried so often.
const PROBE_EVERY: Duration = Duration::from_secs(5);
/// A row is sampled each second in its first hour, each two seconds in its second, and so on.
const HOUR_MS: i64 = 3_600_000;

/// What one source said.
struct Answer {
    /// Instant it was asked at, milliseconds since the epoch.
    t: i64,
    facts: Option<DatabaseFacts>,
    statements: Option<Statements>,
    part: Sample,
}

/// What a measurement says at once.
enum Reading {
    Number(f64),
    Times(DurationsRecord),
}

/// What a source is asked.
struct Question {
    /// Milliseconds since the epoch.
    t: i64,
    row: ObservedRow,
    values: Values,
}

/// One source's end of the wire.
struct Asked {
    sender: Sender<Question>,
    /// Texts whose variables must have values.
    texts: Vec<String>,
    /// Milliseconds between two questions; 0: as often as the row is sampled.
    interval_ms: i64,
    last_ms: Option<i64>,
    /// It is asked when a row's work is over.
    timing: Option<Timing>,
}

/// The sources of one test.
pub struct Sources {
    run: Values,
    /// Variables that rows give another value.
    swept: BTreeMap<i32, BTreeMap<String, String>>,
    asked: Vec<Asked>,
    work: Work,
    answers: Receiver<Answer>,
    tasks: JoinSet<()>,
}

impl Sources {
    /// Starts a task for each source of the plan; nothing is asked yet. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// A URL or CA file that cannot be used, with the field it belongs to.
    pub fn start(input: &ObserverInput, secrets: &Secrets, denied: AddressCheck) -> Result<Self, String> {
        let (answer, answers) = channel(256);
        let run = Values::of_run(&input.run_id, input.run_start_ms, &secrets.vars);
        let (swept, work) = (input.swept.clone(), Work::new(input.until.clone()));
        let mut sources = Self { run, swept, asked: vec![], work, answers, tasks: JoinSet::new() };
        let url = secrets.postgres_url.as_deref().map(Server::from_url).transpose();
        let server = url.map_err(|lost| format!("database.postgres.urlFrom: {lost}"))?;
        if let (Some(postgres), Some(server)) = (&input.postgres, &server) {
            sources.add_postgres(server.clone(), postgres.slow_query_milliseconds, answer.clone());
        }
        let sql = server.map(|server| Arc::new(tokio::sync::Mutex::new(SqlSource::new(server))));
        for measurement in &input.measurements {
            let (name, interval) = (&measurement.name, i64::from(measurement.interval_seconds) * 1000);
            let field = |why| format!("measurements[{name}]: {why}");
            let http = HttpSource::new(&measurement.source, denied.clone()).map_err(field)?;
            if let Some(http) = http {
                let timing = http.durations().map(|_| Timing::new(name));
                let (texts, http) = (http.texts().map(str::to_owned).collect(), Arc::new(http));
                let ask = move |values: Values| {
                    let http = http.clone();
                    async move {
                        match http.durations() {
                            Some(of) => durations(&http, of, &values).await.map(Reading::Times),
                            None => http.ask(&values).await.map(Reading::Number),
                        }
                    }
                };
                let asked = |sender| Asked { sender, texts, interval_ms: interval, last_ms: None, timing };
                sources.add_measurement(name, asked, answer.clone(), ask);
            } else if let MeasurementSource::Sql { statement } = &measurement.source {
                let sql = sql.clone().ok_or_else(|| field("sql needs database.postgres".to_owned()))?;
                let text = statement.clone();
                let ask = move |values: Values| {
                    let (sql, text) = (sql.clone(), text.clone());
                    async move {
                        let number = sql.lock().await.ask(&text, &values).await;
                        number.map(Reading::Number).map_err(|lost| lost.text)
                    }
                };
                let texts = vec![statement.clone()];
                let asked = |sender| Asked { sender, texts, interval_ms: interval, last_ms: None, timing: None };
                sources.add_measurement(name, asked, answer.clone(), ask);
            }
        }
        Ok(sources)
    }

    /// Asks every source that is due at `t` (milliseconds since the epoch) and whose variables are known. Answers come
    /// in their own time, see [`Self::answered`]. Returns how many were asked.
    pub fn ask(&mut self, t: i64, row: &ObservedRow) -> usize {
        let values = self.run.in_row(row, self.swept.get(&row.row));
        let step = sample_step_ms(row, t);
        self.work.of_row(row);
        let mut count = 0;
        for source in &mut self.asked {
            if source.timing.as_ref().is_some_and(|timing| !timing.is_due(&self.work)) {
                continue;
            }
            let interval = if source.interval_ms == 0 { step } else { source.interval_ms };
            // Half a second of grace: ticks are never exactly a second apart.
            let due = source.last_ms.is_none_or(|last| t - last >= interval - 500);
            if due && source.texts.iter().all(|text| values.missing(text).is_none()) {
                source.last_ms = Some(t);
                let sent = source.sender.try_send(Question { t, row: *row, values: values.clone() }).is_ok();
                source.timing.iter_mut().for_each(|timing| timing.under_way |= sent);
                count += usize::from(sent);
            }
        }
        count
    }

    /// What has been answered since the last call: what the database is, one sample for each instant that was asked at,
    /// oldest first, and the statements of the row.
    pub fn answered(&mut self) -> Vec<ObserverLine> {
        let (mut facts, mut statements) = (None, None);
        let mut samples = BTreeMap::<i64, Sample>::new();
        while let Ok(answer) = self.answers.try_recv() {
            facts = answer.facts.or(facts);
            statements = answer.statements.or(statements);
            self.work.saw(&answer.part);
            self.asked
                .iter_mut()
                .filter_map(|asked| asked.timing.as_mut())
                .for_each(|t| t.saw(&answer.part, &self.work));
            let sample = samples.entry(answer.t).or_insert_with(|| Sample { t: answer.t, ..Sample::default() });
            sample.pg = answer.part.pg.or(sample.pg.take());
            sample.m.extend(answer.part.m);
            sample.d.extend(answer.part.d);
            sample.lost.extend(answer.part.lost);
        }
        let samples = samples.into_values().map(ObserverLine::Sample);
        let first = facts.map(ObserverLine::Database).into_iter();
        first.chain(samples).chain(statements.map(ObserverLine::Statements)).collect()
    }

    fn add_postgres(&mut self, server: Server, slow_ms: u32, answer: Sender<Answer>) {
        let fresh = Arc::new(Mutex::new(Fresh::default()));
        self.tasks.spawn(probe(server.clone(), fresh.clone()));
        let (sender, mut questions) = channel::<Question>(1);
        self.asked.push(Asked { sender, texts: vec![], interval_ms: 0, last_ms: None, timing: None });
        let mut source = PostgresSource::new(server, slow_ms);
        self.tasks.spawn(async move {
            while let Some(Question { t, row, .. }) = questions.recv().await {
                let seen = source.ask(t, &row).await;
                let mut part = Sample { t, ..Sample::default() };
                {
                    let mut fresh = fresh.lock().unwrap_or_else(PoisonError::into_inner);
                    fresh.refused += seen.refused;
                    part.pg = seen.sample.map(|pg| {
                        // Kept for the next sample while there is none: a refusal must not get lost with it.
                        let Fresh { connect_ms, refused } = std::mem::take(&mut *fresh);
                        PostgresSample { connect_ms, refused, ..pg }
                    });
                }
                part.lost.extend(seen.lost.map(|why| ("postgres".to_owned(), why)));
                if answer.send(Answer { t, facts: seen.facts, statements: seen.statements, part }).await.is_err() {
                    return;
                }
            }
        });
    }

    fn add_measurement<A, F>(
        &mut self,
        name: &str,
        asked: impl FnOnce(Sender<Question>) -> Asked,
        answer: Sender<Answer>,
        ask: A,
    ) where
        A: Fn(Values) -> F + Send + 'static,
        F: Future<Output = Result<Reading, String>> + Send,
    {
        let (sender, mut questions) = channel::<Question>(1);
        self.asked.push(asked(sender));
        let name = name.to_owned();
        self.tasks.spawn(async move {
            while let Some(Question { t, values, .. }) = questions.recv().await {
                let mut part = Sample { t, ..Sample::default() };
                match ask(values).await {
                    Ok(Reading::Number(number)) => drop(part.m.insert(name.clone(), number)),
                    Ok(Reading::Times(times)) => drop(part.d.insert(name.clone(), times)),
                    Err(why) => drop(part.lost.insert(name.clone(), why)),
                }
                if answer.send(Answer { t, facts: None, statements: None, part }).await.is_err() {
                    return;
                }
            }
        });
    }
}

/// What fresh connections brought since the last sample.
#[derive(Default)]
struct Fresh {
    connect_ms: Option<f64>,
    refused: u32,
}

/// Opens a fresh connection every [`PROBE_EVERY`].
async fn probe(server: Server, fresh: Arc<Mutex<Fresh>>) {
    let mut ticks = tokio::time::interval(PROBE_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let tried = server.probe(&format!("{OWN}-connect")).await;
        let mut fresh = fresh.lock().unwrap_or_else(PoisonError::into_inner);
        match tried {
            Ok(took) => fresh.connect_ms = Some(took),
            Err(Lost { refused, .. }) => fresh.refused += u32::from(refused),
        }
    }
}

/// Milliseconds between two samples of PostgreSQL at `t`: a second, and one more for each hour of the load, or of the time since
/// its end, which is never coarser than one sample a second for each hour of the whole row.
pub fn sample_step_ms(row: &ObservedRow, t: i64) -> i64 {
    let since = row.end_ms.filter(|end| t > *end).or(row.start_ms);
    1000 * (1 + since.map_or(0, |since| (t - since).max(0) / HOUR_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_sampled_each_second_and_less_often_when_it_is_hours_old() {
        let row = ObservedRow { row: 1, start_ms: Some(0), end_ms: None };
        assert_eq!(sample_step_ms(&row, HOUR_MS - 1), 1000);
        assert_eq!(sample_step_ms(&row, 2 * HOUR_MS + 1), 3000);
        assert_eq!(sample_step_ms(&ObservedRow { start_ms: None, ..row }, 9 * HOUR_MS), 1000);
        let ended = ObservedRow { end_ms: Some(HOUR_MS), ..row };
        assert_eq!(sample_step_ms(&ended, HOUR_MS + 1), 1000, "the end of a short settle time counts");
        assert_eq!(sample_step_ms(&ended, 4 * HOUR_MS + 1), 4000, "a backlog may take hours");
    }
}
