//! Odd values for a place: just inside and outside of its bounds, other types, and garbage.

use serde_json::{Value, json};

/// What may be put where `now` stands.
pub fn of(schema: &Value, now: &Value) -> Vec<Value> {
    let mut values = match schema["type"].as_str() {
        Some("string") => strings(schema),
        Some("integer") => integers(schema),
        Some("boolean") => vec![json!(true), json!(false), json!("true"), json!(0)],
        Some("array") => lists(schema, now),
        Some("object") if schema["additionalProperties"].is_object() => maps(schema, now),
        Some("object") => objects(now),
        _ if schema["x-kubernetes-int-or-string"] == true => quantities(),
        other => panic!("a schema of type {other:?}: {schema}"),
    };
    values.extend(wrong_types(schema));
    values.push(Value::Null);
    values
}

fn wrong_types(schema: &Value) -> Vec<Value> {
    let all = [
        ("string", json!("x")),
        ("integer", json!(7)),
        ("boolean", json!(true)),
        ("array", json!([])),
        ("object", json!({})),
    ];
    let either = schema["x-kubernetes-int-or-string"] == true;
    let own = |kind: &str| schema["type"] == *kind || either && matches!(kind, "string" | "integer");
    all.into_iter().filter(|(kind, _)| !own(kind)).map(|(_, value)| value).chain([json!(1.5)]).collect()
}

fn strings(schema: &Value) -> Vec<Value> {
    let mut texts: Vec<String> = [
        "",
        " ",
        "a",
        "-",
        "-a",
        "a-",
        ".",
        "..",
        "../../x",
        "/",
        "//",
        "a b",
        "A",
        "0",
        "-1",
        "1e3",
        "NaN",
        "Infinity",
        "null",
        "ü",
        "😀",
        "\u{202e}a",
        "a\n",
        "\na",
        "\r\n",
        "\t",
        "\u{0}",
        "a\u{7f}",
        "$(",
        "$(x)",
        "$(vars.x)",
        "$(row.start)",
        "{{x}}",
        "(",
        "[a",
        "a{9999}{9999}",
        "http://",
        "http://[",
        "http://a:99999/",
        "http://u:p@a/",
        "http://a/\u{0}",
        "'; drop table x; --",
    ]
    .map(str::to_owned)
    .into();
    for word in schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        texts.extend([word.to_owned(), word.to_uppercase(), word.to_lowercase(), format!("{word} ")]);
    }
    if let Some(most) = schema["maxLength"].as_u64() {
        let most = usize::try_from(most).unwrap();
        texts.extend(["a".repeat(most), "a".repeat(most + 1), "ü".repeat(most), format!("/{}", "a".repeat(most - 1))]);
    }
    texts.push("x".repeat(100_000));
    texts.into_iter().map(Value::from).collect()
}

fn integers(schema: &Value) -> Vec<Value> {
    let (least, most) = (schema["minimum"].as_i64(), schema["maximum"].as_i64());
    let mut numbers =
        vec![0, 1, -1, i64::from(i32::MAX), i64::from(i32::MAX) + 1, i64::from(i32::MIN) - 1, i64::MAX, i64::MIN];
    numbers.extend(least.into_iter().flat_map(|least| [least, least - 1, least + 1]));
    numbers.extend(most.into_iter().flat_map(|most| [most, most + 1, most - 1]));
    numbers.sort_unstable();
    numbers.dedup();
    let mut values: Vec<Value> = numbers.into_iter().map(Value::from).collect();
    values.extend([json!(1e30), json!(-1e30), json!(u64::MAX), json!("1"), json!("")]);
    values
}

fn quantities() -> Vec<Value> {
    let texts = [
        "",
        "0",
        "0m",
        "0.0",
        "00",
        "1",
        "1m",
        "-1",
        "+1",
        "1.5",
        "1.",
        ".5",
        "1.5.5",
        "1e3",
        "1E3",
        "NaN",
        "Inf",
        "1 ",
        " 1",
        "1\n",
        "1Mi",
        "1mi",
        "1KB",
        "1Ti",
        "0.001",
        "0.0001",
        "0.001Ki",
        "9999",
        "9999999m",
        "10000000m",
        "999999999999999",
        "999999999999999Ti",
        "9999999999999999",
        "100.999999",
        "-999999999999999.999999",
        "ü",
        "0x10",
        "1,5",
        "1_000",
    ];
    let mut values: Vec<Value> = texts.map(Value::from).into();
    values.extend([
        json!(0),
        json!(1),
        json!(-1),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e30),
        json!("9".repeat(5000)),
    ]);
    values
}

fn lists(schema: &Value, now: &Value) -> Vec<Value> {
    let items = now.as_array().unwrap();
    let first = items.first().cloned().unwrap_or(Value::Null);
    let twice = [items.clone(), items.clone()].concat();
    let mut values = vec![json!([]), twice.into(), json!([null]), json!([{}]), json!([[]]), json!(["x"])];
    if let Some(most) = schema["maxItems"].as_u64() {
        values.extend([many(&first, most), many(&first, most + 1)]);
    }
    values
}

/// So many entries like this one, with names of their own where they have names.
fn many(item: &Value, number: u64) -> Value {
    let entry = |index: u64| {
        let mut item = item.clone();
        if item["name"].is_string() {
            item["name"] = json!(format!("n{index}"));
        }
        item
    };
    (0..number).map(entry).collect()
}

fn maps(schema: &Value, now: &Value) -> Vec<Value> {
    let value = now.as_object().unwrap().values().next().cloned().unwrap_or(Value::Null);
    let keys = [
        "",
        " ",
        "a",
        "a b",
        "-a",
        "a-",
        "ü",
        "a\u{0}",
        "a\n",
        "/",
        "/a",
        "a/",
        "a/b",
        "a/b/c",
        "A.com/b",
        "a..b/c",
        "kubernetes.io/hostname",
        "loadtest.dev/start-at",
        "loadtest.dev/run",
        "LOADTEST.DEV/run",
        "app.kubernetes.io/managed-by",
        "batch.kubernetes.io/job-name",
        &"x".repeat(63),
        &"x".repeat(64),
        &"x".repeat(400),
        &format!("{}/a", "x".repeat(253)),
    ]
    .map(|key| json!({key: value}));
    let most = schema["maxProperties"].as_u64().unwrap_or(16);
    let many =
        |number: u64| (0..number).map(|index| (format!("k{index}"), value.clone())).collect::<serde_json::Map<_, _>>();
    keys.into_iter()
        .chain([json!({}), many(most).into(), many(most + 1).into(), json!({"a": null}), json!({"a": {}})])
        .collect()
}

/// The object without each of its fields, and with one that nobody knows.
fn objects(now: &Value) -> Vec<Value> {
    let fields = now.as_object().unwrap();
    let without = |name: &String| {
        let mut fields = fields.clone();
        fields.remove(name);
        Value::from(fields)
    };
    let mut more = fields.clone();
    more.insert("unknownField".into(), json!(1));
    fields.keys().map(without).chain([json!({}), more.into()]).collect()
}
