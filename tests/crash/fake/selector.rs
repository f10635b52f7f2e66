//! Label and field selectors, as far as the operator uses them.

use serde_json::Value;

/// Whether an object is selected. `a=b`, `a!=b` and `a` only.
pub fn matches(object: &Value, labels: Option<&String>, fields: Option<&String>) -> bool {
    let label = |key: &str| object["metadata"]["labels"][key].as_str().map(str::to_owned);
    let field = |path: &str| {
        let at = path.split('.').fold(object, |value, part| &value[part]);
        at.as_str().map(str::to_owned)
    };
    terms(labels, &label) && terms(fields, &field)
}

fn terms(selector: Option<&String>, value: &dyn Fn(&str) -> Option<String>) -> bool {
    let terms = selector.map(|text| text.split(',').filter(|term| !term.is_empty()).collect::<Vec<_>>());
    terms.unwrap_or_default().into_iter().all(|term| match term.split_once('=') {
        Some((key, unwanted)) if key.ends_with('!') => value(key.trim_end_matches('!')).as_deref() != Some(unwanted),
        Some((key, wanted)) => value(key).as_deref() == Some(wanted.trim_start_matches('=')),
        None => value(term).is_some(),
    })
}
