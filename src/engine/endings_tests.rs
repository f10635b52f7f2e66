//! Loads that end early, and what is known of them while they run.

use std::time::{Duration, Instant};

use super::fixture::load;
use super::scripted::{Act, OK, Server};
use super::tests::{arm, failures, iterations, now, rate};
use super::*;
use crate::plan::Arrivals;

#[tokio::test]
async fn a_stop_sends_nothing_new_lets_open_requests_end_and_counts_the_rest() {
    let server = Server::start(|_| Act::Reply(Duration::from_millis(300), 200, "")).await;
    let armed = arm(&load("l", &server.url(), iterations(2, 50)), 0).await;
    let (switch, stop) = stop_switch();
    let watch = async {
        while server.seen().len() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        switch.stop("sigterm");
        switch.stop("stop-at");
    };
    let (record, ()) = tokio::join!(armed.run(now(), stop, None), watch);
    assert_eq!(record.stopped.as_deref(), Some("sigterm"));
    assert_eq!((record.counts.due, record.counts.sent, record.counts.failed), (100, record.counts.ok, 0));
    assert_eq!((record.counts.unsent, record.counts.sent), (100 - record.counts.sent, server.seen().len() as u64));
}

#[tokio::test]
async fn the_hard_end_cuts_what_is_open_and_the_record_is_still_whole() {
    let server = Server::start(|_| Act::Hang).await;
    for arrivals in [iterations(2, 3), Arrivals::Seconds { clients: 2, seconds: 60 }, rate(2, 60, 2)] {
        let armed = arm(&load("l", &server.url(), arrivals), 0).await;
        let (_switch, stop) = stop_switch();
        let start = now();
        let record = armed.run(start, stop, Some(start.at + Duration::from_millis(800))).await;
        assert_eq!(record.stopped.as_deref(), Some("hard-end"));
        assert_eq!((failures(&record), record.counts.sent), (vec![("cut off", 2)], 2));
        assert_eq!(record.counts.due, record.counts.sent + record.counts.unsent + record.counts.capped);
    }
}

#[tokio::test]
async fn a_stop_before_the_start_sends_nothing() {
    let server = Server::start(|_| OK).await;
    for arrivals in [iterations(1, 3), rate(3, 1, 5)] {
        let armed = arm(&load("l", &server.url(), arrivals), 0).await;
        let (switch, stop) = stop_switch();
        switch.stop("stop-at");
        let start = Start { at: Instant::now() + Duration::from_secs(3600), wall_ms: 0 };
        let record = armed.run(start, stop, None).await;
        assert_eq!((record.counts.sent, record.counts.unsent, record.stopped.as_deref()), (0, 3, Some("stop-at")));
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn progress_shows_what_is_open() {
    let server = Server::start(|_| Act::Hang).await;
    let armed = arm(&load("l", &server.url(), iterations(3, 1)), 0).await;
    let (switch, stop) = stop_switch();
    let watch = async {
        while armed.progress().1 < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let (counts, _) = armed.progress();
        assert_eq!((counts.counts.sent, counts.counts.ok), (3, 0));
        drop(switch);
    };
    let end = Some(Instant::now() + Duration::from_millis(1500));
    let (record, ()) = tokio::join!(armed.run(now(), stop, end), watch);
    assert_eq!(record.counts.sent, 3);
}
