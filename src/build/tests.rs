//! Objects and patches, looked at as JSON.

use serde_json::{Value, json};

use super::*;
use crate::api::{Instant, LoadTestSpec};
use crate::plan::plan;

fn run() -> RunName {
    RunName { namespace: "perf".into(), test: "t".into(), uid: "0a1b2c3d-0000-4000-8000-000000000000".into(), run: 2 }
}

fn deployment() -> Value {
    json!({
        "metadata": {"name": "api", "resourceVersion": "7"},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [
            {"name": "sidecar"},
            {"name": "api", "resources": {"requests": {"cpu": "100m"}},
             "env": [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}
        ]}}}
    })
}

/// As the API server does it, for the few operations used.
fn patched(mut object: Value, patch: &Value) -> Value {
    for op in patch.as_array().unwrap() {
        let path = op["path"].as_str().unwrap();
        let (parent, key) = path.rsplit_once('/').unwrap();
        let key = key.replace("~1", "/");
        let parent = object.pointer_mut(parent).expect(path).as_object_mut().unwrap();
        match op["op"].as_str().unwrap() {
            "remove" => assert!(parent.remove(&key).is_some(), "{path} is not there"),
            _ => {
                parent.insert(key, op["value"].clone());
            }
        }
    }
    object
}

fn target() -> crate::api::Target {
    serde_json::from_value(
        json!({"name": "api", "workloadRef": {"name": "api"}, "replicas": 5, "cpu": "0.5", "memory": "512Mi",
        "env": [{"name": "MODE", "value": "test"}, {"name": "TOKEN", "value": "none"}]}),
    )
    .unwrap()
}

fn claimed() -> Value {
    let fields: Vec<_> = wanted(&target()).into_keys().collect();
    let before = deployment();
    let after = patched(before.clone(), &claim_patch(&before, &run(), None, &fields, Instant::from_millis(0)).unwrap());
    assert_eq!(after["spec"], before["spec"], "a claim changes metadata only");
    assert_eq!(after["metadata"]["labels"][CLAIM], run().label());
    after
}

#[test]
fn a_released_target_is_exactly_what_it_was() {
    let claimed = claimed();
    let sized = patched(claimed.clone(), &size_patch(&claimed, &wanted(&target())).unwrap());
    let container = &sized["spec"]["template"]["spec"]["containers"][1];
    assert_eq!(container["resources"]["limits"], json!({"cpu": "0.5", "memory": "512Mi"}));
    assert_eq!(container["env"][0], json!({"name": "TOKEN", "value": "none"}));
    let release = release_patch(&sized).unwrap();
    assert_eq!(release.skipped, []);
    let back = patched(sized, &release.patch);
    assert_eq!(back["spec"], deployment()["spec"]);
    assert_eq!(back["metadata"]["labels"], json!({}));
}

#[test]
fn a_size_is_rehearsed_with_its_claim_but_never_takes_anothers_label() {
    let fields = wanted(&target());
    let names: Vec<_> = fields.keys().cloned().collect();
    let rehearsed = |found: &Value| {
        let claim = claim_patch(found, &run(), None, &names, Instant::from_millis(0)).unwrap();
        let size = size_patch(&patched(found.clone(), &claim), &fields).unwrap();
        patched(found.clone(), &rehearsal(found, &claim, &size))
    };
    let free = rehearsed(&deployment());
    assert_eq!(free["metadata"]["labels"][CLAIM], run().label());
    let mut busy = deployment();
    busy["metadata"]["labels"] = json!({CLAIM: "another.7"});
    let sized = rehearsed(&busy);
    assert_eq!(sized["metadata"]["labels"][CLAIM], "another.7");
    assert_eq!(sized["spec"], free["spec"]);
    assert_ne!(sized["spec"], deployment()["spec"]);
}

#[test]
fn a_claim_without_a_size_is_released_without_touching_the_spec() {
    let release = release_patch(&claimed()).unwrap();
    assert_eq!(patched(claimed(), &release.patch)["spec"], deployment()["spec"]);
}

#[test]
fn a_foreign_edit_survives_the_release_field_by_field() {
    let claimed = claimed();
    let mut sized = patched(claimed.clone(), &size_patch(&claimed, &wanted(&target())).unwrap());
    sized["spec"]["replicas"] = json!(9);
    let release = release_patch(&sized).unwrap();
    assert_eq!(release.skipped, [Field::Replicas]);
    let back = patched(sized, &release.patch);
    assert_eq!(back["spec"]["replicas"], 9);
    assert_eq!(back["spec"]["template"], deployment()["spec"]["template"]);
}

#[test]
fn a_quantity_that_the_server_rewrote_is_still_ours() {
    let claimed = claimed();
    let mut sized = patched(claimed.clone(), &size_patch(&claimed, &wanted(&target())).unwrap());
    sized["spec"]["template"]["spec"]["containers"][1]["resources"]["limits"]["cpu"] = json!("500m");
    let release = release_patch(&sized).unwrap();
    assert_eq!(release.skipped, []);
    assert_eq!(patched(sized, &release.patch)["spec"], deployment()["spec"]);
}

#[test]
fn a_workload_with_several_containers_needs_the_name_of_one() {
    let mut workload = deployment();
    workload["metadata"]["name"] = json!("other");
    let error = claim_patch(&workload, &run(), None, &[], Instant::from_millis(0)).unwrap_err();
    assert!(error.to_string().contains("targets[].container"), "{error}");
    assert_eq!(container_index(&workload, Some("api")), Some(1));
}

fn spec() -> LoadTestSpec {
    serde_json::from_value(json!({
        "loads": [{"name": "m", "url": "https://a/", "generators": 2, "clients": 2,
            "tls": {"caFrom": {"configMapKeyRef": {"name": "ca", "key": "ca.crt"}}}}],
        "vars": [{"name": "token", "valueFrom": {"secretKeyRef": {"name": "creds", "key": "token"}}}],
        "database": {"postgres": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}},
        "pods": {"tolerations": [{"key": "perf", "operator": "Exists"}], "labels": {"team": "a"},
                 "imagePullSecrets": [{"name": "pull"}], "priorityClassName": "low", "nodeSelector": {"a": "b"}}
    }))
    .unwrap()
}

/// Every path of `wanted` must be in `got`: a misspelt field would be dropped silently.
fn covers(got: &Value, wanted: &Value, path: &str) {
    match wanted {
        Value::Object(fields) => fields.iter().for_each(|(k, v)| covers(&got[k], v, &format!("{path}.{k}"))),
        Value::Array(items) => items.iter().enumerate().for_each(|(i, v)| covers(&got[i], v, &format!("{path}[{i}]"))),
        _ => assert_eq!(got, wanted, "{path}"),
    }
}

#[test]
fn the_jobs_hold_all_that_was_written_and_no_identity() {
    let (run, spec) = (run(), spec());
    let plan = plan(&spec).unwrap();
    let avoid = [std::collections::BTreeMap::from([("app".to_owned(), "api".to_owned())])];
    let context = PodContext { run: &run, image: "image:1", spec: &spec, avoid: &avoid };
    let generator = serde_json::to_value(generator_job(&context, &plan.rows[0], "{}", 300)).unwrap();
    let observer = serde_json::to_value(observer_job(&context, "{}", 300)).unwrap();
    for job in [&generator, &observer] {
        let pod = &job["spec"]["template"]["spec"];
        assert_eq!(pod["automountServiceAccountToken"], false);
        assert_eq!(pod["enableServiceLinks"], false, "a Service named kubernetes would say where the API server is");
        let env = pod["containers"][0]["env"].as_array().unwrap();
        let digest = env.iter().find(|one| one["name"] == "LOADTEST_PLAN_SHA256").map(|one| &one["value"]);
        // printf '{}' | sha256sum
        assert_eq!(digest.unwrap(), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
        assert_eq!(pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"], true);
        covers(
            pod,
            &json!({"tolerations": [{"key": "perf", "operator": "Exists"}], "priorityClassName": "low",
            "imagePullSecrets": [{"name": "pull"}], "nodeSelector": {"a": "b"}, "restartPolicy": "Never",
            "volumes": [{"configMap": {}}, {"downwardAPI": {}}, {"emptyDir": {}}, {"configMap": {"name": "ca"}}]}),
            "pod",
        );
        assert_eq!(job["spec"]["template"]["metadata"]["labels"]["team"], "a");
    }
    covers(
        &generator["spec"],
        &json!({"completionMode": "Indexed", "completions": 2, "parallelism": 2,
        "backoffLimitPerIndex": 0, "maxFailedIndexes": 2, "podReplacementPolicy": "Failed"}),
        "job",
    );
    assert_eq!(generator["metadata"]["name"], "t-0a1b2-2-1");
    let names = |job: &Value| -> Vec<String> {
        let env = job["spec"]["template"]["spec"]["containers"][0]["env"].as_array().unwrap();
        env.iter().map(|e| e["name"].as_str().unwrap().to_owned()).collect()
    };
    let (var, plan) = ("LOADTEST_VAR_0", "LOADTEST_PLAN_SHA256");
    assert_eq!(names(&generator), [var, plan]);
    assert_eq!(names(&observer), [var, "LOADTEST_POSTGRES_URL", plan], "only the observer gets the database");
}

#[test]
fn a_client_certificate_is_mounted_where_it_is_used_and_a_value_of_a_config_map_is_an_environment_variable() {
    let of = |name: &str| json!({"clientCertificateFrom": {"secretRef": {"name": name}}});
    let spec: LoadTestSpec = serde_json::from_value(json!({
        "loads": [{"name": "m", "url": "https://a/", "tls": of("client")}],
        "measurements": [{"name": "n", "http": {"url": "https://a/", "jsonPointer": "", "tls": of("reader")}}],
        "vars": [{"name": "size", "valueFrom": {"configMapKeyRef": {"name": "sizes", "key": "size"}}}]}))
    .unwrap();
    let plan = plan(&spec).unwrap();
    let run = run();
    let context = PodContext { run: &run, image: "image:1", spec: &spec, avoid: &[] };
    let generator = serde_json::to_value(generator_job(&context, &plan.rows[0], "{}", 300)).unwrap();
    let observer = serde_json::to_value(observer_job(&context, "{}", 300)).unwrap();
    for (job, secret) in [(&generator, "client"), (&observer, "reader")] {
        let pod = &job["spec"]["template"]["spec"];
        let volumes = pod["volumes"].as_array().unwrap();
        let secrets: Vec<_> = volumes.iter().filter_map(|volume| volume["secret"]["secretName"].as_str()).collect();
        assert_eq!(secrets, [secret]);
        let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
        assert!(mounts.iter().any(|mount| mount["mountPath"] == format!("/tls/{secret}") && mount["readOnly"] == true));
        let from = &pod["containers"][0]["env"][0]["valueFrom"]["configMapKeyRef"];
        assert_eq!((&from["name"], &from["key"]), (&json!("sizes"), &json!("size")));
    }
    let input = crate::plan::load_input(&plan.rows[0].loads[0]);
    assert_eq!(input.tls.client_certificate.as_deref(), Some("/tls/client"));
}
