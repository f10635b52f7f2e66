//! Memory under steady load: a planted leak is found while what stays flat passes, and planned kills beside it disturb nothing.

use serde_json::Value;

use crate::application::tasks;
use crate::checks::row;
use crate::examples::{cells, figure, headings, number, shortened_demo};
use crate::space::Space;

/// Growth that the example allows, percent a minute.
const ALLOWED: f64 = 0.5;

/// The example in its shortened form, on an application that leaks so many percent of 64 MiB a minute. The kubelet measures memory
/// every 10 to 15 s, on a busy node every 25 s, and a slope takes five points in the second half of the load.
fn leaking(percent: u32) -> Value {
    let env = format!(
        "memory: 256Mi, env: [{{name: LEAK_PERCENT_PER_MINUTE, value: '{percent}'}}, {{name: LEAK_BASE_MIB, value: '64'}}]}}"
    );
    shortened_demo(
        "memory.yaml",
        &[("durationSeconds: 1800", "durationSeconds: 240"), ("memory: 256Mi}", &env), ("cpu: 250m", "cpu: 100m")],
    )
}

/// Runs it to its end, and looks at what holds with a leak as without.
async fn run(space: &Space, percent: u32, reason: &str) -> Value {
    space.create(&tasks()).await;
    space.all_ready().await;
    let before = space.written().await;
    let test = leaking(percent);
    // A kill that a busy node has no time for is not done later, and said.
    let ended = space.ends_with(&test, &[reason, "ActionFailed"]).await;
    let row = row(&ended, 1);
    let kill = figure(row, "actions", "kill");
    assert!(kill["times"].as_i64().is_some_and(|times| times > 0), "{row}");
    for load in row["loads"].as_array().unwrap() {
        assert_eq!(load["requests"]["failed"], 0, "{load}");
    }
    let stable = figure(row, "targets", "stable");
    assert_eq!((stable["restarts"].as_i64(), stable["oomKills"].as_i64()), (Some(0), Some(0)), "{row}");
    assert!((64.0..200.0).contains(&number(&stable["memoryMaxMiB"])), "{stable}");
    let table = cells(&ended);
    assert_eq!(table[0], headings(&test));
    assert!(table[2][3..5].iter().all(|cell| cell != "-"), "{table:?}");
    space.assert_put_back(&before).await;
    ended
}

/// The thresholds that the row broke.
fn broken(row: &Value) -> Vec<&str> {
    let breaches = row["breaches"].as_array().map(Vec::as_slice).unwrap_or_default();
    breaches.iter().map(|breach| breach["metric"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_planted_leak_is_found_while_pods_beside_it_are_killed() {
    let Some(space) = Space::new("leak").await else { return };
    let ended = run(&space, 20, "ThresholdsBreached").await;
    let row = row(&ended, 1);
    assert_eq!(broken(row), ["targets.stable.memorySlopePercentPerMinute"], "{row}");
    let slope = number(&figure(row, "targets", "stable")["memorySlopePercentPerMinute"]);
    // A fifth of what it began with, a minute: less of what it has come to.
    assert!((5.0..20.0).contains(&slope), "{row}");
    let said = row["observations"].as_array().unwrap();
    let growth = |text: &Value| text.as_str().unwrap().starts_with("memory of stable grew by ");
    assert!(said.iter().any(growth), "{row}");
}

#[tokio::test]
async fn memory_that_stays_constant_passes_while_pods_beside_it_are_killed() {
    let Some(space) = Space::new("flat").await else { return };
    let ended = run(&space, 0, "ThresholdsMet").await;
    let row = row(&ended, 1);
    assert_eq!(broken(row), [""; 0], "{row}");
    let slope = number(&figure(row, "targets", "stable")["memorySlopePercentPerMinute"]);
    assert!(slope <= ALLOWED, "{row}");
}
