//! Small types that many fields share: one name, one bound, one pattern.

use std::fmt;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

/// Largest whole number that JSON carries exactly (2^53 - 1); the API server refuses larger bounds.
pub const MAX_INTEGER: i64 = 9_007_199_254_740_991;

/// Name of a load, step, target or measurement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Name(#[schemars(length(min = 1, max = 32), regex(pattern = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"))] pub String);

/// The name of such an entry, said elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct NameRef(#[schemars(length(max = 32), regex(pattern = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"))] pub String);

/// Name of a Kubernetes object in the namespace of the test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectName(
    #[schemars(
        length(max = 253),
        regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
    )]
    pub String,
);

/// One key of a ConfigMap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigMapKeyRef {
    /// Name of the object, in the namespace of the test.
    pub name: ObjectName,
    /// Key in it.
    pub key: KeyName,
}

/// One key of a Secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SecretKeyRef {
    /// Name of the object, in the namespace of the test.
    pub name: ObjectName,
    /// Key in it.
    pub key: KeyName,
}

/// Key in a Secret or ConfigMap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyName(
    // Neither "." nor anything that begins with "..".
    #[schemars(length(max = 253), regex(pattern = r"^\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]*$"))] pub String,
);

/// A label value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LabelValue(
    #[schemars(length(max = 63), regex(pattern = r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"))] pub String,
);

/// An annotation value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AnnotationValue(#[schemars(length(max = 1024))] pub String);

/// A decimal number as a string: JSON has no exact ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decimal(#[schemars(length(max = 24), regex(pattern = r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$"))] pub String);

/// How many; never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Count(#[schemars(range(min = 0, max = MAX_INTEGER))] pub i64);

/// An instant, written as RFC 3339 in UTC with milliseconds.
///
/// Not k8s-openapi's `Time`: that one writes whole seconds, and the start of a load must not move by up to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub Timestamp);

impl Instant {
    /// From milliseconds since the epoch; out of range becomes the nearest instant there is.
    pub fn from_millis(ms: i64) -> Self {
        let bound = if ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Self(Timestamp::from_millisecond(ms).unwrap_or(bound))
    }

    /// Milliseconds since the epoch.
    pub fn as_millis(self) -> i64 {
        self.0.as_millisecond()
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Timestamp::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for Instant {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Instant".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time", "maxLength": 35})
    }
}

/// A whole number or a string, as it was written.
///
/// Not k8s-openapi's type: that one is 32 bits wide, and the API server accepts any integer here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntOrString {
    Int(i64),
    String(String),
}

impl fmt::Display for IntOrString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(n) => n.fmt(f),
            Self::String(s) => s.fmt(f),
        }
    }
}

impl Serialize for IntOrString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Int(n) => serializer.serialize_i64(*n),
            Self::String(s) => serializer.serialize_str(s),
        }
    }
}

impl<'de> Deserialize<'de> for IntOrString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = IntOrString;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number or a string")
            }
            fn visit_i64<E: de::Error>(self, n: i64) -> Result<IntOrString, E> {
                Ok(IntOrString::Int(n))
            }
            fn visit_u64<E: de::Error>(self, n: u64) -> Result<IntOrString, E> {
                i64::try_from(n).map(IntOrString::Int).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(n), &self))
            }
            fn visit_str<E: de::Error>(self, s: &str) -> Result<IntOrString, E> {
                Ok(IntOrString::String(s.to_owned()))
            }
            fn visit_string<E: de::Error>(self, s: String) -> Result<IntOrString, E> {
                Ok(IntOrString::String(s))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl IntOrString {
    /// Without `anyOf`: kube's StructuralSchemaRewriter would empty it, and the API server enforces both types anyway.
    /// The pattern is about strings, the minimum about integers.
    fn schema(pattern: &str, minimum: Option<i64>) -> Schema {
        let mut schema = json_schema!({"x-kubernetes-int-or-string": true, "pattern": pattern, "maxLength": 24});
        if let Some(minimum) = minimum {
            schema.insert("minimum".into(), minimum.into());
        }
        schema
    }
}

/// Int-or-string newtypes differ by their pattern and least integer only.
macro_rules! int_or_string {
    ($(#[$doc:meta])* $name:ident, $pattern:literal, $minimum:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name(pub IntOrString);

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                IntOrString::schema($pattern, $minimum)
            }
        }
    };
}

int_or_string!(/// An amount of CPU: 2, "0.5", 500m.
    CpuQuantity, r"^([0-9]{1,4}(\.[0-9]{1,3})?|[0-9]{1,7}m)$", Some(0));
int_or_string!(/// An amount of memory: 512Mi.
    MemoryQuantity, r"^[0-9]{1,15}(\.[0-9]{1,3})?(k|M|G|T|Ki|Mi|Gi|Ti)?$", Some(0));
int_or_string!(/// A limit of a threshold: a whole number, or a decimal in quotes.
    Limit, r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$", None);

/// List types, for `#[schemars(transform = list::...)]`.
pub mod list {
    use schemars::Schema;

    /// Entries are merged by `name`.
    pub fn by_name(schema: &mut Schema) {
        by(schema, "name");
    }

    /// Entries are merged by `jsonPointer`.
    pub fn by_json_pointer(schema: &mut Schema) {
        by(schema, "jsonPointer");
    }

    /// Entries are merged by `title`.
    pub fn by_title(schema: &mut Schema) {
        by(schema, "title");
    }

    /// Entries are merged by `type`.
    pub fn by_type(schema: &mut Schema) {
        by(schema, "type");
    }

    /// A set of scalars.
    pub fn set(schema: &mut Schema) {
        schema.insert("x-kubernetes-list-type".into(), "set".into());
    }

    /// One owner replaces the whole list.
    pub fn atomic(schema: &mut Schema) {
        schema.insert("x-kubernetes-list-type".into(), "atomic".into());
    }

    fn by(schema: &mut Schema, key: &str) {
        schema.insert("x-kubernetes-list-type".into(), "map".into());
        schema.insert("x-kubernetes-list-map-keys".into(), vec![key].into());
    }
}

/// For `#[schemars(transform = words)]` on an enum whose variants have doc comments. schemars makes a `oneOf` of such an enum;
/// inside an Option kube then replaces the description of the field by that of the enum.
pub fn words(schema: &mut Schema) {
    if let Some(Value::Array(variants)) = schema.remove("oneOf") {
        let words = variants.iter().flat_map(|v| match (v.get("const"), v.get("enum")) {
            (Some(word), _) => vec![word.clone()],
            (None, Some(Value::Array(words))) => words.clone(),
            _ => panic!("not an enum of words: {v}"),
        });
        let words: Vec<Value> = words.collect();
        schema.insert("type".into(), "string".into());
        schema.insert("enum".into(), words.into());
    }
}
