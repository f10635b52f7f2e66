//! One object that this version can't read delays no other.

use serde_json::{Value, json};

use crate::cluster::eventually::eventually;
use crate::cluster::space::Space;
use crate::operator::Operator;

const CRD: &str = "loadtests.loadtest.dev";
/// A version that takes everything, as an older or looser definition may have.
const LOOSE: &str = "v0loose";

/// Serves the loose version beside the strict one: what is written through it is stored unchecked.
async fn serve_loose_version(space: &Space) {
    let crd = space.cluster.get("customresourcedefinitions", "", CRD).await.expect("the resource definition");
    let mut versions = crd["spec"]["versions"].as_array().unwrap().clone();
    if !versions.iter().any(|version| version["name"] == LOOSE) {
        let anything = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        versions
            .push(json!({"name": LOOSE, "served": true, "storage": false, "schema": {"openAPIV3Schema": anything}}));
        let patch = json!({"spec": {"versions": versions}});
        space.merge("customresourcedefinitions", CRD, patch).await;
    }
}

async fn create_unreadable(space: &Space, name: &str, spec: Value) {
    let object = json!({"apiVersion": format!("loadtest.dev/{LOOSE}"), "kind": "LoadTest",
        "metadata": {"name": name}, "spec": spec});
    let path = format!("/apis/loadtest.dev/{LOOSE}/namespaces/{}/loadtests", space.name);
    eventually("the loose version is served", 60, async || {
        space.cluster.post(&path, &object).await.map_err(|error| error.to_string())
    })
    .await;
}

#[tokio::test]
async fn one_unreadable_object_among_a_hundred_delays_no_other() {
    let Some(space) = Space::new("unreadable").await else { return };
    serve_loose_version(&space).await;
    let loads = json!([{"name": "m", "url": "http://web/"}]);
    create_unreadable(&space, "unreadable", json!({"loads": loads, "repeats": "many"})).await;
    let mut operator = Operator::start(&space.cluster, &space.name, "limits: {maxConcurrentTests: 1000}\n");
    for number in 0..100 {
        // Their host is not allowed, which is found out after the other tests of the namespace were listed.
        let spec = json!({"loads": [{"name": "m", "url": "http://example.com/"}]});
        let test = json!({"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest",
            "metadata": {"name": format!("t{number}")}, "spec": spec});
        space.cluster.create(&space.name, &test, false).await.unwrap();
    }
    eventually("a hundred tests came to their end", 120, async || {
        let tests = space.list("loadtests", None).await;
        let ended = |test: &&Value| {
            let conditions = test["status"]["conditions"].as_array();
            let stalled = conditions.and_then(|all| all.iter().find(|condition| condition["type"] == "Stalled"));
            stalled.is_some_and(|stalled| stalled["reason"] == "UrlNotAllowed")
        };
        let waiting: Vec<_> = tests.iter().filter(|test| test["spec"]["repeats"] != "many" && !ended(test)).collect();
        assert_eq!(tests.len(), 101);
        match waiting.first() {
            None => Ok(()),
            Some(test) => Err(format!("{} are not over; the first: {}", waiting.len(), test["status"])),
        }
    })
    .await;
    let unreadable = space.test("unreadable").await;
    let conditions = unreadable["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let stalled = conditions.iter().find(|condition| condition["type"] == "Stalled");
    let stalled = stalled.unwrap_or_else(|| panic!("its owner is told nothing: {}", unreadable["status"]));
    assert_eq!(stalled["reason"], "InvalidSpec");
    assert!(stalled["message"].as_str().unwrap().starts_with("spec.repeats: "), "{stalled}");
    operator.assert_never_restarted();
    assert!(!operator.log().contains("many"), "what stands in the spec is in the log");
}
