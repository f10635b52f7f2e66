//! The operator on a simulated cluster, on a virtual clock: killed at every write, answered wrongly, kept waiting.
//!
//! `fake` is the API server, `cluster` what works behind it, `lab` runs the real controller against both.

mod answers;
mod away;
mod canary;
mod cluster;
mod edits;
mod end;
mod fake;
mod lab;
mod points;
mod put_back;
mod reference;
mod stories;
mod waits;
mod watches;
mod work;
