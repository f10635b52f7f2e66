//! The database goes away under a steady probe and comes back.

use crate::application::{load_test, tasks};
use crate::checks::{assert_ended, row};
use crate::space::Space;

/// The slow requests bring the row's median to three seconds, of which a request may be a tenth late: the machine may be busy.
const SPEC: &str = "
  targets:
  - {name: api, workloadRef: {name: api}}
  - {name: db, workloadRef: {name: db}}
  loads:
  - name: slow
    url: http://api:8080/slow?milliseconds=3000
    clients: 40
    durationSeconds: 60
    steps: [{name: get, timeoutSeconds: 10}]
  - name: probe
    url: http://api:8080/readyz
    rate: 1
    durationSeconds: 60
    steps: [{name: get, timeoutSeconds: 2, expect: {status: [200], duringAction: {name: away, status: [503]}}}]
  actions:
  - {name: away, when: DuringLoad, afterSeconds: 8, forSeconds: 10, graceSeconds: 35, scale: {target: db, replicas: 0}}
  settle: {seconds: 0}
  thresholds:
  - {metric: loads.probe.recovery.outages, max: 1}
  - {metric: loads.probe.recovery.recoveryMs, max: 40000}
  - {metric: targets.api.restarts, max: 0}
";

#[tokio::test]
async fn a_database_that_goes_away_for_a_while_is_one_outage_and_everything_comes_back() {
    let Some(space) = Space::new("recovery").await else { return };
    space.create(&tasks()).await;
    space.all_ready().await;
    let before = space.written().await;
    space.apply(&load_test("test", SPEC)).await;

    let test = space.ended("test").await;
    assert_ended(&test, "Passed", "ThresholdsMet");
    let row = row(&test, 1);
    let probe = row["loads"].as_array().unwrap().iter().find(|load| load["name"] == "probe").unwrap();
    assert_eq!(probe["recovery"]["outages"], 1, "{row}");
    assert!(probe["recovery"]["longestMs"].is_string() && probe["recovery"]["recoveryMs"].is_string(), "{probe}");
    // Whether a probe of the outage is answered 503 or runs into its timeout is the application's affair: none failed.
    let count = |name: &str| probe["requests"][name].as_i64().unwrap();
    assert_eq!((count("ok") + count("excused"), count("failed")), (60, 0), "{probe}");
    space.assert_put_back(&before).await;
    space.all_ready().await;
}
