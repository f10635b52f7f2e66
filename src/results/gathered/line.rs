//! One JSON line out of a pod's log: text that anything may have written.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::MAX_INTEGER;

/// Reads a line; `None` when it is no such record, or holds a number beyond ±(2^53 - 1): counts and instants of that size
/// are not real, and sums of them would overflow.
pub fn line<T: DeserializeOwned>(text: &str) -> Option<T> {
    let value: Value = serde_json::from_str(text).ok()?;
    in_range(&value).then(|| serde_json::from_value(value).ok()).flatten()
}

fn in_range(value: &Value) -> bool {
    match value {
        #[allow(clippy::cast_precision_loss)] // the bound itself is exact
        Value::Number(number) => number.as_f64().is_some_and(|n| n.abs() <= MAX_INTEGER as f64),
        Value::Array(items) => items.iter().all(in_range),
        Value::Object(fields) => fields.values().all(in_range),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::gathered::sample::ObserverLine;

    #[test]
    fn a_number_that_no_clock_or_count_has_makes_it_no_record() {
        assert!(line::<ObserverLine>(r#"{"sample":{"t":1795259060868}}"#).is_some());
        assert!(line::<ObserverLine>(r#"{"sample":{"t":9223372036854775807}}"#).is_none());
        assert!(line::<ObserverLine>("no JSON").is_none());
    }
}
