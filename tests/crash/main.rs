//! The operator on a simulated cluster, on a virtual clock: killed at every write, answered wrongly, kept waiting.
//!
//! `fake` is the API server, `cluster` what works behind it, `lab` runs the real controller against both, `stories` says what
//! happens to a LoadTest there.
//!
//! The promises of docs/protocol.md that are proven here, numbered as in the comments of the tests:
//!
//! | number | promise | test |
//! |---|---|---|
//! | 2 | a crash before, after and without the answer of any write ends like the undisturbed run | `points` |
//! | 3 | what a paused leader sends late neither fires nor sizes | `away` |
//! | 4 | an operator that is shown the past fires nothing again | `watches` |
//! | 8 | a Job whose creation was answered 504 is made once | `answers` |
//! | 9 | an edit there and back runs three times; a default that is written out starts nothing | `edits` |
//! | 14 | targets are put back when a lost generator can be sending no more | `away` |
//! | 15 | a row is valid although the operator was away for half an hour | `away` |
//! | 17 | a log that is missing or cut gives no latency, and never a zero | `records` |
//! | 18 | every wait ends, with its reason | `waits` |
//! | 20 | what is secret is written into the agents' plans only | `canary` |
//!
//! 1 (every interleaving, and each defence removed) is in `src/lifecycle/tests`; 5 to 7, 10 to 13, 16 and 19 need a real API server
//! or node: `tests/api`, `tests/node`.

mod acts;
mod answers;
mod away;
mod canary;
mod cluster;
mod edits;
mod end;
mod expiry;
mod fake;
mod figures;
mod health;
mod lab;
mod late;
mod lies;
mod moments;
mod points;
mod put_back;
mod ready;
mod records;
mod reference;
mod stories;
mod unjudged;
mod waits;
mod watches;
mod work;
