//! What GitOps tools make of a LoadTest: kstatus' rules and the health script for Argo CD, over every status that was ever written.

use std::cell::RefCell;

use mlua::{Function, Lua, LuaSerdeExt};
use serde_json::{Value, json};

use crate::fake::store::Change;
use crate::lab::{Lab, on_virtual_time, reference_spec};

/// What kstatus says of an object (Flux, Helm 4, kpt).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kstatus {
    InProgress,
    Failed,
    Current,
    Terminating,
}

/// kstatus' rules for a kind that it has no rules of its own for, in its order
/// (cli-utils 1.2, pkg/kstatus/status: checkGenericProperties, then checkReadyCondition).
pub fn kstatus(object: &Value) -> Kstatus {
    if object["metadata"]["deletionTimestamp"].is_string() {
        return Kstatus::Terminating;
    }
    let (generation, observed) = (&object["metadata"]["generation"], &object["status"]["observedGeneration"]);
    if generation.is_number() && observed.is_number() && generation != observed {
        return Kstatus::InProgress;
    }
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    for condition in &conditions {
        match (condition["type"].as_str(), condition["status"].as_str()) {
            (Some("Reconciling"), Some("True")) => return Kstatus::InProgress,
            (Some("Stalled"), Some("True")) => return Kstatus::Failed,
            _ => {}
        }
    }
    match conditions.iter().find(|condition| condition["type"] == "Ready").map(|ready| &ready["status"]) {
        Some(status) if status == "True" => Kstatus::Current,
        Some(_) => Kstatus::InProgress,
        None => Kstatus::Current,
    }
}

thread_local! {
    /// The script as Argo CD runs it: a chunk that sees the object as `obj` and returns a table. Lua 5.1, as gopher-lua is.
    static ARGO: RefCell<(Lua, Function)> = RefCell::new({
        let lua = Lua::new();
        let script = lua.load(include_str!("../../docs/argocd-health.lua")).into_function().expect("Lua");
        (lua, script)
    });
}

/// Status and message that Argo CD shows.
pub fn argo(object: &Value) -> (String, String) {
    ARGO.with_borrow(|(lua, script)| {
        // Argo CD hands over what JSON it has, where a null is an absent field.
        let options = mlua::serde::ser::Options::new().serialize_none_to_null(false).serialize_unit_to_null(false);
        lua.globals().set("obj", lua.to_value_with(object, options).expect("an object")).expect("a global");
        let answer: mlua::Table = script.call(()).expect("a table");
        (answer.get("status").expect("a status"), answer.get("message").expect("a message"))
    })
}

/// What both must say, by the operator's own words.
fn wanted(object: &Value) -> (Kstatus, &'static str) {
    let status = &object["status"];
    let seen = status["observedGeneration"] == object["metadata"]["generation"];
    let held = status["conditions"][0]["reason"] == "Suspended";
    let words = match (status["phase"].as_str(), status["verdict"].as_str()) {
        _ if !seen => (Kstatus::InProgress, "Progressing"),
        (Some("Finished"), Some("Passed")) => (Kstatus::Current, "Healthy"),
        (Some("Finished"), _) => (Kstatus::Failed, "Degraded"),
        _ if held => (Kstatus::InProgress, "Suspended"),
        _ => (Kstatus::InProgress, "Progressing"),
    };
    if object["metadata"]["deletionTimestamp"].is_string() { (Kstatus::Terminating, words.1) } else { words }
}

/// Fails on the first status of a LoadTest of which either says something else.
pub fn verify(changes: &[Change]) -> Vec<Kstatus> {
    let tests = changes.iter().filter(|change| change.key.0 == "loadtests" && change.kind != "DELETED");
    let mut said = Vec::new();
    for change in tests {
        let (by_rules, (health, message)) = (kstatus(&change.object), argo(&change.object));
        assert_eq!((by_rules, health.as_str()), wanted(&change.object), "{message}\n{}", change.object);
        assert!(!message.is_empty(), "{}", change.object);
        said.push(by_rules);
    }
    said.dedup();
    said
}

#[test]
fn a_run_is_in_progress_until_it_is_current() {
    let said = on_virtual_time(|| async {
        let mut lab = Lab::with(reference_spec());
        lab.finish(std::time::Duration::from_secs(900)).await;
        verify(&lab.fake.world().store.changes)
    });
    assert_eq!(said, [Kstatus::InProgress, Kstatus::Current]);
}

#[test]
fn a_test_that_is_refused_is_failed_and_one_that_is_held_is_neither() {
    let object = |conditions: Value| json!({"metadata": {"generation": 2}, "status": {"observedGeneration": 2, "conditions": conditions}});
    let condition = |type_: &str, status: &str, reason: &str| json!({"type": type_, "status": status, "reason": reason, "message": "why"});
    let refused =
        object(json!([condition("Ready", "False", "InvalidSpec"), condition("Stalled", "True", "InvalidSpec")]));
    assert_eq!((kstatus(&refused), argo(&refused)), (Kstatus::Failed, ("Degraded".into(), "InvalidSpec: why".into())));
    let held = object(json!([condition("Ready", "False", "Suspended")]));
    assert_eq!((kstatus(&held), argo(&held).0), (Kstatus::InProgress, "Suspended".into()));
    let new = json!({"metadata": {"generation": 1}, "status": {"observedGeneration": -1}});
    assert_eq!((kstatus(&new), argo(&new).0), (Kstatus::InProgress, "Progressing".into()));
    let no_status = json!({"metadata": {"generation": 1}});
    assert_eq!(argo(&no_status).0, "Progressing");
}
