//! PURE: from the plan to Kubernetes objects and patches; one file a kind.

mod act_job;
mod claim;
mod config_map;
mod generator_job;
mod names;
mod observer_job;
mod pod;
mod size;
mod target_patch;

pub use act_job::{ACT, CRON_JOB, act_job, copied_job, release_job_patch};
pub use claim::{CLAIM, Claim, RESTARTED_AT};
pub use config_map::{act_config_map, plan_config_map, report_config_map, row_config_map};
pub use generator_job::generator_job;
pub use names::*;
pub use observer_job::observer_job;
pub use pod::{GRANTED_AT, HARD_END_AT, OBSERVED_ROW, PodContext, START_AT, STOP_AT, TOLD};
pub use size::{Field, Fields, container_index, current, same, sized, wanted};
pub use target_patch::{
    Doing, Release, TargetError, act_patch, claim, claim_patch, rehearsal, release_patch, size_patch,
};

use k8s_openapi::api::batch::v1::Job;
use serde_json::Value;

/// A Job written as JSON above. The tests hold that nothing of it is lost on the way.
fn pod_object(job: Value) -> Job {
    serde_json::from_value(job).unwrap_or_default()
}

#[cfg(test)]
mod tests;
