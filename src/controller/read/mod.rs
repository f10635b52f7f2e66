//! What a pass looks at: live reads of the cluster and of AWS, kept in the session. Nothing here changes a target or a pod.

pub mod act_job;
pub mod acts;
pub mod check;
pub mod collect;
pub mod evidence;
pub mod follow;
pub mod log;
pub mod logs;
pub mod matching;
pub mod observer;
pub mod others;
pub mod pods;
pub mod preflight;
pub mod preflight_target;
pub mod queue;
pub mod quota;
pub mod routes;
pub mod targets;
pub mod usage;
pub mod victims;
