//! What a pass writes: the status (compare and swap), and effects on targets, pods and Jobs.

pub mod act;
pub mod act_job;
pub mod acted;
pub mod apply;
pub mod decided;
pub mod events;
pub mod expire;
pub mod facts;
pub mod finish;
pub mod job;
pub mod outcome;
pub mod put_back;
pub mod record;
pub mod row_file;
pub mod signal;
pub mod standing;
pub mod target;
pub mod unreadable;
