//! A status that stays well under what etcd takes.

use crate::api::{LoadFigures, LoadTestStatus, Row};

/// Rows are compacted above this many bytes of JSON.
pub const MOST_BYTES: usize = 200 * 1024;

/// Makes the status fit: above [`MOST_BYTES`] rows keep row, verdict, reason, begin and end, set, tasks, rate, requests and latency, and
/// `truncated` is true; still above, the loads of rows are left out, last row first.
///
/// Judge before this: a compacted row has no evidence left.
pub fn compact(status: &mut LoadTestStatus) {
    if size(status) <= MOST_BYTES {
        return;
    }
    status.truncated = Some(true);
    for row in &mut status.results {
        *row = compacted(row);
    }
    for i in (0..status.results.len()).rev() {
        if size(status) <= MOST_BYTES {
            return;
        }
        status.results[i].loads.clear();
    }
}

/// Bytes of the status as JSON.
pub fn size(status: &LoadTestStatus) -> usize {
    serde_json::to_vec(status).map_or(usize::MAX, |json| json.len())
}

fn compacted(row: &Row) -> Row {
    Row {
        row: row.row,
        verdict: row.verdict,
        reason: row.reason.clone(),
        started_at: row.started_at,
        ended_at: row.ended_at,
        set: row.set.clone(),
        tasks: row.tasks,
        tasks_per_second: row.tasks_per_second.clone(),
        loads: row.loads.iter().map(short).collect(),
        ..Row::default()
    }
}

fn short(load: &LoadFigures) -> LoadFigures {
    LoadFigures { tasks: None, tasks_per_second: None, seconds: None, service: None, lateness: None, ..load.clone() }
}
