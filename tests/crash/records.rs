//! Records that are missing or cut.

use serde_json::json;

use crate::cluster::ways::Logs;
use crate::lab::{Lab, TEST, on_virtual_time, reference_spec};
use crate::stories::{LIMIT, in_step};
use loadtest_operator::api::RowStep;

/// Number 17.
#[test]
fn a_log_that_is_missing_or_cut_gives_no_latency_and_never_a_zero() {
    for logs in [Logs::Empty, Logs::Cut, Logs::Unreadable] {
        on_virtual_time(async || {
            let mut spec = reference_spec();
            spec["loads"][0]["rate"] = 200.into(); // p99 needs 459 requests
            let mut lab = Lab::with(spec);
            lab.fake.world().cluster.ways.logs = logs;
            lab.until(LIMIT, "row 1 is read", |status| in_step(status, 1, RowStep::Draining)).await;
            lab.fake.world().cluster.ways.logs = Logs::Whole;
            let end = lab.finish(LIMIT).await;
            let status = lab.status(TEST);
            let story = lab.story();
            assert_eq!(
                (end.verdict.as_str(), end.reason.as_str()),
                ("Invalid", "ResultsIncomplete"),
                "{logs:?} {story}"
            );
            let load = &status.results[0].loads[0];
            // The counts are from the termination message.
            let requests = load.requests.as_ref().expect("counts");
            assert_eq!(requests.sent.map(|n| n.0), Some(1000), "{logs:?} {story}");
            assert_eq!(load.latency.as_ref().and_then(|latency| latency.p99_ms.clone()), None, "{logs:?} {story}");
            let table = status.table.expect("a table");
            let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split('|').map(str::trim).collect()).collect();
            let p99 = rows[0].iter().position(|column| column.starts_with("p99")).expect("row 2 has a latency");
            assert_eq!(rows[2][p99], "-", "{table}");
            assert_ne!(rows[3][p99], "-", "{table}");
        });
    }
}

/// Number 17.
#[test]
fn a_log_without_last_words_gives_no_counts_either() {
    on_virtual_time(async || {
        let mut lab = Lab::with(reference_spec());
        {
            let ways = &mut lab.fake.world().cluster.ways;
            (ways.logs, ways.last_words) = (Logs::Empty, false);
        }
        let end = lab.finish(LIMIT).await;
        assert_eq!((end.verdict.as_str(), end.reason.as_str()), ("Invalid", "ResultsIncomplete"), "{}", lab.story());
        for load in lab.status(TEST).results.iter().flat_map(|row| &row.loads) {
            let sent = load.requests.as_ref().and_then(|requests| requests.sent);
            assert_eq!(sent, None, "what nobody counted is not zero");
        }
        assert_eq!(json!(lab.status(TEST).summary), json!(null));
    });
}
