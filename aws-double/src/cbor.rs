//! CBOR maps with text keys, as rpc-v2-cbor uses them. Timestamps are tag 1 around seconds of the Unix epoch.

pub use ciborium::Value;

/// A map of these members.
pub fn map<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Map(members.into_iter().map(|(name, value)| (text(name), value)).collect())
}

/// A text.
pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A timestamp: the SDK refuses an untagged one.
pub fn timestamp(seconds: i64) -> Value {
    Value::Tag(1, Box::new(Value::Float(seconds as f64)))
}

/// The value's bytes.
pub fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing into memory can't fail, and every value made here can be written.
    let _ = ciborium::into_writer(value, &mut bytes);
    bytes
}

/// The one value in these bytes; no bytes are an empty map (an operation without input may send none).
pub fn decode(bytes: &[u8]) -> Option<Value> {
    if bytes.is_empty() {
        return Some(map([]));
    }
    ciborium::from_reader(bytes).ok()
}

/// A member of a map; absent and null are the same.
pub fn member<'a>(map: &'a Value, name: &str) -> Option<&'a Value> {
    let found = map.as_map()?.iter().find(|(key, _)| key.as_text() == Some(name))?;
    Some(&found.1).filter(|value| !value.is_null())
}

/// A member that is a text.
pub fn text_of<'a>(map: &'a Value, name: &str) -> Option<&'a str> {
    member(map, name)?.as_text()
}

/// A member that is a list; an absent one is empty.
pub fn list_of<'a>(map: &'a Value, name: &str) -> &'a [Value] {
    member(map, name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A member that is a whole number.
pub fn integer_of(map: &Value, name: &str) -> Option<i64> {
    member(map, name)?.as_integer()?.try_into().ok()
}

/// A member that is a timestamp, in seconds; fractions are cut.
pub fn seconds_of(map: &Value, name: &str) -> Option<i64> {
    let Value::Tag(1, inner) = member(map, name)? else {
        return None;
    };
    match &**inner {
        Value::Float(seconds) => Some(seconds.floor() as i64),
        Value::Integer(seconds) => (*seconds).try_into().ok(),
        _ => None,
    }
}
