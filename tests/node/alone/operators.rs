//! Two operators at once: with a leader that is stopped in mid-start, and without any election.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use super::node::Away;
use super::process::Operator;
use crate::application::{SIZED, load_of, load_test};
use crate::checks::{assert_ended, row};
use crate::space::Space;
use crate::wait::{PATIENCE, eventually};

#[tokio::test]
async fn a_leader_stopped_in_mid_start_past_its_lease_fires_nothing_again_when_it_goes_on() {
    let Some(space) = Space::new("lease").await else { return };
    let _away = Away::begin(&space.cluster).await;
    space.with_web_servers().await;
    let before = space.written().await;
    let one = Operator::elected(&space, "one");
    one.says("this process leads").await;
    let two = Operator::elected(&space, "two");
    two.says("takes part in the election").await;

    let spec = format!("  targets:\n{SIZED}{}  settle: {{seconds: 0}}\n", load_of("web", 2, 5));
    space.apply(&load_test("test", &spec)).await;
    let mut job = json!(null);
    for _ in 0..PATIENCE * 20 {
        let test = space.test("test").await;
        job = test["status"]["run"]["current"]["jobUid"].clone();
        if job.is_string() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    one.signal("STOP");
    assert!(job.is_string(), "no Job was made");
    assert!(!two.log().contains("this process leads"), "two leaders");
    two.says("this process leads").await;
    let test = space.at("test", 1, "Loading").await;
    let start = test["status"]["run"]["current"]["startAt"].clone();
    one.signal("CONT");
    one.says("does not lead any more").await;

    let test = space.ended("test").await;
    assert_ended(&test, "Passed", "ThresholdsMet");
    let row = row(&test, 1);
    assert_eq!(row["startedAt"], start, "fired at another instant than recorded");
    assert_eq!((&row["tasks"], space.served("web")), (&json!(10), 10), "{row}");
    assert!(!two.log().contains("does not lead any more"), "the lease went back to a process that was stopped");
    space.assert_put_back(&before).await;
}

#[tokio::test]
async fn two_operators_without_an_election_fire_each_row_once_and_put_everything_back() {
    let Some(space) = Space::new("both").await else { return };
    let _away = Away::begin(&space.cluster).await;
    space.with_web_servers().await;
    let before = space.written().await;
    let operators = [Operator::start(&space, "one", &[]), Operator::start(&space, "two", &[])];
    let spec = format!("  targets:\n{SIZED}{}  repeats: 2\n  settle: {{seconds: 0}}\n", load_of("web", 2, 3));
    space.apply(&load_test("test", &spec)).await;

    let mut jobs = BTreeSet::new();
    let limit = crate::wait::END;
    eventually("the test ended", limit, async || {
        for job in space.list("jobs", None).await {
            jobs.insert((job["metadata"]["name"].to_string(), job["metadata"]["uid"].to_string()));
        }
        let test = space.test("test").await;
        if test["status"]["phase"] == "Finished" { Ok(()) } else { Err(test["status"]["run"].to_string()) }
    })
    .await;
    assert_eq!(jobs.len(), 2, "one Job a row: {jobs:?}");
    let test = space.ended("test").await;
    assert_ended(&test, "Passed", "ThresholdsMet");
    for number in [1, 2] {
        assert_eq!(row(&test, number)["tasks"], 6);
    }
    assert_eq!(space.served("web"), 12);
    for operator in &operators {
        assert!(operator.log().contains("\"message\":\"record\""), "one of the two never worked");
    }
    space.assert_put_back(&before).await;
}
