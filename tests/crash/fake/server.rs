//! What the API server does with a call.

use bytes::Bytes;
use serde_json::{Value, json};

use super::answer::Answer;
use super::path::Path;
use super::selector::matches;
use super::store::{Key, Store, key, text};
use super::{Millis, World, patch};
use crate::cluster::Cluster;
use loadtest_operator::build::CLAIM;

/// Resources whose status is written through the subresource only.
const WITH_STATUS: [&str; 5] = ["loadtests", "deployments", "statefulsets", "jobs", "pods"];

/// A call as it was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    pub path: Path,
    pub content_type: String,
    pub body: Bytes,
}

impl Sent {
    /// What it does, in words, for a person who reads a failed test.
    pub fn words(&self) -> String {
        // An event's name is made from the machine's clock, which no two runs share.
        let name = if self.path.resource.ends_with("events") { "" } else { self.path.name.as_str() };
        let mut words = format!("{} {name}", self.path.class());
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        for op in body.as_array().into_iter().flatten() {
            let (path, value) = (text(op, "/path"), &op["value"]);
            match path {
                "/status" => {
                    let (run, ready) = (&value["run"], &value["conditions"][0]["reason"]);
                    words += &format!(": {} row {} {} {ready}", value["phase"], run["row"], run["step"]);
                }
                "/metadata/resourceVersion" | "/metadata/uid" => {}
                _ => words += &format!(" {} {path}", text(op, "/op")),
            }
        }
        if self.path.verb == "create" {
            words += if body["reason"].is_string() { text(&body, "/reason") } else { text(&body, "/metadata/name") };
        }
        words
    }
}

/// Answers a call; a read as of `ago` milliseconds before.
pub fn answer(world: &mut World, sent: &Sent, ago: Millis) -> Answer {
    let path = &sent.path;
    if let Some((cpu, memory)) = world.cluster.ways.used.filter(|_| path.resource == "metrics.k8s.io/pods") {
        let grown = world.cluster.ways.leak_percent * (world.store.now - super::EPOCH) as f64 / 60_000.0;
        let leaking = format!("{}", (64.0 * 1_048_576.0 * (1.0 + grown / 100.0)).round());
        let memory = if world.cluster.ways.leak_percent > 0.0 { &leaking } else { memory };
        return used(&world.store, &path.namespace, cpu, memory);
    }
    if matches!(path.resource.as_str(), "metrics.k8s.io/pods" | "keda.sh/scaledobjects") {
        return Answer::no(404, "the server could not find the requested resource");
    }
    let past;
    let store = if ago > 0 {
        past = world.store.past(world.store.now - ago);
        &past
    } else {
        &world.store
    };
    let at = key(&path.resource, &path.namespace, &path.name);
    match (path.verb.as_str(), path.sub.as_str()) {
        ("get", "") => match store.get(&at) {
            Some(object) => Answer::object(200, &typed(object.clone(), path)),
            None => missing(path),
        },
        ("list", "") => list(store, path),
        ("get", "log") => Cluster::log(world, &at, path),
        ("create", "") => create(world, sent),
        ("patch", "" | "status") => change(world, &at, sent),
        ("delete", "") => delete(world, &at, sent),
        _ => Answer::no(501, format!("{} is not known", path.class())),
    }
}

fn typed(mut object: Value, path: &Path) -> Value {
    object["apiVersion"] = path.api_version.clone().into();
    object["kind"] = path.kind.clone().into();
    object
}

fn missing(path: &Path) -> Answer {
    Answer::no(404, format!("{} \"{}\" not found", path.resource, path.name))
}

fn list(store: &Store, path: &Path) -> Answer {
    let (labels, fields) = (path.query.get("labelSelector"), path.query.get("fieldSelector"));
    let items: Vec<Value> =
        store.list(&path.resource, &path.namespace).filter(|object| matches(object, labels, fields)).cloned().collect();
    let list = json!({"kind": format!("{}List", path.kind), "apiVersion": path.api_version,
        "metadata": {"resourceVersion": store.version().to_string()}, "items": items});
    Answer::object(200, &list)
}

/// What each pod uses, measured over the last two seconds.
fn used(store: &Store, namespace: &str, cpu: &str, memory: &str) -> Answer {
    let at = jiff::Timestamp::from_millisecond(store.now).expect("an instant").to_string();
    let measured = |pod: &Value| {
        let name = &pod["spec"]["containers"][0]["name"];
        json!({"metadata": {"name": pod["metadata"]["name"]}, "timestamp": at, "window": "2s",
            "containers": [{"name": name, "usage": {"cpu": cpu, "memory": memory}}]})
    };
    let items: Vec<Value> = store.list("pods", namespace).map(measured).collect();
    Answer::object(200, &json!({"kind": "PodMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "items": items}))
}

fn create(world: &mut World, sent: &Sent) -> Answer {
    let path = &sent.path;
    let Ok(object) = serde_json::from_slice::<Value>(&sent.body) else { return Answer::no(422, "no JSON") };
    let at = key(&path.resource, &path.namespace, text(&object, "/metadata/name"));
    if path.is_dry_run() {
        return match world.store.get(&at) {
            Some(_) => Answer::exists(&path.resource, &at.2),
            None => Answer::object(201, &typed(object, path)),
        };
    }
    match world.store.create(&at, object) {
        Some(object) => {
            Cluster::noticed(world, &at, None);
            Answer::object(201, &typed(object, path))
        }
        None => Answer::exists(&path.resource, &at.2),
    }
}

/// A patch, with the resource version and the uid that it names as preconditions.
fn change(world: &mut World, at: &Key, sent: &Sent) -> Answer {
    let path = &sent.path;
    let Some(old) = world.store.get(at).cloned() else { return missing(path) };
    let mut new = match patch::patched(&old, &sent.content_type, &sent.body) {
        Ok(new) => new,
        Err(answer) => return answer,
    };
    for fixed in ["resourceVersion", "uid"] {
        if new["metadata"][fixed] != old["metadata"][fixed] {
            let why = format!("the {fixed} of {} is {}, not {}", at.2, old["metadata"][fixed], new["metadata"][fixed]);
            return Answer::no(409, why);
        }
    }
    if path.sub == "status" {
        let status = new["status"].take();
        new = old.clone();
        new["status"] = status;
    } else if WITH_STATUS.contains(&path.resource.as_str()) && new["status"] != old["status"] {
        new["status"] = old["status"].clone();
    }
    if path.is_dry_run() {
        if world.cluster.ways.webhook && path.resource == "deployments" {
            new["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"] = "100m".into();
        }
        return Answer::object(200, &typed(new, path));
    }
    let stored = world.store.update(at, new);
    if path.resource == "loadtests" && held(&old) && !held(&stored) {
        let claimed = claimed_by(&world.store, text(&old, "/metadata/uid"));
        world.journal.let_go.extend(claimed.map(|target| format!("{target}: {}", sent.words())));
    }
    Cluster::noticed(world, at, Some(&old));
    Answer::object(200, &typed(stored, path))
}

fn held(object: &Value) -> bool {
    object["metadata"]["finalizers"].as_array().is_some_and(|all| !all.is_empty())
}

/// The workloads that bear a claim of that LoadTest.
fn claimed_by(store: &Store, uid: &str) -> impl Iterator<Item = String> {
    let is_its = |object: &&Value| {
        let label = object["metadata"]["labels"][CLAIM].as_str();
        label.is_some_and(|label| label.split('.').next() == Some(uid))
    };
    let of = |kind: &str| -> Vec<String> {
        store.list(kind, "").filter(is_its).map(|object| text(object, "/metadata/name").to_owned()).collect()
    };
    of("deployments").into_iter().chain(of("statefulsets"))
}

fn delete(world: &mut World, at: &Key, sent: &Sent) -> Answer {
    let Some(old) = world.store.get(at).cloned() else { return missing(&sent.path) };
    let options: Value = serde_json::from_slice(&sent.body).unwrap_or_default();
    for kept in ["uid", "resourceVersion"] {
        let (wanted, found) = (&options["preconditions"][kept], &old["metadata"][kept]);
        if !wanted.is_null() && wanted != found {
            return Answer::no(409, format!("the {kept} of {} is {found}, not {wanted}", at.2));
        }
    }
    world.store.delete(at);
    Cluster::noticed(world, at, Some(&old));
    Answer::object(200, &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}))
}
