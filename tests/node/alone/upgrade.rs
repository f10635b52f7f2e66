//! An upgrade and a removal with tests that are finished and one that runs.

use serde_json::json;

use super::node::{Away, on_node};
use super::release::{DEPLOYMENT, install, rollback, test, uninstall};
use crate::application::{SIZED, load_of, load_test};
use crate::checks::{assert_ended, row};
use crate::space::Space;

/// What the operator runs.
async fn image(space: &Space) -> String {
    let operator = space.get("deployments", DEPLOYMENT).await.unwrap();
    operator["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_upgrade_disturbs_no_test_and_a_removal_keeps_all_results() {
    let Some(space) = Space::new("upgrade").await else { return };
    let _away = Away::begin(&space.cluster).await;
    // The same build under another tag: there was no release before.
    on_node("ctr -n k8s.io images tag --force dev.local/loadtest-operator:dev dev.local/loadtest-operator:next");
    space.with_web_servers().await;
    let before = space.written().await;
    install(&space, "dev");
    let tested = test(&space);
    assert!(tested.contains("Succeeded"), "{tested}");

    let spec = |iterations| format!("  targets:\n{SIZED}{}  settle: {{seconds: 0}}\n", load_of("web", 2, iterations));
    space.apply(&load_test("done", &spec(1))).await;
    let done = space.ended("done").await;
    assert_ended(&done, "Passed", "ThresholdsMet");
    space.apply(&load_test("going", &spec(8))).await;
    space.in_mid_row("going", 1).await;

    install(&space, "next");
    assert_eq!(image(&space).await, "dev.local/loadtest-operator:next");
    let going = space.ended("going").await;
    assert_ended(&going, "Passed", "ThresholdsMet");
    assert_eq!(row(&going, 1)["tasks"], json!(16), "{}", going["status"]);
    assert_eq!(space.served("web"), 2 + 16, "sent twice, or not at all");
    assert_eq!(space.test("done").await["status"], done["status"], "a finished test was written again");

    rollback(&space);
    assert_eq!(image(&space).await, "dev.local/loadtest-operator:dev");
    uninstall(&space);
    let mut written = space.written().await;
    written.retain(|deployment| !deployment.is(DEPLOYMENT));
    assert_eq!(written, before);
    for (name, status) in [("done", &done["status"]), ("going", &going["status"])] {
        assert_eq!(space.test(name).await["status"], *status, "{name} lost its results");
    }
}
