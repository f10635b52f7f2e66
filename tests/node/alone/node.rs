//! What a scenario does to the node and to the installed operator; each is undone when its value is dropped.

use std::process::Command;

use crate::cluster::Cluster;
use crate::wait::{PATIENCE, eventually};

const NAMESPACE: &str = "loadtest-system";
const OPERATOR: &str = "deployment/loadtest-operator";

/// Runs a command in the cluster's own namespaces (`LOADTEST_NS` is dev/cluster/ns) and gives what it printed.
pub fn on_node(command: &str) -> String {
    let ns = std::env::var("LOADTEST_NS").expect("LOADTEST_NS names dev/cluster/ns of this cluster");
    let output = Command::new(ns).args(["sh", "-c", command]).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// No installed operator runs.
pub struct Away {
    cluster: Cluster,
    replicas: String,
}

impl Away {
    /// Ends every pod of the operator, without time to say goodbye, and lets none come.
    pub async fn begin(cluster: &Cluster) -> Self {
        let replicas = cluster.kubectl(&["-n", NAMESPACE, "get", OPERATOR, "-o", "jsonpath={.spec.replicas}"]).unwrap();
        let away = Self { cluster: cluster.clone(), replicas };
        away.scale("0");
        let selector = "app.kubernetes.io/name=loadtest-operator";
        for pod in cluster.list("pods", NAMESPACE, Some(selector)).await {
            let name = pod["metadata"]["name"].as_str().unwrap();
            // It may have gone by itself meanwhile.
            let _ = cluster.kubectl(&["-n", NAMESPACE, "delete", "pod", name, "--force", "--grace-period=0"]);
        }
        eventually("no operator runs", PATIENCE, async || {
            let left = cluster.list("pods", NAMESPACE, Some(selector)).await.len();
            if left == 0 { Ok(()) } else { Err(format!("{left} pods")) }
        })
        .await;
        away
    }

    fn scale(&self, replicas: &str) {
        let replicas = format!("--replicas={replicas}");
        let _ = self.cluster.kubectl(&["-n", NAMESPACE, "scale", OPERATOR, &replicas]);
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        self.scale(&self.replicas);
        let _ = self.cluster.kubectl(&["-n", NAMESPACE, "rollout", "status", OPERATOR, "--timeout=120s"]);
    }
}

/// The kubelet stands still: it neither starts, probes nor reports anything.
pub struct StoppedKubelet(String);

impl StoppedKubelet {
    pub fn begin() -> Self {
        let id = on_node("pgrep -f '^kube kubelet '");
        assert!(id.parse::<u32>().is_ok(), "not one kubelet: {id:?}");
        on_node(&format!("kill -STOP {id}"));
        Self(id)
    }
}

impl Drop for StoppedKubelet {
    fn drop(&mut self) {
        on_node(&format!("kill -CONT {}", self.0));
    }
}
