//! Somebody or something else changes a target in mid-row.

use serde_json::json;

use crate::application::{SIZED, load_of, load_test};
use crate::checks::{assert_ended, row};
use crate::space::Space;
use crate::wait::for_a_while;

fn sized() -> String {
    load_test("test", &format!("  targets:\n{SIZED}{}  settle: {{seconds: 0}}\n", load_of("web", 1, 6)))
}

#[tokio::test]
async fn a_foreign_scale_survives_the_restore_and_an_undone_rollout_brings_nothing_back() {
    let Some(space) = Space::new("foreign").await else { return };
    space.with_web_servers().await;
    let before = space.written().await;
    space.apply(&sized()).await;
    space.in_mid_row("test", 1).await;
    space.merge("deployments", "side", json!({"spec": {"replicas": 3}})).await;
    let test = space.ended("test").await;
    assert_ended(&test, "Invalid", "TargetDisturbed");
    assert_eq!(row(&test, 1)["verdict"], "Invalid");
    let record = &test["status"]["targets"][0];
    assert_eq!((&record["name"], &record["state"]), (&json!("side"), &json!("Skipped")), "{record}");

    let mut wanted = before;
    let side = wanted.iter_mut().find(|written| written.spec["selector"]["matchLabels"]["app"] == "side").unwrap();
    side.spec["replicas"] = json!(3);
    space.assert_put_back(&wanted).await;

    space.all_ready().await;
    space.cluster.kubectl(&["-n", &space.name, "rollout", "undo", "deployment/side"]).unwrap();
    space.all_ready().await;
    for_a_while().await;
    // Undo brings the annotation back from a ReplicaSet; without the label it is no claim, and nobody acts on it.
    let side = space.get("deployments", "side").await.unwrap();
    assert_eq!(side["metadata"]["labels"].get("loadtest.dev/claim"), None);
    let container = &side["spec"]["template"]["spec"]["containers"][0];
    assert_eq!((&side["spec"]["replicas"], &container["resources"]["limits"]["cpu"]), (&json!(3), &json!("40m")));

    space.merge("loadtests", "test", json!({"spec": {"runId": "again"}})).await;
    let test = space.run_ended("test", 2).await;
    assert_ended(&test, "Passed", "ThresholdsMet");
    space.assert_no_claim().await;
    assert_eq!(
        space.get("deployments", "side").await.unwrap()["spec"],
        side["spec"],
        "put back to the first run's originals"
    );
}

#[tokio::test]
async fn an_edit_and_an_autoscaler_in_mid_row_disturb_the_row_and_keep_what_they_set() {
    let Some(space) = Space::new("edits").await else { return };
    space.with_web_servers().await;
    space.create(&crate::application::web("back")).await;
    space.all_ready().await;
    let before = space.written().await;
    let test = |name: &str| {
        let target = SIZED.replace("side", name);
        load_test(name, &format!("  targets:\n{target}{}  settle: {{seconds: 0}}\n", load_of("web", 1, 14)))
    };
    let names = ["side", "back"];
    for name in names {
        space.apply(&test(name)).await;
    }
    for name in names {
        space.at(name, 1, "Loading").await;
    }
    space.cluster.kubectl(&["-n", &space.name, "set", "env", "deployment/side", "MODE=mine"]).unwrap();
    let scaler = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "back"}, "spec":
        {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "back"}, "minReplicas": 3, "maxReplicas": 3}});
    space.cluster.create(&space.name, &scaler, false).await.unwrap();
    for name in names {
        let test = space.ended(name).await;
        assert_ended(&test, "Invalid", "TargetDisturbed");
        assert_eq!(test["status"]["targets"][0]["state"], "Skipped", "{}", test["status"]["targets"]);
        assert!(space.reasons(name).await.iter().any(|reason| reason == "RestoreSkipped"), "nobody is told");
    }
    space.assert_no_claim().await;
    space.assert_no_job().await;
    let after = space.written().await;
    let of = |all: &[crate::checks::Written], app: &str| {
        all.iter().find(|written| written.spec["selector"]["matchLabels"]["app"] == app).unwrap().spec.clone()
    };
    let mut back = of(&before, "back");
    back["replicas"] = json!(3);
    assert_eq!(of(&after, "back"), back, "all but what the autoscaler set is put back");
    let (mut side, now) = (of(&before, "side"), of(&after, "side"));
    assert!(now["template"].to_string().contains(r#"{"name":"MODE","value":"mine"}"#), "the edit is lost: {now}");
    side["template"]["spec"]["containers"][0]["env"] = now["template"]["spec"]["containers"][0]["env"].clone();
    assert_eq!(now, side, "all but what was edited is put back");
    assert!(!now["template"].to_string().contains("EXTRA"), "what the test added stays: {now}");
}

#[tokio::test]
async fn an_application_out_of_memory_in_mid_row_makes_the_row_invalid_and_is_named() {
    let Some(space) = Space::new("memory").await else { return };
    space.with_web_servers().await;
    let before = space.written().await;
    space.apply(&sized()).await;
    space.in_mid_row("test", 1).await;
    space.exec("side", &["touch", "/tmp/eat"]).unwrap();
    let test = space.ended("test").await;
    assert_ended(&test, "Invalid", "TargetDisturbed");
    let row = row(&test, 1);
    let side = &row["targets"][0];
    assert_eq!((&side["restarts"], &side["oomKills"]), (&json!(1), &json!(1)), "{row}");
    assert!(row["observations"].to_string().contains("out of memory"), "{row}");
    assert_eq!(row["tasks"], 6, "the load itself was counted");
    space.assert_put_back(&before).await;
}
