//! The objects, with the rules that the API server keeps: resource versions, uids, generations, finalizers, owners.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{EPOCH, Millis};

/// Resource, namespace, name.
pub type Key = (String, String, String);

/// One change, as a watch tells it.
#[derive(Clone, Debug)]
pub struct Change {
    pub version: u64,
    pub at: Millis,
    /// ADDED, MODIFIED or DELETED.
    pub kind: &'static str,
    pub key: Key,
    pub object: Value,
}

/// All objects and how they came about.
#[derive(Debug)]
pub struct Store {
    pub now: Millis,
    objects: BTreeMap<Key, Value>,
    pub changes: Vec<Change>,
    version: u64,
    uids: u64,
}

impl Default for Store {
    fn default() -> Self {
        Self { now: EPOCH, objects: BTreeMap::new(), changes: Vec::new(), version: 100, uids: 0 }
    }
}

/// Where an object is.
pub fn key(resource: &str, namespace: &str, name: &str) -> Key {
    (resource.into(), namespace.into(), name.into())
}

/// An instant as `metadata` has it: whole seconds.
pub fn seconds(at: Millis) -> String {
    Timestamp::from_second(at.div_euclid(1000)).expect("an instant").to_string()
}

impl Store {
    /// The newest resource version.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// One object.
    pub fn get(&self, key: &Key) -> Option<&Value> {
        self.objects.get(key)
    }

    /// All objects of a resource; an empty namespace is all of them.
    pub fn list<'a>(&'a self, resource: &'a str, namespace: &'a str) -> impl Iterator<Item = &'a Value> {
        let wanted = move |key: &Key| key.0 == resource && (namespace.is_empty() || key.1 == namespace);
        self.objects.iter().filter(move |(key, _)| wanted(key)).map(|(_, object)| object)
    }

    /// The objects as they were at an instant.
    pub fn past(&self, at: Millis) -> Store {
        let mut past = Store { now: self.now, ..Store::default() };
        for change in self.changes.iter().filter(|change| change.at <= at) {
            past.version = change.version;
            match change.kind {
                "DELETED" => past.objects.remove(&change.key),
                _ => past.objects.insert(change.key.clone(), change.object.clone()),
            };
        }
        past
    }

    /// A new object: uid, creation, generation and version are given. `None`: the name is taken.
    pub fn create(&mut self, key: &Key, mut object: Value) -> Option<Value> {
        if self.objects.contains_key(key) {
            return None;
        }
        self.uids += 1;
        let meta = &mut object["metadata"];
        meta["namespace"] = key.1.clone().into();
        meta["name"] = key.2.clone().into();
        meta["uid"] =
            format!("{:08x}-0000-4000-8000-{:012x}", self.uids.wrapping_mul(0x9e37_79b1) as u32, self.uids).into();
        meta["creationTimestamp"] = seconds(self.now).into();
        meta["generation"] = 1.into();
        Some(self.put(key, object, "ADDED"))
    }

    /// Stores an object anew: a change of its spec counts the generation up; an object that is as it was keeps its version.
    pub fn update(&mut self, key: &Key, mut object: Value) -> Value {
        let Some(old) = self.objects.get(key) else { return object };
        if *old == object {
            return object;
        }
        if old["spec"] != object["spec"] {
            object["metadata"]["generation"] = (old["metadata"]["generation"].as_i64().unwrap_or(0) + 1).into();
        }
        let held = object["metadata"]["finalizers"].as_array().is_some_and(|all| !all.is_empty());
        if object["metadata"]["deletionTimestamp"].is_string() && !held {
            return self.remove(key).unwrap_or(object);
        }
        self.put(key, object, "MODIFIED")
    }

    /// Changes an object of the simulated cluster's, as its controllers do.
    pub fn edit(&mut self, key: &Key, change: impl FnOnce(&mut Value)) {
        if let Some(mut object) = self.objects.get(key).cloned() {
            change(&mut object);
            self.update(key, object);
        }
    }

    /// Asks for an object's deletion: at once, or when its finalizers are gone.
    pub fn delete(&mut self, key: &Key) -> Option<Value> {
        let mut object = self.objects.get(key)?.clone();
        if object["metadata"]["finalizers"].as_array().is_some_and(|all| !all.is_empty()) {
            if object["metadata"]["deletionTimestamp"].is_null() {
                object["metadata"]["deletionTimestamp"] = seconds(self.now).into();
                let generation = object["metadata"]["generation"].as_i64().unwrap_or(0);
                object["metadata"]["generation"] = (generation + 1).into();
                object = self.put(key, object, "MODIFIED");
            }
            return Some(object);
        }
        self.remove(key)
    }

    /// Takes an object away, and what it owns, but for pods: those end first.
    pub fn remove(&mut self, key: &Key) -> Option<Value> {
        let object = self.objects.get(key)?.clone();
        let gone = self.put(key, object, "DELETED");
        self.objects.remove(key);
        let owned = |(at, object): (&Key, &Value)| {
            let owners = object["metadata"]["ownerReferences"].as_array()?;
            let ours = at.0 != "pods" && owners.iter().any(|owner| owner["uid"] == gone["metadata"]["uid"]);
            ours.then(|| at.clone())
        };
        let owned: Vec<Key> = self.objects.iter().filter_map(owned).collect();
        for key in owned {
            self.delete(&key);
        }
        Some(gone)
    }

    fn put(&mut self, key: &Key, mut object: Value, kind: &'static str) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        self.objects.insert(key.clone(), object.clone());
        let change = Change { version: self.version, at: self.now, kind, key: key.clone(), object: object.clone() };
        self.changes.push(change);
        object
    }
}

/// An object's field as text.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The controlling owner's reference.
pub fn owned_by(kind: &str, api_version: &str, owner: &Value) -> Value {
    json!([{"apiVersion": api_version, "kind": kind, "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
        "controller": true, "blockOwnerDeletion": true}])
}
