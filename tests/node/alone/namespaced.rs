//! The chart in namespaced mode, installed beside the application: a Role is all that a whole test needs.

use serde_json::json;

use super::node::Away;
use super::release::{DEPLOYMENT, RELEASE, install};
use crate::application::{SIZED, load_of, load_test};
use crate::checks::{assert_ended, row};
use crate::space::Space;
use crate::wait::for_a_while;

/// What an object of each kind is that belongs to the release, whatever namespace it is in.
fn installed(space: &Space, kinds: &str) -> Vec<String> {
    let release = format!("app.kubernetes.io/instance={RELEASE}");
    let path = "jsonpath={range .items[*]}{.kind} {.metadata.namespace}{\"\\n\"}{end}";
    let found = space.cluster.kubectl(&["get", kinds, "-A", "-l", &release, "-o", path]).unwrap();
    found.lines().map(|line| line.trim().to_owned()).collect()
}

#[tokio::test]
async fn in_namespaced_mode_a_role_is_enough_for_a_whole_test_and_other_namespaces_are_left_alone() {
    let Some(space) = Space::new("scoped").await else { return };
    let Some(other) = Space::new("beside").await else { return };
    let _away = Away::begin(&space.cluster).await;
    space.with_web_servers().await;
    let before = space.written().await;
    install(&space, "dev");
    assert_eq!(installed(&space, "clusterroles,clusterrolebindings"), Vec::<String>::new());
    let roles = ["Role", "RoleBinding"].map(|kind| format!("{kind} {}", space.name));
    assert_eq!(installed(&space, "roles,rolebindings"), roles);

    let spec = format!("  targets:\n{SIZED}{}  settle: {{seconds: 0}}\n", load_of("web", 1, 2));
    other.apply(&load_test("test", &spec)).await;
    space.apply(&load_test("test", &spec)).await;
    let test = space.ended("test").await;
    assert_ended(&test, "Passed", "ThresholdsMet");
    assert_eq!((&row(&test, 1)["tasks"], space.served("web")), (&json!(2), 2));
    for_a_while().await;
    assert_eq!(other.test("test").await["status"].get("phase"), None, "an operator of another namespace took it up");

    let mut written = space.written().await;
    written.retain(|deployment| !deployment.is(DEPLOYMENT));
    assert_eq!(written, before);
    space.assert_no_job().await;
    let said = space.cluster.kubectl(&["-n", &space.name, "logs", &format!("deployment/{DEPLOYMENT}"), "--tail=-1"]);
    let said = said.unwrap();
    let refused = said.lines().find(|line| line.to_lowercase().contains("forbidden"));
    assert_eq!(refused, None, "it asked for what its Role does not give");
    assert!(said.contains("\"message\":\"record\"") || said.contains("ThresholdsMet"), "it said nothing:\n{said}");
    other.delete("loadtests", "test").await;
}
