//! The walk of a reader: from a cluster without the operator by the readme's "Your first own test", then the tutorial, each command as it is
//! shown, with the names of images and places replaced from one table.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::application::web;
use crate::shown::shell::Shell;
use crate::shown::table::{By, TABLE, line};
use crate::shown::{Shown, root, shown};
use crate::space::{Space, documents};

/// The installed operator goes, and comes back as the other scenarios have it.
struct Reinstalled {
    config: String,
}

impl Drop for Reinstalled {
    fn drop(&mut self) {
        let helm = std::env::var("LOADTEST_HELM").expect("LOADTEST_HELM names helm (dev/helm/build prints its path)");
        let install =
            ["upgrade", "--install", "loadtest", "charts/loadtest-operator", "--namespace", "loadtest-system"];
        let options = ["--create-namespace", "--wait", "--timeout", "3m", "--values", "dev/test-values.yaml"];
        let mut command = Command::new(helm);
        command.args(["--kubeconfig", &self.config]).args(install).args(options).current_dir(root());
        let output = command.output().unwrap();
        if !output.status.success() {
            eprintln!("the operator is not back: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

/// The commands of a page, or of one of its sections, that need a cluster.
fn of_page(file: &str, section: &str) -> Vec<Shown> {
    let on_cluster = |one: &Shown| line(&one.text).is_some_and(|at| [By::Server, By::Node].contains(&TABLE[at].1));
    let here = |one: &Shown| one.file == file && one.section.starts_with(section) && on_cluster(one);
    shown().into_iter().filter(here).collect()
}

/// What is said and done where the operator and its resource definition are gone.
async fn without_an_operator(space: &Space, shell: &Shell) {
    let watched = shell.run("kubectl loadtest watch first");
    let said = String::from_utf8_lossy(&watched.stderr);
    assert!(watched.status.code() == Some(5) && said.contains("install the operator's chart first"), "{said}");
    let claim = json!({"uid": "0a1b", "test": "gone", "run": 1, "container": "my-worker", "originals": {"replicas": 1},
        "set": {"replicas": 2}, "until": "2026-01-01T00:00:00.000Z"});
    let metadata =
        json!({"labels": {"loadtest.dev/claim": "0a1b.1"}, "annotations": {"loadtest.dev/claim": claim.to_string()}});
    space.merge("deployments", "my-worker", json!({"metadata": metadata, "spec": {"replicas": 2}})).await;
    shell.must("a claim that was left", "kubectl loadtest restore deploy/my-worker");
    let worker = space.get("deployments", "my-worker").await.unwrap();
    assert_eq!(
        (&worker["spec"]["replicas"], worker["metadata"]["labels"].get("loadtest.dev/claim")),
        (&json!(1), None)
    );
}

const CHART: &str = "charts/loadtest-operator/README.md";
const TUTORIAL: &str = "docs/user/tutorial.md";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_readme_and_the_tutorial_lead_a_reader_from_no_operator_to_a_report() {
    let Some(space) = Space::new("reader").await else { return };
    let _back = Reinstalled { config: space.cluster.config.clone() };
    space.create(&["shop", "my-api"].map(web).concat()).await;
    // What works behind another one has no Service.
    let worker = documents(&web("my-worker")).remove(0);
    space.cluster.create(&space.name, &worker, false).await.unwrap();
    space.all_ready().await;
    let program = Path::new(env!("CARGO_BIN_EXE_loadtest"));
    let shell = Shell::new(program, "http://127.0.0.1:9").with_namespace(&space.name).with_files();
    let shell = shell.on(&space.cluster.config, &space.cluster.kubectl);
    let walk = |commands: Vec<Shown>, least: usize| {
        assert!(commands.len() >= least, "{commands:?}");
        let run = |one: &Shown| shell.must(&format!("{}:{}", one.file, one.line), &one.text);
        tokio::task::block_in_place(|| commands.iter().map(run).collect::<Vec<_>>())
    };

    // Nothing of it is left, as on a cluster that never had it.
    walk(of_page(CHART, "Upgrade and removal"), 3);
    without_an_operator(&space, &shell).await;
    walk(of_page("README.md", "Your first own test"), 5);
    let first = space.test("first").await;
    assert_eq!(first["status"]["verdict"], "Passed", "{}", first["status"]);
    let mut chart = of_page(CHART, "");
    let asks = ["helm test", "kubectl -n loadtest-system"];
    chart.retain(|one| asks.iter().any(|first| one.text.starts_with(first)));
    let tested = walk(chart, 3);
    assert!(tested[0].contains("Succeeded"), "{tested:?}");
    walk(of_page("docs/user/troubleshooting.md", "Nothing happens at all"), 2);

    walk(of_page(TUTORIAL, "3."), 4);
    shell.manifest("lt.yaml", TUTORIAL, "metadata: {name: my-api}");
    let said = walk(of_page(TUTORIAL, "4."), 3);
    assert!(said[1].contains("Verdict: Passed"), "{said:?}");
    let report = std::fs::read_to_string(shell.path("report.html")).unwrap();
    assert!(report.contains("my-api.clients"), "the page draws the sweep");
}
