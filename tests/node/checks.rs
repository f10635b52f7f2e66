//! What scenarios assert in the same words.

use serde_json::{Value, json};

use crate::space::Space;
use crate::wait::{PATIENCE, eventually};

const CLAIM: &str = "loadtest.dev/claim";

/// A condition of a LoadTest; null when it is absent.
pub fn condition<'a>(test: &'a Value, name: &str) -> &'a Value {
    let all = test["status"]["conditions"].as_array();
    all.and_then(|all| all.iter().find(|condition| condition["type"] == name)).unwrap_or(&Value::Null)
}

/// A run that ended: verdict, reason, and every condition as the table of docs/protocol.md has it.
pub fn assert_ended(test: &Value, verdict: &str, reason: &str) {
    let status = &test["status"];
    let ready = condition(test, "Ready");
    assert_eq!((&status["verdict"], &ready["reason"]), (&json!(verdict), &json!(reason)), "{ready}");
    let passed = verdict == "Passed";
    let is = |name: &str| condition(test, name)["status"].as_str().unwrap_or("absent").to_owned();
    let seen = ["Ready", "Reconciling", "Stalled", "Succeeded", "Finished"].map(is);
    let wanted = if passed {
        ["True", "absent", "absent", "True", "True"]
    } else {
        ["False", "absent", "True", "False", "True"]
    };
    assert_eq!(seen, wanted, "{}", status["conditions"]);
    for condition in status["conditions"].as_array().unwrap() {
        assert_eq!(condition["reason"], reason, "{condition}");
        assert_eq!(condition["observedGeneration"], test["metadata"]["generation"], "{condition}");
    }
    assert_ne!(ready["message"], "", "a person is told nothing");
}

/// The row of a status, which must be there.
pub fn row(test: &Value, number: i64) -> &Value {
    let rows = test["status"]["results"].as_array();
    let row = rows.and_then(|rows| rows.iter().find(|row| row["row"] == number));
    row.unwrap_or_else(|| panic!("no row {number} in {}", test["status"]["results"]))
}

/// All that a person wrote into a workload: labels, annotations and the whole spec.
#[derive(Debug, PartialEq)]
pub struct Written {
    name: String,
    labels: Value,
    annotations: Value,
    pub spec: Value,
}

impl Written {
    /// Whether it is the workload of this name.
    pub fn is(&self, name: &str) -> bool {
        self.name == name
    }
}

impl Space {
    /// Every Deployment and StatefulSet.
    pub async fn workloads(&self) -> Vec<Value> {
        let mut all = self.list("deployments", None).await;
        all.extend(self.list("statefulsets", None).await);
        all
    }

    /// The workloads as they are now.
    pub async fn written(&self) -> Vec<Written> {
        let of = |mut workload: Value| {
            let mut metadata = workload["metadata"].take();
            if let Some(annotations) = metadata["annotations"].as_object_mut() {
                // The Deployment controller counts rollouts there.
                annotations.remove("deployment.kubernetes.io/revision");
            }
            Written {
                name: metadata["name"].as_str().unwrap().to_owned(),
                labels: metadata["labels"].take(),
                annotations: metadata["annotations"].take(),
                spec: workload["spec"].take(),
            }
        };
        self.workloads().await.into_iter().map(of).collect()
    }

    /// Nothing of a test is left: the workloads are as they were, without claim, and no Job sends or samples.
    pub async fn assert_put_back(&self, before: &[Written]) {
        assert_eq!(self.written().await, before);
        self.assert_no_claim().await;
        self.assert_no_job().await;
    }

    /// No workload carries a claim.
    pub async fn assert_no_claim(&self) {
        for workload in self.workloads().await {
            let metadata = &workload["metadata"];
            assert_eq!(metadata["labels"].get(CLAIM), None, "{metadata}");
            assert_eq!(metadata["annotations"].get(CLAIM), None, "{metadata}");
        }
    }

    /// No Job is left, and soon no pod of one.
    pub async fn assert_no_job(&self) {
        eventually("no Job and no agent pod is left", PATIENCE, async || {
            let mut left = self.list("jobs", None).await;
            left.extend(self.list("pods", Some("loadtest.dev/run")).await);
            if left.is_empty() {
                return Ok(());
            }
            Err(left.iter().map(|object| object["metadata"]["name"].to_string()).collect::<Vec<_>>().join(", "))
        })
        .await;
    }

    /// The reasons of a test's events, in order of their first time.
    pub async fn reasons(&self, test: &str) -> Vec<String> {
        let mut events = self.list("events", None).await;
        events.retain(|event| event["regarding"]["kind"] == "LoadTest" && event["regarding"]["name"] == test);
        events.sort_by_key(|event| event["eventTime"].as_str().unwrap_or_default().to_owned());
        events.iter().map(|event| event["reason"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

/// Each of `wanted` is there, and they come in this order.
pub fn assert_in_order(seen: &[String], wanted: &[&str]) {
    let mut rest = seen.iter();
    for reason in wanted {
        assert!(rest.any(|seen| seen == reason), "{reason} is missing or late in {seen:?}");
    }
}
