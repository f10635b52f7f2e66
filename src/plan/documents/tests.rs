//! Manifests in, sentences out.

use super::check_documents;

/// Every error of the only LoadTest in `text`, as it is printed.
fn errors(text: &str) -> Vec<String> {
    let mut checked = check_documents(text);
    assert_eq!(checked.len(), 1, "{text}");
    checked.remove(0).plan.err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

/// A LoadTest with this spec.
fn with(spec: &str) -> String {
    format!("apiVersion: loadtest.dev/v1alpha1\nkind: LoadTest\nmetadata: {{name: a}}\nspec: {spec}\n")
}

const GOOD: &str = r#"{loads: [{name: m, url: "http://a/"}]}"#;

#[test]
fn each_message_names_its_field_and_all_come_at_once() {
    let spec = r#"{loads: [{name: M, url: "http://a/", clients: 0, rat: 1, steps: [{name: s, method: FETCH, path: "/$(nope)"}]}],
        repeats: 65, targets: [{name: api}], tasksCheck: {measurement: gone}}"#;
    let got = errors(&with(spec));
    for want in [
        "spec.loads[0].name: Invalid value: should match '^[a-z]",
        "spec.loads[0].clients: Invalid value: 0: should be greater than or equal to 1",
        "spec.loads[0].rat: unknown field",
        r#"spec.loads[0].steps[0].method: Unsupported value: supported values: "GET""#,
        "spec.repeats: Invalid value: 65: should be less than or equal to 64",
        "spec.targets[0].workloadRef: Required value",
        "spec: Invalid value: tasksCheck names a measurement that is not defined",
    ] {
        assert!(got.iter().any(|error| error.starts_with(want)), "{want}\n{got:#?}");
    }
    assert_eq!(got.len(), 7, "{got:#?}");
}

#[test]
fn what_only_the_plan_sees_comes_with_the_rest() {
    let spec = r#"{loads: [{name: m, url: "http://a/", perSeconds: 9999, rate: 1, durationSeconds: 1,
        steps: [{name: s, path: "/$(nope)"}]}]}"#;
    let got = errors(&with(spec));
    assert_eq!(got.len(), 2, "{got:#?}");
    assert!(got[1].starts_with("spec.loads[0].steps[0].path: unknown variable $(nope)"), "{got:#?}");
}

#[test]
fn a_wrong_type_is_said_with_both_types() {
    for (spec, want) in [
        (
            r#"{loads: [{name: m, url: "http://a/", clients: "2"}]}"#,
            "spec.loads[0].clients: Invalid value: must be of type integer, not string",
        ),
        (r#"{loads: {name: m}}"#, "spec.loads: Invalid value: must be of type array, not object"),
        (
            r#"{loads: [{name: m, url: "http://a/"}], thresholds: [{metric: tasks, max: 0.5}]}"#,
            "spec.thresholds[0].max: Invalid value: must be of type integer or string, not number; write it in quotes",
        ),
        (
            r#"{loads: [{name: m, url: "http://a/"}], vars: [{name: v, value: true}]}"#,
            "spec.vars[0].value: Invalid value: must be of type string, not boolean; write it in quotes",
        ),
        ("[]", "spec: Invalid value: must be of type object, not array"),
    ] {
        assert_eq!(errors(&with(spec)), [want]);
    }
}

#[test]
fn a_null_is_as_good_as_absent_and_a_whole_decimal_is_a_whole_number() {
    assert_eq!(
        errors(&with(r#"{loads: [{name: m, url: "http://a/", clients: 2.0, rate: null}], targets: null}"#)),
        [""; 0]
    );
    assert_eq!(errors(&with(r#"{loads: null}"#)), ["spec.loads: Required value"]);
    assert_eq!(errors(&with(r#"{loads: [{name: m, url: "http://a/"}], load: null}"#)), ["spec.load: unknown field"]);
}

#[test]
fn metadata_is_checked_as_far_as_the_api_server_would() {
    let meta =
        |meta: &str| errors(&format!("apiVersion: loadtest.dev/v1alpha1\nkind: LoadTest\n{meta}\nspec: {GOOD}\n"));
    assert_eq!(meta("metadata: {name: a, labels: {x: z}, annotations: {a/b: c}}"), [""; 0]);
    assert_eq!(meta("metadata: {generateName: a-}"), [""; 0]);
    assert_eq!(meta("metadata: {}"), ["metadata.name: Required value: name or generateName is required"]);
    assert_eq!(meta("metadata: {name: a, label: {}}"), ["metadata.label: unknown field"]);
    assert_eq!(meta("metadata: {name: 7}"), ["metadata.name: Invalid value: must be of type string, not integer"]);
    assert!(meta("metadata: {name: a, labels: {x: true}}")[0].starts_with("metadata.labels.x: Invalid value"));
    assert!(meta("metadata: {name: a.b}")[0].starts_with("metadata.name: Invalid value: the name must be a DNS label"));
}

#[test]
fn a_misspelt_kind_or_group_is_an_error_and_another_kind_is_passed_over() {
    let named = |version: &str, kind: &str| {
        format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\nspec: {GOOD}\n")
    };
    assert_eq!(errors(&named("loadtest.dev/v1alpha1", "Loadtest")), ["kind: must be LoadTest"]);
    assert_eq!(errors(&named("loadtest.dev/v1", "LoadTest")), ["apiVersion: must be loadtest.dev/v1alpha1"]);
    assert_eq!(check_documents(&named("apps/v1", "Deployment")), []);
    assert_eq!(check_documents("# nothing\n"), []);
    assert_eq!(check_documents("- a\n- b\n"), []);
}

#[test]
fn a_field_beside_spec_is_unknown_and_a_status_is_not_looked_at() {
    assert_eq!(errors(&(with(GOOD) + "spce: {}\n")), ["spce: unknown field"]);
    assert_eq!(errors(&(with(GOOD) + "status: {phase: Nowhere}\n")), [""; 0]);
}

#[test]
fn items_of_a_list_are_checked_each() {
    let item = with(GOOD).replace('\n', "\n  ");
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {item}\n- {}\n", item.replace("name: a", "name: b"));
    let names: Vec<String> = check_documents(&list).into_iter().map(|checked| checked.name).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn a_text_that_is_no_yaml_gets_a_line_and_shows_nothing_of_it() {
    for text in ["spec:\n  password: hunter2\n bad: {\n", "a: hunter2\nb: hunter2\na: hunter2\n"] {
        let got = errors(text);
        assert_eq!(got.len(), 1);
        assert!(got[0].starts_with("line ") && !got[0].contains("hunter2"), "{got:?}");
    }
}

#[test]
fn no_message_shows_what_was_written_into_a_text() {
    let spec = r#"{loads: [{name: m, url: "http://user:hunter2@a/", headers: [{name: "hunter2 x", value: v}],
        basicAuth: {username: 1, password: hunter2}}], vars: [{name: hunter2_, value: hunter2, valu: hunter2}]}"#;
    let got = errors(&with(spec));
    assert!(got.len() >= 4 && !got.iter().any(|error| error.contains("hunter2")), "{got:#?}");
}
