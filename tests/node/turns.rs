//! Two tests that want the same targets, a Deployment and a StatefulSet.

use serde_json::Value;

use crate::application::{load_of, load_test, stateful};
use crate::checks::{assert_ended, row};
use crate::space::Space;

fn test(name: &str, targets: [&str; 2]) -> String {
    let kind = |name: &str| if name == "back" { "StatefulSet" } else { "Deployment" };
    let target = |name: &str| {
        let reference = format!("{{kind: {}, name: {name}}}", kind(name));
        format!("  - {{name: {name}, workloadRef: {reference}, replicas: 2, cpu: 30m, memory: 48Mi}}\n")
    };
    let targets = targets.map(target).concat();
    load_test(name, &format!("  targets:\n{targets}{}  settle: {{seconds: 0}}\n", load_of("web", 1, 2)))
}

/// First request due, and everything put back.
fn window(test: &Value) -> (String, String) {
    let (start, end) = (&row(test, 1)["startedAt"], &test["status"]["run"]["finishedAt"]);
    (start.as_str().unwrap().to_owned(), end.as_str().unwrap().to_owned())
}

#[tokio::test]
async fn two_tests_on_the_same_targets_in_opposite_order_run_one_after_the_other() {
    let Some(space) = Space::new("turns").await else { return };
    space.with_web_servers().await;
    space.create(&stateful("back")).await;
    space.all_ready().await;
    let before = space.written().await;
    space.apply(&test("one", ["side", "back"])).await;
    space.apply(&test("two", ["back", "side"])).await;
    let (one, two) = (space.ended("one").await, space.ended("two").await);
    for test in [&one, &two] {
        assert_ended(test, "Passed", "ThresholdsMet");
        assert_eq!(row(test, 1)["tasks"], 2);
    }
    let (first, second) = if window(&one) < window(&two) { (&one, &two) } else { (&two, &one) };
    assert!(window(first).1 <= window(second).0, "interleaved: {:?} and {:?}", window(first), window(second));
    let waited = space.reasons(second["metadata"]["name"].as_str().unwrap()).await;
    assert!(waited.iter().any(|reason| reason == "TargetBusy"), "{waited:?}");
    assert_eq!(space.served("web"), 4);
    space.assert_put_back(&before).await;
}
