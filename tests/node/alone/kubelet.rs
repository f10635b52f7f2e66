//! The kubelet stands still while the load ends: nothing about pods is known, no log can be read.

use serde_json::json;

use super::node::StoppedKubelet;
use crate::application::{SIZED, WORK, load_of, load_test};
use crate::checks::{assert_ended, row};
use crate::space::Space;

#[tokio::test]
async fn a_kubelet_stopped_in_mid_row_delays_the_result_and_changes_nothing_in_it() {
    let Some(space) = Space::new("kubelet").await else { return };
    space.with_web_servers().await;
    let before = space.written().await;
    let requests = 5;
    let spec = format!("  targets:\n{SIZED}{}  settle: {{seconds: 0}}\n", load_of("web", 1, requests));
    space.apply(&load_test("test", &spec)).await;
    space.in_mid_row("test", 1).await;
    let stopped = StoppedKubelet::begin();
    // The load needs less than that; after 50 s the node would count as lost.
    tokio::time::sleep(std::time::Duration::from_secs(u64::from(requests * WORK + 5))).await;
    assert_eq!(space.test("test").await["status"]["run"]["step"], "Loading", "nobody can know that the load ended");
    drop(stopped);
    let test = space.ended("test").await;
    assert_ended(&test, "Passed", "ThresholdsMet");
    let row = row(&test, 1);
    assert_eq!((&row["tasks"], space.served("web")), (&json!(requests), i64::from(requests)), "{row}");
    space.assert_put_back(&before).await;
}
