//! Where each command that is shown is run, by its first words; the longest that fit count. A command that none of them fits fails
//! `tests/commands.rs`: it is run by a test, or stands here with the reason why not.

use super::Shown;

/// Who runs a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// `tests/commands.rs`: it needs no cluster.
    Alone,
    /// `tests/api/shown.rs`: an API server, where statuses are written by the test.
    Server,
    /// `tests/node/alone/reader.rs`: an operator, pods and load.
    Node,
    /// A script of the tests, that has this text in it.
    Script(&'static str, &'static str),
    /// Nobody, for this reason.
    Nobody(&'static str),
    /// It is no command.
    NotOne(&'static str),
}

use By::{Alone, Nobody, Node, NotOne, Script, Server};

const OUTPUT: &str = "what a program prints";
const NAME: &str = "names a command in a sentence, without its arguments";
const BY_HAND: &str = "takes too long for a test of every change; it is run by hand before a release";

pub const TABLE: &[(&str, By)] = &[
    ("loadtest run", Alone),
    ("kubectl loadtest run", Alone),
    ("loadtest validate", Alone),
    ("kubectl loadtest validate", Alone),
    ("loadtest completion", Alone),
    ("cargo run --bin loadtest -- validate", Alone),
    ("kubectl", Server),
    ("test \"$(kubectl", Server),
    ("ln -s", Server),
    ("kubectl -n loadtest-system", Node),
    ("kubectl delete loadtests --all", Node),
    ("kubectl delete crd", Node),
    ("helm upgrade --install loadtest charts/loadtest-operator", Node),
    ("helm test", Node),
    ("helm uninstall", Node),
    ("kubectl delete namespace loadtest-system", Node),
    ("helm rollback", Script("tests/node/alone/upgrade.rs", "rollback(")),
    (
        "helm upgrade loadtest charts/loadtest-operator --namespace loadtest-system --reset-then-reuse-values",
        Script("dev/test-chart.sh", "metrics.podMonitor.enabled=true"),
    ),
    ("--set networkPolicy", Script("dev/test-chart.sh", "networkPolicy.agents.enabled=true")),
    ("make deps", Script(".ci/run", "make deps")),
    ("make test", Script(".ci/run", "test")),
    ("make lint", Script("dev/test", "level_lint")),
    ("make generate", Script("dev/test", "dev/generate")),
    ("make bench-check", Script("dev/test", "dev/bench-check")),
    ("make help", Alone),
    ("dev/test", Script(".ci/run", "test")),
    ("dev/images operator", Script("dev/node-cluster.sh", "dev/images operator")),
    ("dev/cluster/up", Script("dev/node-cluster.sh", "dev/cluster/up")),
    ("dev/cluster/up light", Script("dev/api-cluster.sh", "dev/cluster/up light")),
    ("dev/cluster/load", Script("dev/node-cluster.sh", "dev/cluster/load")),
    ("dev/cluster/ns", Script("dev/node-cluster.sh", "dev/cluster/ns")),
    ("dev/cluster/down", Script("dev/test", "dev/cluster/down wipe")),
    ("DEVCLUSTER_STATE=", Script("dev/test", "DEVCLUSTER_STATE=")),
    ("cargo test --lib", Script("dev/test-safety", "defences")),
    ("cargo test --config", Script("dev/test-safety", "explorer")),
    ("make demo", Nobody(BY_HAND)),
    (
        "sed 's/durationSeconds: 1800/durationSeconds: 480/' examples/memory.yaml",
        Nobody("eight minutes; tests/node/memory.rs runs the example in four, with a leak and without"),
    ),
    ("make down", Nobody(BY_HAND)),
    ("make fractal", Nobody("its example is run shortened by tests/node/alone/servers.rs")),
    ("make pulp", Nobody("its example is run shortened by tests/node/alone/servers.rs")),
    ("make bench", Nobody(BY_HAND)),
    ("make bench-operator", Nobody(BY_HAND)),
    ("make test-safety", Nobody(BY_HAND)),
    ("make test-truth", Nobody(BY_HAND)),
    ("cargo build --release", Nobody("builds for ten minutes; the tests' own build of the program stands in for it")),
    (
        "kind load image-archive",
        Nobody("kind needs docker; dev/cluster/load brings the same archive to the tests' node"),
    ),
    ("kubectl port-forward", Nobody("goes on until it is stopped; what is run beside it has the test's own address")),
    (
        "kubectl loadtest <TAB>",
        NotOne("a key that is pressed; what kubectl asks then is tested in src/cli/completion.rs"),
    ),
    ("kubectl loadtest …", NotOne(NAME)),
    ("kubectl create token", NotOne(NAME)),
    ("kubectl wait --for=condition=Finished", NotOne(NAME)),
    ("kubectl rollout undo", NotOne(NAME)),
    ("Verdict:", NotOne(OUTPUT)),
    ("row 2/5", NotOne(OUTPUT)),
];

/// Number of the line of the table that counts; `None`: it has none for this command.
pub fn line(text: &str) -> Option<usize> {
    let fits = |first: &str| {
        text.strip_prefix(first)
            .is_some_and(|rest| rest.is_empty() || !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-'))
    };
    let fit = (0..TABLE.len()).filter(|number| fits(TABLE[*number].0));
    fit.max_by_key(|number| TABLE[*number].0.len())
}

/// The commands that one test program runs.
pub fn of(by: By) -> Vec<Shown> {
    super::shown().into_iter().filter(|shown| line(&shown.text).is_some_and(|number| TABLE[number].1 == by)).collect()
}
