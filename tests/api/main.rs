//! The API server without a node: what is accepted, what is refused, and what the operator makes of it. Pods are made, but
//! none ever runs.
//!
//! `LOADTEST_KUBECONFIG` names the cluster's file and `LOADTEST_KUBECTL` its kubectl; the chart is installed with its
//! policies.
//! `dev/test api` does all of it. Without LOADTEST_KUBECONFIG every test says that it is skipped.
//!
//! The operator is the program `loadtest controller` as a process of its own, one for each test that needs it, with rights to
//! do everything: rights are looked at by the tests that are about rights.

mod actor;
#[path = "../cluster/mod.rs"]
mod cluster;
#[path = "../hostile/mod.rs"]
mod hostile;
#[path = "../mutation/mod.rs"]
mod mutation;
mod operator;
#[path = "../shown/mod.rs"]
mod shown;
mod stage;

mod attacker;
mod author;
mod bench;
mod database;
mod expiry;
mod helm;
mod mutations;
mod newcomer;
mod oversteps_objects;
mod oversteps_targets;
mod pages;
mod person;
mod rights;
mod unreadable;
mod urls;
