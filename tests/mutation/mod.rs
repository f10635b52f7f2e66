//! Every place of the resource's schema, each with values at and beyond its bounds, put into manifests that are valid otherwise.
#![allow(dead_code)] // each test program uses its own part

mod bases;
mod values;

use std::sync::LazyLock;

use loadtest_operator::api::crd_json;
use serde_json::Value;

pub use bases::bases;

/// One step from an object or list into what stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Field(String),
    /// Any entry of a list.
    Item,
    /// Any value of a map.
    Key,
}

/// A place of the schema: a value, a list, a map, or an object.
#[derive(Clone, Debug)]
struct Place {
    parts: Vec<Part>,
    schema: Value,
}

/// One manifest with one odd value.
#[derive(Clone, Debug)]
pub struct Mutation {
    /// For example `spec.loads[].url`.
    pub place: String,
    /// Names of the fields on the way there, outermost first.
    pub fields: Vec<String>,
    /// What was put there, shortened.
    pub put: String,
    pub document: Value,
}

static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| crd_json()["spec"]["versions"][0]["schema"]["openAPIV3Schema"].take());

/// All places below spec.
fn places() -> Vec<Place> {
    let mut found = Vec::new();
    walk(&SCHEMA["properties"]["spec"], &mut vec![Part::Field("spec".into())], &mut found);
    found
}

fn walk(schema: &Value, parts: &mut Vec<Part>, found: &mut Vec<Place>) {
    found.push(Place { parts: parts.clone(), schema: schema.clone() });
    let mut inner = |part: Part, schema: &Value| {
        parts.push(part);
        walk(schema, parts, found);
        parts.pop();
    };
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        inner(Part::Field(name.clone()), property);
    }
    if schema["items"].is_object() {
        inner(Part::Item, &schema["items"]);
    }
    if schema["additionalProperties"].is_object() {
        inner(Part::Key, &schema["additionalProperties"]);
    }
}

impl Place {
    fn name(&self) -> String {
        let mut name = String::new();
        for part in &self.parts {
            match part {
                Part::Field(field) if name.is_empty() => name.push_str(field),
                Part::Field(field) => name.push_str(&format!(".{field}")),
                Part::Item => name.push_str("[]"),
                Part::Key => name.push_str("{}"),
            }
        }
        name
    }

    fn fields(&self) -> Vec<String> {
        let field = |part: &Part| if let Part::Field(name) = part { Some(name.clone()) } else { None };
        self.parts.iter().filter_map(field).collect()
    }

    /// JSON pointer of the first value that stands at this place.
    fn find(&self, document: &Value) -> Option<String> {
        fn go(value: &Value, parts: &[Part], path: String) -> Option<String> {
            let Some((part, rest)) = parts.split_first() else { return Some(path) };
            let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
            match (part, value) {
                (Part::Field(name), Value::Object(fields)) => {
                    go(fields.get(name)?, rest, format!("{path}/{}", escaped(name)))
                }
                (Part::Item, Value::Array(items)) => {
                    items.iter().enumerate().find_map(|(i, item)| go(item, rest, format!("{path}/{i}")))
                }
                (Part::Key, Value::Object(fields)) => {
                    fields.iter().find_map(|(name, item)| go(item, rest, format!("{path}/{}", escaped(name))))
                }
                _ => None,
            }
        }
        go(document, &self.parts, String::new())
    }
}

/// All mutations, place by place.
///
/// # Panics
/// No base has a value at some place: a new field needs one in `bases.rs`.
pub fn mutations() -> Vec<Mutation> {
    let bases = bases();
    let mut all = Vec::new();
    let mut unreached = Vec::new();
    for place in places() {
        let Some((base, at)) = bases.iter().find_map(|base| Some((base, place.find(base)?))) else {
            unreached.push(place.name());
            continue;
        };
        for value in values::of(&place.schema, base.pointer(&at).unwrap()) {
            let mut document = base.clone();
            *document.pointer_mut(&at).unwrap() = value.clone();
            let put: String = value.to_string().chars().take(80).collect();
            all.push(Mutation { place: place.name(), fields: place.fields(), put, document });
        }
    }
    assert!(unreached.is_empty(), "no base of tests/mutation/bases.rs has a value at {unreached:?}");
    all
}
