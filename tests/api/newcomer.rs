//! What goes wrong in the first ten minutes: each error says what it was about and what to do.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::cluster::space::Space;

/// Exit code, and all that was printed, of a command; in a namespace, with a kubeconfig.
fn said(config: &str, namespace: &str, words: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    let output = command.args(words).args(["-n", namespace, "--kubeconfig", config]).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&text).into_owned())
}

/// The cluster's kubeconfig with another user: one who may do nothing, or one whom the cluster does not know.
fn kubeconfig(space: &Space, folder: &tempfile::TempDir, edit: impl FnOnce(&mut Value)) -> String {
    let text = std::fs::read_to_string(&space.cluster.config).unwrap();
    let mut file: Value = serde_saphyr::from_str(&text).unwrap();
    edit(&mut file["users"][0]["user"]);
    let path = folder.path().join("kubeconfig");
    std::fs::write(&path, file.to_string()).unwrap();
    path.display().to_string()
}

async fn created(space: &Space) {
    let test = json!({"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest", "metadata": {"name": "first"},
        "spec": {"loads": [{"name": "m", "url": "http://api:8080/"}]}});
    space.cluster.create(&space.name, &test, false).await.unwrap();
}

#[tokio::test]
async fn who_has_no_right_is_told_which_and_whom_to_ask() {
    let Some(space) = Space::new("newcomer").await else { return };
    created(&space).await;
    let folder = tempfile::tempdir().unwrap();
    let nobody = kubeconfig(&space, &folder, |user| user["as"] = "nobody".into());
    for words in [
        ["watch", "first"],
        ["report", "first"],
        ["cancel", "first"],
        ["init", "deploy/api"],
        ["restore", "deploy/api"],
    ] {
        let (code, said) = said(&nobody, &space.name, &words);
        assert_eq!(code, 5, "{words:?}: {said}");
        assert!(said.contains("User \"nobody\" cannot ") && said.contains("ask who administers the cluster"), "{said}");
    }
    let file = folder.path().join("lt.yaml");
    std::fs::write(&file, "apiVersion: loadtest.dev/v1alpha1\nkind: LoadTest\nmetadata: {name: t}\nspec: {loads: [{name: m, url: 'http://api:8080'}]}\n").unwrap();
    let (code, said) = said(&nobody, &space.name, &["plan", "-f", &file.display().to_string()]);
    assert!(code == 3 && said.contains("NO    the API server would refuse it") && said.contains("nobody"), "{said}");
}

#[tokio::test]
async fn who_is_not_known_or_finds_nobody_is_told_what_to_try() {
    let Some(space) = Space::new("newcomer").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let stranger = kubeconfig(&space, &folder, |user| *user = json!({"token": "worn-out"}));
    let (code, text) = said(&stranger, &space.name, &["watch", "first"]);
    assert!(code == 5 && text.contains("log in again") && !text.contains("worn-out"), "{text}");
    let far = std::fs::read_to_string(&stranger).unwrap();
    let port = far.split("127.0.0.1:").nth(1).unwrap().split('"').next().unwrap();
    std::fs::write(&stranger, far.replace(port, "9")).unwrap();
    let (code, text) = said(&stranger, &space.name, &["watch", "first"]);
    assert!(code == 5 && text.contains("refused") && text.contains("kubectl cluster-info"), "{text}");
}

#[tokio::test]
async fn who_looks_in_the_wrong_namespace_is_told_where_to_look() {
    let Some(space) = Space::new("newcomer").await else { return };
    let config = space.cluster.config.clone();
    let (code, text) = said(&config, "no-such-place", &["watch", "first"]);
    assert!(
        code == 2 && text.contains("no LoadTest first in namespace no-such-place; kubectl get loadtests -A"),
        "{text}"
    );
    let (code, text) = said(&config, "no-such-place", &["init", "deploy/api"]);
    assert!(code == 2 && text.contains("kubectl get deployments,statefulsets -n no-such-place"), "{text}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lt.yaml");
    std::fs::write(&file, "apiVersion: loadtest.dev/v1alpha1\nkind: LoadTest\nmetadata: {name: t}\nspec: {loads: [{name: m, url: 'http://api:8080'}]}\n").unwrap();
    let (code, text) = said(&config, "no-such-place", &["plan", "-f", &file.display().to_string()]);
    assert!(code == 2 && text.contains("there is no namespace no-such-place"), "{text}");
}

#[tokio::test]
async fn who_watches_where_no_operator_is_is_told_so_and_goes_on_watching() {
    let Some(space) = Space::new("newcomer").await else { return };
    created(&space).await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    command.args(["watch", "first", "-n", &space.name, "--kubeconfig", &space.cluster.config]);
    let mut watching = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut shown = std::io::BufReader::new(watching.stderr.take().unwrap());
    let mut text = String::new();
    while !text.contains("kubectl get deployments") {
        assert_ne!(std::io::BufRead::read_line(&mut shown, &mut text).unwrap(), 0, "it ended: {text}");
    }
    assert!(text.contains(&format!("does it watch namespace {}?", space.name)), "{text}");
    assert!(watching.try_wait().unwrap().is_none(), "it goes on");
    watching.kill().unwrap();
    watching.wait().unwrap();
}
