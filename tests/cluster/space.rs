//! A scenario's namespace: unique, restricted, and deleted at the end, also after a failure.

use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::Cluster;

/// The namespace; every call below is about objects in it.
pub struct Space {
    pub cluster: Cluster,
    pub name: String,
}

impl Space {
    /// A new namespace for a scenario, or nothing (and one line that says so) when no cluster is named.
    pub async fn new(scenario: &str) -> Option<Self> {
        let Some(cluster) = Cluster::of_environment().await else {
            // Past the test harness, which keeps the output of tests that pass.
            let _ = writeln!(std::io::stderr(), "skipped {scenario}: LOADTEST_KUBECONFIG names no cluster");
            return None;
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let name = format!("{scenario}-{:x}", now % 0x1_0000_0000);
        let labels = json!({"pod-security.kubernetes.io/enforce": "restricted"});
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
        cluster.create("", &namespace, false).await.unwrap();
        Some(Self { cluster, name })
    }

    /// Creates every document of a manifest.
    pub async fn create(&self, manifest: &str) {
        for object in documents(manifest) {
            let created = self.cluster.create(&self.name, &object, false).await;
            created.unwrap_or_else(|error| panic!("creating {}: {error}", object["metadata"]["name"]));
        }
    }

    pub async fn get(&self, resource: &str, name: &str) -> Option<Value> {
        self.cluster.get(resource, &self.name, name).await
    }

    pub async fn list(&self, resource: &str, label: Option<&str>) -> Vec<Value> {
        self.cluster.list(resource, &self.name, label).await
    }

    /// A merge patch that must be accepted.
    pub async fn merge(&self, resource: &str, name: &str, patch: Value) {
        let merged = self.cluster.merge(resource, &self.name, name, &patch).await;
        merged.unwrap_or_else(|error| panic!("patching {resource} {name}: {error}"));
    }

    /// A merge patch that must be refused; gives what the API server said.
    pub async fn refused_merge(&self, resource: &str, name: &str, patch: Value) -> String {
        match self.cluster.merge(resource, &self.name, name, &patch).await {
            Ok(_) => panic!("accepted on {resource} {name}: {patch}"),
            Err(error) => error.to_string(),
        }
    }

    pub async fn delete(&self, resource: &str, name: &str) {
        self.cluster.delete(resource, &self.name, name, false).await;
    }

    /// Deletes a pod that gets no time to end.
    pub async fn kill_pod(&self, name: &str) {
        self.cluster.delete("pods", &self.name, name, true).await;
    }

    /// The LoadTest, which must be there.
    pub async fn test(&self, name: &str) -> Value {
        self.get("loadtests", name).await.unwrap_or_else(|| panic!("LoadTest {name} is gone"))
    }

    /// Runs a command in a container of a Deployment.
    pub fn exec(&self, deployment: &str, command: &[&str]) -> Result<String, String> {
        let deployment = format!("deployment/{deployment}");
        let args = [&["-n", &self.name, "exec", &deployment, "--"], command].concat();
        self.cluster.kubectl(&args)
    }

    /// What a person would look at first, for a scenario that failed.
    fn print_state(&self) {
        let told = |args: &[&str]| self.cluster.kubectl(args).unwrap_or_else(|error| error);
        let get = |what: &str, output: &str| told(&["-n", &self.name, "get", what, "-o", output]);
        println!("{}", get("loadtests,deployments,pods,jobs", "wide"));
        println!("{}", get("loadtests", "jsonpath={range .items[*]}{.metadata.name}: {.status}{\"\\n\"}{end}"));
        let columns =
            "custom-columns=AT:.metadata.creationTimestamp,OF:.involvedObject.name,REASON:.reason,MESSAGE:.message";
        let events =
            told(&["-n", &self.name, "get", "events", "--sort-by", ".metadata.creationTimestamp", "-o", columns]);
        // What every pod goes through says nothing about a failure.
        let usual = ["Scheduled", "Pulled", "Created", "Started", "SuccessfulCreate", "ScalingReplicaSet"];
        let telling =
            events.lines().filter(|line| !line.split_whitespace().nth(2).is_some_and(|of| usual.contains(&of)));
        telling.for_each(|line| println!("{line}"));
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.print_state();
        }
        // Nobody waits for the end: it goes while the next scenario begins.
        let _ = self.cluster.kubectl(&["delete", "namespace", &self.name, "--wait=false"]);
    }
}

/// The documents of a manifest.
pub fn documents(manifest: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(manifest).unwrap_or_else(|error| panic!("{error}\n{manifest}"))
}
