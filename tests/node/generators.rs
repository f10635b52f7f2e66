//! What may happen to the generators: no image, a missing Secret, an identity, a second pod or process, one killed, the Job or all deleted.

use serde_json::{Value, json};

use crate::admission::{ChangedPods, IDENTITY};
use crate::application::{SIZED, load_of, load_test};
use crate::checks::{assert_ended, condition, row};
use crate::space::Space;
use crate::wait::{PATIENCE, eventually};

fn sized(name: &str, generators: u32, iterations: u32) -> String {
    let load = load_of("web", generators, iterations);
    let load = load.replace("    clients", &format!("    generators: {generators}\n    clients"));
    load_test(name, &format!("  targets:\n{SIZED}{load}  settle: {{seconds: 0}}\n"))
}

/// Generator pods of the row, in order of their index.
async fn generators(space: &Space) -> Vec<Value> {
    let mut pods = space.list("pods", Some("loadtest.dev/row=1")).await;
    pods.sort_by_key(|pod| pod["metadata"]["name"].to_string());
    pods
}

#[tokio::test]
async fn a_missing_secret_an_image_that_cannot_be_pulled_or_an_identity_ends_the_test_with_its_reason() {
    let Some(space) = Space::new("starts").await else { return };
    space.with_web_servers().await;
    let before = space.written().await;
    let var = "  vars: [{name: token, valueFrom: {secretKeyRef: {name: no-such-secret, key: token}}}]\n";
    let header = "    headers: [{name: Authorization, value: $(vars.token)}]\n    steps";
    space.apply(&(sized("secret", 1, 2).replace("    steps", header) + var)).await;
    assert_ends_with(&space, "secret", "SecretMissing", "no-such-secret").await;
    space.assert_put_back(&before).await;

    let replaced = ChangedPods::begin(&space, "replace", "/spec/containers/0/image", "dev.local/no-such-image:1").await;
    space.apply(&sized("image", 1, 2)).await;
    space.ended("image").await;
    drop(replaced);
    assert_ends_with(&space, "image", "GeneratorImage", "image").await;

    // What a cloud's webhook does to pods whose service account has a role.
    let added = ChangedPods::begin(&space, "add", "/spec/containers/0/env/-", IDENTITY).await;
    space.apply(&sized("identity", 1, 2)).await;
    space.ended("identity").await;
    drop(added);
    assert_ends_with(&space, "identity", "AgentHasIdentity", "AWS_ROLE_ARN").await;
    assert_eq!(space.served("web"), 0);
    space.assert_put_back(&before).await;
}

async fn assert_ends_with(space: &Space, name: &str, reason: &str, word: &str) {
    let test = space.ended(name).await;
    assert_ended(&test, "Invalid", reason);
    let message = condition(&test, "Stalled")["message"].as_str().unwrap();
    assert!(message.contains(word), "{reason}: {message}");
}

/// A pod as a person would copy it: same plan, index, annotations and labels, but of no Job.
fn copy_of(pod: &Value) -> Value {
    let (mut labels, annotations) = (pod["metadata"]["labels"].clone(), &pod["metadata"]["annotations"]);
    // By these the Job controller would adopt it, and delete it as one too many.
    labels.as_object_mut().unwrap().retain(|label, _| !label.contains("controller-uid") && !label.contains("job-name"));
    let mut spec = pod["spec"].clone();
    spec.as_object_mut().unwrap().retain(|key, _| key != "nodeName" && key != "hostname");
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "copy", "labels": labels, "annotations": annotations}, "spec": spec})
}

/// A second process in the generator's container, and a second pod of its index: neither sends anything.
async fn assert_no_second_start(space: &Space, pod: &Value) {
    let name = pod["metadata"]["name"].as_str().unwrap();
    let second = ["/loadtest", "generate", "--termination-log", "/state/second"];
    let again = space.cluster.kubectl(&[&["-n", &space.name, "exec", name, "--"][..], &second].concat());
    let refusal = again.expect_err("a second process fired");
    assert!(refusal.contains("exit code 1"), "{refusal}");

    space.cluster.create(&space.name, &copy_of(pod), false).await.unwrap();
    eventually("the copy refuses to start", PATIENCE, async || {
        let copy = space.get("pods", "copy").await.unwrap();
        let ended = &copy["status"]["containerStatuses"][0]["state"]["terminated"];
        match ended["message"].as_str() {
            Some(message) if message.contains("StartMissed") => Ok(()),
            Some(message) => panic!("the copy ended otherwise: {message}"),
            None => Err(copy["status"].to_string()),
        }
    })
    .await;
    space.kill_pod("copy").await;
}

#[tokio::test]
async fn of_three_generators_one_killed_makes_the_row_invalid_the_others_count_and_nobody_takes_its_place() {
    let Some(space) = Space::new("lost").await else { return };
    space.with_web_servers().await;
    let before = space.written().await;
    space.apply(&sized("test", 3, 14)).await;
    space.in_mid_row("test", 1).await;
    let pods = generators(&space).await;
    assert_eq!(pods.len(), 3);
    assert_no_second_start(&space, &pods[0]).await;
    space.at("test", 1, "Loading").await;
    space.kill_pod(pods[1]["metadata"]["name"].as_str().unwrap()).await;
    let test = space.ended("test").await;
    assert_ended(&test, "Invalid", "GeneratorLost");
    let row = row(&test, 1);
    assert_eq!(row["reason"], "GeneratorLost", "{row}");
    assert_eq!(
        (&row["tasks"], &row["loads"][0]["requests"]["ok"]),
        (&json!(28), &json!(28)),
        "two of three times fourteen: {row}"
    );
    let served = space.served("web");
    assert!((28..42).contains(&served), "the killed generator's share was sent by another: {served}");
    space.assert_put_back(&before).await;
}

#[tokio::test]
async fn a_job_deleted_in_mid_row_is_not_made_again_and_a_namespace_deleted_in_mid_row_goes() {
    let Some(space) = Space::new("jobgone").await else { return };
    space.with_web_servers().await;
    let before = space.written().await;
    space.apply(&sized("test", 1, 12)).await;
    let test = space.in_mid_row("test", 1).await;
    let jobs = space.list("jobs", None).await;
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0]["metadata"]["uid"], test["status"]["run"]["current"]["jobUid"]);
    space.delete("jobs", jobs[0]["metadata"]["name"].as_str().unwrap()).await;
    let test = eventually("the run goes on without the Job", PATIENCE, async || {
        let jobs = space.list("jobs", None).await;
        assert!(jobs.iter().all(|job| job["metadata"]["deletionTimestamp"].is_string()
            || job["metadata"]["uid"] == jobs[0]["metadata"]["uid"]));
        let test = space.test("test").await;
        if test["status"]["phase"] == "Finished" { Ok(test) } else { Err(test["status"]["run"].to_string()) }
    })
    .await;
    assert_eq!(row(&test, 1)["verdict"], "Invalid");
    let test = space.ended("test").await;
    assert_ended(&test, "Invalid", "JobGone");
    assert!(space.served("web") < 12, "the load was sent in full");
    space.assert_put_back(&before).await;

    space.apply(&sized("last", 1, 12)).await;
    space.in_mid_row("last", 1).await;
    space.cluster.delete("namespaces", "", &space.name, false).await;
    space.gone("namespaces", &space.name).await;
}
