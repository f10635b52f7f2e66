//! The operator on a real node: real pods, real load, real rollouts, a real PostgreSQL.
//!
//! `LOADTEST_KUBECONFIG` names the cluster's file and `LOADTEST_KUBECTL` its kubectl; the operator is installed there by
//! its chart in namespace loadtest-system, and the images dev.local/{demo-app,postgres,busybox} are loaded. `dev/test
//! node` does all of it. Without LOADTEST_KUBECONFIG every test says that it is skipped.
//!
//! The scenarios of `alone` also need `LOADTEST_NS`, the program that runs a command in the cluster's own namespaces.
//!
//! Each scenario has a namespace of its own with a small application, so that they run side by side. No scenario asserts
//! how long something takes; every wait is bounded, and what it last saw is in the failure.

mod actions;
mod admission;
mod application;
mod checks;
#[path = "../cluster/mod.rs"]
mod cluster;
#[path = "../shown/mod.rs"]
mod shown;
mod wait;

use cluster::space;

mod alone;
mod canary;
mod counts;
mod disturbed;
mod documents;
mod endings;
mod examples;
mod generators;
mod listener;
mod logs;
mod memory;
mod moments;
mod recovery;
mod refusals;
mod runs;
mod scalability;
mod throughput;
mod turns;
