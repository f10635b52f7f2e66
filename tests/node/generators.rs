//! What may happen to the generators: no image, a missing Secret, one pod killed, the Job deleted.

use serde_json::{Value, json};

use crate::application::{SIZED, load_of, load_test};
use crate::checks::{assert_ended, condition, row};
use crate::space::Space;
use crate::wait::{PATIENCE, eventually};

fn sized(generators: u32, iterations: u32) -> String {
    let load = load_of("web", generators, iterations);
    let load = load.replace("    clients", &format!("    generators: {generators}\n    clients"));
    load_test("test", &format!("  targets:\n{SIZED}{load}  settle: {{seconds: 0}}\n"))
}

/// Generator pods of the row, in order of their index.
async fn generators(space: &Space) -> Vec<Value> {
    let mut pods = space.list("pods", Some("loadtest.dev/row=1")).await;
    pods.sort_by_key(|pod| pod["metadata"]["name"].to_string());
    pods
}

/// Every generator pod of the namespace gets an image that no registry has, as from a cluster's own admission.
async fn without_image(space: &Space) {
    let (name, api) = (&space.name, "admissionregistration.k8s.io/v1");
    let chosen = json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}, "resourceRules":
        [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]});
    let patch = r#"[JSONPatch{op: "replace", path: "/spec/containers/0/image", value: "dev.local/no-such-image:1"}]"#;
    let policy = json!({"apiVersion": api, "kind": "MutatingAdmissionPolicy", "metadata": {"name": name}, "spec": {
        "matchConstraints": chosen, "failurePolicy": "Fail", "reinvocationPolicy": "Never",
        "matchConditions": [{"name": "generators", "expression": "has(object.metadata.labels) && 'loadtest.dev/run' in object.metadata.labels"}],
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": patch}}]}});
    let binding = json!({"apiVersion": api, "kind": "MutatingAdmissionPolicyBinding", "metadata": {"name": name},
        "spec": {"policyName": name}});
    for object in [policy, binding] {
        space.cluster.create("", &object, false).await.unwrap();
    }
    let hardened = json!({"allowPrivilegeEscalation": false, "runAsNonRoot": true, "runAsUser": 1,
        "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe", "labels": {"loadtest.dev/run": "x"}},
        "spec": {"containers": [{"name": "probe", "image": "dev.local/busybox:1", "securityContext": hardened}]}});
    eventually("the policy acts", PATIENCE, async || {
        let made = space.cluster.create(name, &pod, true).await.map_err(|error| error.to_string())?;
        let image = &made["spec"]["containers"][0]["image"];
        if image == "dev.local/no-such-image:1" { Ok(()) } else { Err(image.to_string()) }
    })
    .await;
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_ends_the_test_with_its_reason() {
    let Some(space) = Space::new("image").await else { return };
    space.with_web_servers().await;
    let before = space.written().await;
    without_image(&space).await;
    space.apply(&sized(1, 2)).await;
    let test = space.ended("test").await;
    for resource in ["mutatingadmissionpolicybindings", "mutatingadmissionpolicies"] {
        space.cluster.delete(resource, "", &space.name, false).await;
    }
    assert_ended(&test, "Invalid", "GeneratorImage");
    let message = condition(&test, "Stalled")["message"].as_str().unwrap();
    assert!(message.contains("image"), "{message}");
    assert_eq!(space.served("web"), 0);
    space.assert_put_back(&before).await;
}

#[tokio::test]
async fn a_missing_secret_ends_the_test_with_its_reason() {
    let Some(space) = Space::new("secret").await else { return };
    space.with_web_servers().await;
    let before = space.written().await;
    let var = "  vars: [{name: token, valueFrom: {secretKeyRef: {name: no-such-secret, key: token}}}]\n";
    space
        .apply(
            &(sized(1, 2)
                .replace("    steps", "    headers: [{name: Authorization, value: $(vars.token)}]\n    steps")
                + var),
        )
        .await;
    let test = space.ended("test").await;
    assert_ended(&test, "Invalid", "SecretMissing");
    let message = condition(&test, "Stalled")["message"].as_str().unwrap();
    assert!(message.contains("no-such-secret"), "{message}");
    assert_eq!(space.served("web"), 0);
    space.assert_put_back(&before).await;
}

#[tokio::test]
async fn of_three_generators_one_killed_makes_the_row_invalid_and_the_others_count() {
    let Some(space) = Space::new("lost").await else { return };
    space.with_web_servers().await;
    let before = space.written().await;
    space.apply(&sized(3, 6)).await;
    space.in_mid_row("test", 1).await;
    let pods = generators(&space).await;
    assert_eq!(pods.len(), 3);
    space.kill_pod(pods[1]["metadata"]["name"].as_str().unwrap()).await;
    let test = space.ended("test").await;
    assert_ended(&test, "Invalid", "GeneratorLost");
    let row = row(&test, 1);
    assert_eq!(row["reason"], "GeneratorLost", "{row}");
    assert_eq!(
        (&row["tasks"], &row["loads"][0]["requests"]["ok"]),
        (&json!(12), &json!(12)),
        "two of three times six: {row}"
    );
    let served = space.served("web");
    assert!((12..18).contains(&served), "the killed generator's share was sent by another: {served}");
    space.assert_put_back(&before).await;
}

#[tokio::test]
async fn a_job_deleted_in_mid_row_is_not_made_again() {
    let Some(space) = Space::new("jobgone").await else { return };
    space.with_web_servers().await;
    let before = space.written().await;
    space.apply(&sized(1, 12)).await;
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
}
