//! Bounded waits. None of them says how long something takes; a limit only ends what would never come.

use std::time::Duration;

use serde_json::Value;

pub use crate::cluster::eventually::eventually;
use crate::space::Space;

/// Seconds that a pod, a rollout or a step may take on a busy machine.
pub const PATIENCE: u64 = 150;
/// Longest wait for the end of a test, in seconds: its total deadline and the time to put back.
pub const END: u64 = 420;

/// A pause in which something must stay as it is.
pub async fn for_a_while() {
    tokio::time::sleep(Duration::from_secs(4)).await;
}

impl Space {
    /// Waits until every workload serves with all its pods.
    pub async fn all_ready(&self) {
        eventually("the application is ready", PATIENCE, async || {
            for workload in self.workloads().await {
                let (wanted, status) = (&workload["spec"]["replicas"], &workload["status"]);
                if status["readyReplicas"] != *wanted || status["updatedReplicas"] != *wanted {
                    return Err(format!("{}: {status}", workload["metadata"]["name"]));
                }
            }
            Ok(())
        })
        .await;
    }

    /// Waits until a row is at a step; gives the LoadTest.
    pub async fn at(&self, test: &str, row: i64, step: &str) -> Value {
        eventually(&format!("{test} is at {step} of row {row}"), PATIENCE, async || {
            let object = self.test(test).await;
            let (run, phase) = (&object["status"]["run"], &object["status"]["phase"]);
            assert_ne!(
                phase, "Finished",
                "{test} ended before {step} of row {row}: {}",
                object["status"]["conditions"]
            );
            if run["row"] == row && run["step"] == step {
                return Ok(object);
            }
            Err(format!("phase {phase}, row {}, step {}", run["row"], run["step"]))
        })
        .await
    }

    /// Waits until the load of a row is being sent, and for some time has been; gives the LoadTest.
    pub async fn in_mid_row(&self, test: &str, row: i64) -> Value {
        self.at(test, row, "Loading").await;
        for_a_while().await;
        self.at(test, row, "Loading").await
    }

    /// Waits until the run `run` ended and its finalizer is gone; gives the LoadTest.
    pub async fn run_ended(&self, test: &str, run: i64) -> Value {
        eventually(&format!("run {run} of {test} ended"), END, async || {
            let object = self.test(test).await;
            let (status, metadata) = (&object["status"], &object["metadata"]);
            let over = status["phase"] == "Finished" && status["observedGeneration"] == metadata["generation"];
            let held = metadata["finalizers"].as_array().is_some_and(|held| !held.is_empty());
            if over && !held && status["run"]["id"] == run {
                return Ok(object);
            }
            Err(format!(
                "phase {}, step {}, finalizers {}",
                status["phase"], status["run"]["step"], metadata["finalizers"]
            ))
        })
        .await
    }

    /// Waits until the first run ended.
    pub async fn ended(&self, test: &str) -> Value {
        self.run_ended(test, 1).await
    }

    /// Waits until an object is gone.
    pub async fn gone(&self, resource: &str, name: &str) {
        eventually(&format!("{resource} {name} is gone"), END, async || match self.get(resource, name).await {
            None => Ok(()),
            Some(object) => Err(format!("{}", object["status"])),
        })
        .await;
    }

    /// Waits until Ready has this reason; gives its message.
    pub async fn waits_with(&self, test: &str, reason: &str) -> String {
        eventually(&format!("{test} waits with {reason}"), PATIENCE, async || {
            let object = self.test(test).await;
            let ready = crate::checks::condition(&object, "Ready");
            if ready["reason"] == reason {
                return Ok(ready["message"].as_str().unwrap_or_default().to_owned());
            }
            Err(format!("{ready}"))
        })
        .await
    }
}
