//! Hears the agents' logs while they run: their pods go when the row is over.

use std::collections::BTreeMap;
use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tempfile::TempDir;

use crate::cluster::Cluster;
use crate::space::Space;

/// Agents' containers.
const AGENTS: [&str; 2] = ["generate", "observe"];

/// Follows the log of each agent's pod of a namespace.
pub struct Listener {
    stop: Arc<AtomicBool>,
    heard: JoinHandle<Vec<(&'static str, String)>>,
}

impl Listener {
    /// Begins to listen.
    pub fn begin(space: &Space) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (cluster, namespace, over) = (space.cluster.clone(), space.name.clone(), stop.clone());
        Self { stop, heard: std::thread::spawn(move || listen(&cluster, &namespace, &over)) }
    }

    /// All that was heard, by agent; the pods must have ended.
    pub fn heard(self) -> Vec<(&'static str, String)> {
        self.stop.store(true, Ordering::Relaxed);
        self.heard.join().unwrap()
    }
}

fn listen(cluster: &Cluster, namespace: &str, over: &AtomicBool) -> Vec<(&'static str, String)> {
    let folder = tempfile::tempdir().unwrap();
    let mut followed: BTreeMap<String, Child> = BTreeMap::new();
    while !over.load(Ordering::Relaxed) {
        let path = "jsonpath={range .items[?(@.status.phase!=\"Pending\")]}{.metadata.name} {end}";
        let pods = cluster.kubectl(&["-n", namespace, "get", "pods", "-l", "loadtest.dev/run", "-o", path]);
        for pod in pods.unwrap_or_default().split_whitespace() {
            let follow = || follow(cluster, namespace, pod, &folder);
            followed.entry(pod.to_owned()).or_insert_with(follow);
        }
        std::thread::sleep(Duration::from_millis(300));
    }
    for child in followed.values_mut() {
        // It ended with its pod.
        let _ = child.kill();
        let _ = child.wait();
    }
    let text = |pod: &String| {
        let agent = AGENTS[usize::from(pod.contains("-observe"))];
        (agent, std::fs::read_to_string(folder.path().join(pod)).unwrap())
    };
    followed.keys().map(text).collect()
}

fn follow(cluster: &Cluster, namespace: &str, pod: &str, folder: &TempDir) -> Child {
    let log = File::create(folder.path().join(pod)).unwrap();
    Command::new(&cluster.kubectl)
        .args(["--kubeconfig", &cluster.config, "-n", namespace, "logs", "-f", pod])
        .stdout(Stdio::from(log))
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}
