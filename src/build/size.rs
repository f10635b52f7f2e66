//! The fields of a workload that a test may set: replicas, CPU, memory and environment of one container.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::{Quantity, Target};

/// One field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Field {
    Replicas,
    CpuRequest,
    CpuLimit,
    MemoryRequest,
    MemoryLimit,
    /// The whole entry of this environment variable.
    Env(String),
}

/// Fields with their values; `None` is absent.
pub type Fields = BTreeMap<Field, Option<Value>>;

impl From<Field> for String {
    fn from(field: Field) -> String {
        match field {
            Field::Replicas => "replicas".into(),
            Field::CpuRequest => "cpuRequest".into(),
            Field::CpuLimit => "cpuLimit".into(),
            Field::MemoryRequest => "memoryRequest".into(),
            Field::MemoryLimit => "memoryLimit".into(),
            Field::Env(name) => format!("env.{name}"),
        }
    }
}

impl TryFrom<String> for Field {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Ok(match text.as_str() {
            "replicas" => Field::Replicas,
            "cpuRequest" => Field::CpuRequest,
            "cpuLimit" => Field::CpuLimit,
            "memoryRequest" => Field::MemoryRequest,
            "memoryLimit" => Field::MemoryLimit,
            other => match other.strip_prefix("env.") {
                Some(name) => Field::Env(name.into()),
                None => return Err(format!("no such field of a claim: {other}")),
            },
        })
    }
}

impl Field {
    /// Where it stands in a container's `resources`.
    fn resource(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Field::CpuRequest => Some(("requests", "cpu")),
            Field::CpuLimit => Some(("limits", "cpu")),
            Field::MemoryRequest => Some(("requests", "memory")),
            Field::MemoryLimit => Some(("limits", "memory")),
            Field::Replicas | Field::Env(_) => None,
        }
    }
}

/// What a row wants of a target: only what the test sets.
pub fn wanted(target: &Target) -> Fields {
    let mut fields = Fields::new();
    if let Some(replicas) = target.replicas {
        fields.insert(Field::Replicas, Some(json!(replicas)));
    }
    if let Some(cpu) = target.cpu.as_ref().map(|q| q.0.to_string()) {
        fields.insert(Field::CpuRequest, Some(json!(cpu)));
        fields.insert(Field::CpuLimit, Some(json!(cpu)));
    }
    if let Some(memory) = target.memory.as_ref().map(|q| q.0.to_string()) {
        fields.insert(Field::MemoryRequest, Some(json!(memory)));
        fields.insert(Field::MemoryLimit, Some(json!(memory)));
    }
    for var in &target.env {
        fields.insert(Field::Env(var.name.clone()), Some(json!({"name": var.name, "value": var.value})));
    }
    fields
}

/// Index of the container that a target means: the named one, the only one, or the one named like the workload.
pub fn container_index(workload: &Value, container: Option<&str>) -> Option<usize> {
    let containers = workload["spec"]["template"]["spec"]["containers"].as_array()?;
    let name = match container {
        Some(name) => name,
        None if containers.len() == 1 => return Some(0),
        None => workload["metadata"]["name"].as_str()?,
    };
    containers.iter().position(|c| c["name"] == name)
}

/// What stands in a workload for each of `fields`.
pub fn current<'a>(workload: &Value, container: usize, fields: impl Iterator<Item = &'a Field>) -> Fields {
    let container = &workload["spec"]["template"]["spec"]["containers"][container];
    let value = |field: &Field| match field {
        Field::Replicas => workload["spec"].get("replicas").cloned(),
        Field::Env(name) => {
            container["env"].as_array().and_then(|env| env.iter().find(|e| e["name"] == name.as_str())).cloned()
        }
        resource => resource.resource().and_then(|(kind, name)| container["resources"][kind].get(name).cloned()),
    };
    fields.map(|field| (field.clone(), value(field).filter(|v| !v.is_null()))).collect()
}

/// The workload as a row wants it; `None`: the target's container is not in it.
pub fn sized(workload: &Value, target: &Target) -> Option<Value> {
    let index = container_index(workload, target.container.as_deref())?;
    let (fields, mut sized) = (wanted(target), workload.clone());
    if let Some(Some(replicas)) = fields.get(&Field::Replicas) {
        sized["spec"]["replicas"] = replicas.clone();
    }
    let container = container_with(&workload["spec"]["template"]["spec"]["containers"][index], &fields);
    sized["spec"]["template"]["spec"]["containers"][index] = container;
    Some(sized)
}

/// Two values of a field mean the same: quantities by amount (the API server rewrites `0.5` as `500m`), an empty
/// environment value as none.
pub fn same(field: &Field, a: Option<&Value>, b: Option<&Value>) -> bool {
    match (field, a, b) {
        (_, None, None) => true,
        (_, Some(a), Some(b)) if a == b => true,
        (Field::Env(_), Some(a), Some(b)) => {
            let plain = |v: &Value| v.get("valueFrom").is_none().then(|| v["value"].as_str().unwrap_or("").to_owned());
            plain(a).is_some() && plain(a) == plain(b)
        }
        (Field::Replicas, ..) => false,
        (_, Some(a), Some(b)) => match (quantity(a), quantity(b)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        },
        _ => false,
    }
}

fn quantity(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => Quantity::parse(text),
        Value::Number(number) => Quantity::parse(&number.to_string()),
        _ => None,
    }
}

/// A container with these fields set (or removed, where `None`).
pub(super) fn container_with(container: &Value, fields: &Fields) -> Value {
    let mut container = container.clone();
    for (field, value) in fields {
        match (field, field.resource()) {
            (_, Some((kind, name))) => set_resource(&mut container, kind, name, value.as_ref()),
            (Field::Env(name), _) => set_env(&mut container, name, value.as_ref()),
            _ => {}
        }
    }
    container
}

fn set_resource(container: &mut Value, kind: &str, name: &str, value: Option<&Value>) {
    match value {
        Some(value) => container["resources"][kind][name] = value.clone(),
        None => {
            let Some(resources) = container.get_mut("resources").and_then(Value::as_object_mut) else { return };
            let Some(kinds) = resources.get_mut(kind).and_then(Value::as_object_mut) else { return };
            kinds.remove(name);
            if kinds.is_empty() {
                resources.remove(kind);
            }
        }
    }
}

fn set_env(container: &mut Value, name: &str, value: Option<&Value>) {
    let mut env: Vec<Value> = container["env"].as_array().cloned().unwrap_or_default();
    let at = env.iter().position(|e| e["name"] == name);
    match (at, value) {
        (Some(at), Some(value)) => env[at] = value.clone(),
        (None, Some(value)) => env.push(value.clone()),
        (Some(at), None) => {
            env.remove(at);
        }
        (None, None) => return,
    }
    if let Some(container) = container.as_object_mut() {
        if env.is_empty() {
            container.remove("env");
        } else {
            container.insert("env".into(), env.into());
        }
    }
}
