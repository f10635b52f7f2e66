//! The worker: claims one task after the other, works on it, marks it done.

use std::time::Duration;

use crate::database::{Claimed, QueryError, Queue};
use crate::shutdown::{Stop, requested};

/// Time between two looks at an empty queue.
const IDLE: Duration = Duration::from_millis(100);
/// Time between two heartbeats.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Configuration of a worker.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// postgres://USER:PASSWORD@HOST:PORT/DATABASE
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// Seconds to wait for the database at the start.
    #[arg(long, env = "DATABASE_WAIT_SECONDS", default_value_t = 120)]
    pub database_wait_seconds: u64,
    /// Milliseconds of work for each task.
    #[arg(long, env = "WORK_MS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(..=30_000))]
    pub work_ms: u64,
    /// Name of this worker; the pod's name in Kubernetes.
    #[arg(long, env = "HOSTNAME", default_value = "worker")]
    pub name: String,
}

/// Works until asked to end; the task in progress is finished first.
///
/// # Errors
/// When the database is not there at the start. Later losses are logged and waited out.
pub async fn run(options: Options, mut stop: Stop) -> Result<(), crate::Error> {
    let queue = Queue::new(&options.database_url, 2)?;
    queue.prepare(Duration::from_secs(options.database_wait_seconds)).await?;
    tracing::info!("worker {} starts, {} ms a task", options.name, options.work_ms);
    let heart = tokio::spawn(beat(queue.clone(), options.name.clone()));
    let mut was_lost = false;
    while !*stop.borrow() {
        let pause = match work(&queue, Duration::from_millis(options.work_ms)).await {
            Ok(true) => None,
            Ok(false) => Some(IDLE),
            Err(error) => {
                if !was_lost {
                    tracing::error!("task failed: {error}"); // once for each loss, not ten times a second
                }
                was_lost = true;
                Some(Duration::from_secs(1))
            }
        };
        if let Some(pause) = pause {
            was_lost &= pause != IDLE;
            tokio::select! { () = tokio::time::sleep(pause) => (), () = requested(&mut stop) => () }
        } else {
            was_lost = false;
        }
    }
    heart.abort();
    if let Err(error) = queue.sign_off(&options.name).await {
        tracing::warn!("could not sign off: {error}");
    }
    Ok(())
}

/// Works on one task; false when none was waiting.
async fn work(queue: &Queue, effort: Duration) -> Result<bool, QueryError> {
    let Some(task) = queue.claim().await? else {
        return Ok(false);
    };
    tokio::time::sleep(effort).await;
    queue.finish(task.id, outcome(&task)).await?;
    Ok(true)
}

/// A task whose payload says `"fail": true` fails, so that the demo can show failing tasks.
fn outcome(task: &Claimed) -> &'static str {
    if task.payload.pointer("/task/fail").and_then(serde_json::Value::as_bool) == Some(true) {
        tracing::error!("task {} failed: its payload asks for it", task.id);
        return "failed";
    }
    "done"
}

async fn beat(queue: Queue, name: String) {
    let mut clock = tokio::time::interval(HEARTBEAT);
    loop {
        clock.tick().await;
        match queue.heartbeat(&name).await {
            Ok(0) => (),
            Ok(tasks) => tracing::warn!("{tasks} abandoned tasks are waiting again"),
            Err(error) => tracing::warn!("no heartbeat: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_task_fails_only_when_its_payload_says_so() {
        let task = |payload| Claimed { id: 1, payload };
        assert_eq!(outcome(&task(json!({"task": {"fail": true}}))), "failed");
        assert_eq!(outcome(&task(json!({"task": {"fail": false}}))), "done");
        assert_eq!(outcome(&task(json!({"task": null}))), "done");
    }
}
