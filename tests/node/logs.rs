//! Lines of a target's log are counted while the kubelet rotates them away.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::application::{deployment, load_of, load_test};
use crate::checks::{assert_ended, row};
use crate::space::Space;

/// Says numbered lines of 4 KiB for ever; a kubelet rotates a log of 10 MiB.
const TALKER: &str = r#"
        image: dev.local/busybox:1
        command:
        - sh
        - -c
        - |
          filler=$(printf '%04000d' 0)
          n=0
          while :; do
            sleep 0.02
            for _ in 1 2 3 4; do n=$((n+1)); echo "said $n $filler"; done
          done
        resources: {requests: {cpu: 10m}, limits: {memory: 32Mi}}
"#;

/// kubectl that follows the talker's log, and what it read: instant and number of each line.
struct Listener {
    kubectl: Child,
    heard: Arc<Mutex<Vec<(jiff::Timestamp, u64)>>>,
}

impl Listener {
    fn of(space: &Space) -> Self {
        let args = ["-n", &space.name, "logs", "-f", "--timestamps", "deployment/talker"];
        let mut kubectl = Command::new(&space.cluster.kubectl)
            .env("KUBECONFIG", &space.cluster.config)
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let heard: Arc<Mutex<Vec<_>>> = Arc::default();
        let (lines, into) = (BufReader::new(kubectl.stdout.take().unwrap()).lines(), Arc::clone(&heard));
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut words = line.split(' ');
                let at = words.next().and_then(|at| at.parse().ok());
                let number = words.nth(1).and_then(|number| number.parse().ok());
                into.lock().unwrap().extend(at.zip(number));
            }
        });
        Self { kubectl, heard }
    }

    /// Numbers of the lines in a window, the end exclusive.
    fn between(&self, start: jiff::Timestamp, end: jiff::Timestamp) -> Vec<u64> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|(at, _)| (start..end).contains(at)).map(|(_, number)| *number).collect()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.kubectl.kill();
        let _ = self.kubectl.wait();
    }
}

#[tokio::test]
async fn a_log_that_the_kubelet_rotates_in_mid_row_is_counted_whole() {
    let Some(space) = Space::new("logs").await else { return };
    space.create(&deployment("talker", TALKER)).await;
    space.with_web_servers().await;
    let listener = Listener::of(&space);
    let spec = load_of("web", 1, 15)
        + "  targets: [{name: talker, workloadRef: {name: talker}}]
  measurements: [{name: said, log: {target: talker, regex: '^said '}}]
  settle: {seconds: 2}
";
    space.apply(&load_test("count", &spec)).await;
    let test = space.ended("count").await;
    assert_ended(&test, "Passed", "ThresholdsMet");

    let row = row(&test, 1);
    let instant = |name: &str| row[name].as_str().unwrap().parse().unwrap();
    let heard = listener.between(instant("startedAt"), instant("endedAt"));
    let whole = heard.last().unwrap() - heard.first().unwrap() + 1;
    assert_eq!(heard.len() as u64, whole, "kubectl missed lines");

    let args = ["-n", &space.name, "logs", "--timestamps", "--limit-bytes=64", "deployment/talker"];
    let first = space.cluster.kubectl(&args).unwrap();
    let first: jiff::Timestamp = first.split(' ').next().unwrap().parse().unwrap();
    assert!(first > instant("startedAt"), "nothing was rotated, so nothing is shown");

    let counted = &row["measurements"].as_array().unwrap().iter().find(|one| one["name"] == "said").unwrap()["last"];
    assert_eq!(counted.as_str().unwrap().parse::<u64>().unwrap(), whole, "{row}");
}
