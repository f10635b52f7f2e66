//! A release of the chart in a scenario's namespace, beside the application.

use std::process::Command;

use crate::space::Space;

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/loadtest-operator");
/// The release's name.
pub const RELEASE: &str = "scoped";
/// Its Deployment.
pub const DEPLOYMENT: &str = "scoped-loadtest-operator";

/// Runs helm on the release; gives what it printed.
fn helm(space: &Space, args: &[&str]) -> String {
    let helm = std::env::var("LOADTEST_HELM").expect("LOADTEST_HELM names helm (dev/helm/build prints its path)");
    let output = Command::new(helm)
        .args(["--kubeconfig", &space.cluster.config, "--namespace", &space.name])
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "helm {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Installs the chart for the scenario's namespace, or upgrades it, with the operator's image of that tag.
pub fn install(space: &Space, tag: &str) {
    let (tag, scope) = (format!("image.tag={tag}"), format!("config.watchNamespaces={{{}}}", space.name));
    let sets = ["image.repository=dev.local/loadtest-operator", &tag, "crds.enabled=false", &scope];
    let mut args = vec!["upgrade", "--install", RELEASE, CHART, "--wait", "--timeout", "3m"];
    args.extend(sets.iter().flat_map(|set| ["--set", set]));
    helm(space, &args);
}

/// Goes back to the revision before.
pub fn rollback(space: &Space) {
    helm(space, &["rollback", RELEASE, "--wait", "--timeout", "2m"]);
}

/// Runs the release's own test.
pub fn test(space: &Space) -> String {
    helm(space, &["test", RELEASE, "--timeout", "2m"])
}

/// Removes the release.
pub fn uninstall(space: &Space) {
    helm(space, &["uninstall", RELEASE, "--wait", "--timeout", "2m"]);
}
