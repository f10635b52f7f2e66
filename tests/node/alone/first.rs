//! The first ten minutes: from a cluster that has the images and an application to a verdict, as the tutorial goes.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::node::Away;
use super::release::install;
use crate::space::Space;

/// Longest that the way to the first verdict may take: the promise of the readme.
const BUDGET: Duration = Duration::from_secs(180);

#[tokio::test]
async fn three_commands_and_no_file_lead_to_a_verdict_with_a_number() {
    let Some(space) = Space::new("first").await else { return };
    let _away = Away::begin(&space.cluster).await;
    space.with_web_servers().await;
    let began = Instant::now();

    // 1: helm upgrade --install
    install(&space, "dev");

    // 2: kubectl loadtest init deploy/web | kubectl apply -f -
    let plugin = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
        command.args(args).args(["--kubeconfig", &space.cluster.config, "-n", &space.name]);
        command
    };
    let mut init = plugin(&["init", "deployment/web"]).stdout(Stdio::piped()).spawn().unwrap();
    let applied = Command::new(&space.cluster.kubectl)
        .args(["--kubeconfig", &space.cluster.config, "-n", &space.name, "apply", "-f", "-"])
        .stdin(init.stdout.take().unwrap())
        .output()
        .unwrap();
    assert!(init.wait().unwrap().success() && applied.status.success(), "{applied:?}");

    // 3: kubectl loadtest watch web
    let mut watch = plugin(&["watch", "web"]).stdout(Stdio::piped()).spawn().unwrap();
    while watch.try_wait().unwrap().is_none() && began.elapsed() < BUDGET {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let _ = watch.kill();
    let watched = watch.wait_with_output().unwrap();
    let test = space.test("web").await;
    assert_eq!(watched.status.code(), Some(0), "no verdict: {}", test["status"]["conditions"]);
    let said = String::from_utf8_lossy(&watched.stdout);
    let rate = test["status"]["results"][0]["loads"][0]["requests"]["perSecond"].as_str().expect("a number");
    assert!(rate.parse::<f64>().is_ok_and(|rate| rate > 0.0), "{rate}");
    assert!(said.contains("Passed"), "{said}");
}
