//! The observer's work inside this process: samples are kept instead of printed.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::agents::refusal::Refusal;
use crate::agents::sampling::{BEFORE_ROWS, sample};
use crate::api::Reason;
use crate::evidence::live::{Sources, resolve};
use crate::plan::{ObservedRow, ObserverInput};
use crate::results::gathered::sample::{DatabaseFacts, ObserverLine, Sample};
use crate::results::gathered::statements::Statements;

/// An answer is taken up at the next full second.
const LAST_ANSWER: Duration = Duration::from_millis(1_200);

#[derive(Default)]
struct Kept {
    row: Option<ObservedRow>,
    samples: Vec<Sample>,
    facts: Option<DatabaseFacts>,
    /// The last reading of each row, by its number.
    statements: BTreeMap<i32, Statements>,
}

/// What is sampled beside the rows; nothing when the test has nothing to sample. Ends when it is dropped.
#[derive(Default)]
pub struct Samples {
    kept: Arc<Mutex<Kept>>,
    task: Option<JoinHandle<()>>,
}

impl Drop for Samples {
    fn drop(&mut self) {
        self.task.iter().for_each(JoinHandle::abort);
    }
}

impl Samples {
    /// Starts asking; `environment` holds the secrets by their names in the plan. Any address may be asked.
    ///
    /// # Errors
    /// A source that can't be asked, with its field.
    pub fn start(input: &ObserverInput, environment: &HashMap<String, String>) -> Result<Self, Refusal> {
        let missing = |name| Refusal::new(Reason::SecretMissing, format!("{name} has no value"));
        let secrets = resolve(input, environment).map_err(missing)?;
        let mut sources = Sources::start(input, &secrets, Arc::new(|_| None))
            .map_err(|why| Refusal::new(Reason::InvalidSpec, why))?;
        let kept = Arc::new(Mutex::new(Kept { row: Some(BEFORE_ROWS), ..Kept::default() }));
        let theirs = kept.clone();
        let task = tokio::spawn(async move {
            let row = || lock(&theirs).row;
            let told = |lines: &[ObserverLine], _| {
                let mut kept = lock(&theirs);
                for line in lines {
                    match line {
                        ObserverLine::Sample(sample) => kept.samples.push(sample.clone()),
                        ObserverLine::Database(facts) => kept.facts = Some(facts.clone()),
                        ObserverLine::Statements(read) => drop(kept.statements.insert(read.row, read.clone())),
                    }
                }
                Ok(())
            };
            // It ends only by being dropped: keeping a sample refuses nothing.
            sample(&mut sources, row, told).await;
        });
        Ok(Self { kept, task: Some(task) })
    }

    /// Nothing is sampled.
    pub fn is_empty(&self) -> bool {
        self.task.is_none()
    }

    /// The row whose figures are asked from now on.
    pub fn row(&self, row: ObservedRow) {
        lock(&self.kept).row = Some(row);
    }

    /// Waits until the answers to the last questions are here.
    pub async fn caught_up(&self) {
        if self.task.is_some() {
            tokio::time::sleep(LAST_ANSWER).await;
        }
    }

    /// All samples since an instant, milliseconds since the epoch, by time.
    pub fn since(&self, from_ms: i64) -> Vec<Sample> {
        let mut samples: Vec<_> = lock(&self.kept).samples.iter().filter(|s| s.t >= from_ms).cloned().collect();
        samples.sort_by_key(|sample| sample.t);
        samples
    }

    /// The statements that added the most time over a row, as far as it was read.
    pub fn statements(&self, row: i32) -> Option<Statements> {
        lock(&self.kept).statements.get(&row).cloned()
    }

    /// What PostgreSQL said about itself.
    pub fn facts(&self) -> Option<DatabaseFacts> {
        lock(&self.kept).facts.clone()
    }
}

fn lock(kept: &Mutex<Kept>) -> std::sync::MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
