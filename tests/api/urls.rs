//! The table of hostile URLs, as the real API server and a real operator see it.

use serde_json::{Value, json};

use crate::cluster::eventually::eventually;
use crate::cluster::space::Space;
use crate::hostile::{HARMLESS, NAMESPACE, URLS};
use crate::operator::Operator;

fn load_test(name: &str, url: &str, measured: bool) -> Value {
    let loads = |url: &str| json!([{"name": "m", "url": url}]);
    let spec = if measured {
        let http = json!({"url": url, "jsonPointer": "/n"});
        json!({"loads": loads("http://web/"), "measurements": [{"name": "n", "http": http}]})
    } else {
        json!({"loads": loads(url)})
    };
    json!({"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest", "metadata": {"name": name}, "spec": spec})
}

#[tokio::test]
async fn the_api_server_refuses_what_the_table_says_in_loads_and_in_measurements() {
    let Some(space) = Space::new("urls").await else { return };
    let harmless = HARMLESS.iter().map(|url| (*url, false));
    for (url, refused) in URLS.iter().map(|(url, refused)| (*url, refused.admission)).chain(harmless) {
        for measured in [false, true] {
            // The plan refuses variables in a load's URL, admission only those before its path.
            let answer = space.cluster.create(&space.name, &load_test("test", url, measured), true).await;
            assert_eq!(answer.is_err(), refused, "{url:?} (measured: {measured}): {answer:?}");
        }
    }
}

/// The URL as a test in `namespace` would write it.
fn from(url: &str, namespace: &str) -> String {
    url.replace(&format!(".{NAMESPACE}"), &format!(".{namespace}"))
}

/// Every LoadTest of the namespace ended, and because of its URL.
async fn refused(space: &Space) -> Result<(), String> {
    for test in space.list("loadtests", None).await {
        let conditions = test["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let ready = conditions.iter().find(|condition| condition["type"] == "Ready").cloned().unwrap_or_default();
        if test["status"]["phase"] != "Finished" {
            return Err(format!("{}: {ready}", test["spec"]));
        }
        assert_eq!(ready["reason"], "UrlNotAllowed", "{}: {ready}", test["spec"]);
    }
    Ok(())
}

#[tokio::test]
async fn the_operator_refuses_what_the_api_server_lets_pass_and_names_outside_the_namespace() {
    let Some(space) = Space::new("hosts").await else { return };
    for (name, spec) in [
        ("web", json!({"ports": [{"port": 80}]})),
        ("outside", json!({"type": "ExternalName", "externalName": "metadata.google.internal"})),
    ] {
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec});
        space.cluster.create(&space.name, &service, false).await.unwrap();
    }
    let mut operator = Operator::start(&space.cluster, &space.name, "limits: {maxConcurrentTests: 1000}\n");
    let passed = URLS.iter().filter(|(_, refused)| !refused.admission).map(|(url, refused)| {
        assert!(refused.controller, "{url} is left to the pods");
        from(url, &space.name)
    });
    let mut urls: Vec<String> = passed.collect();
    urls.extend(["http://outside/".into(), format!("http://outside.{}.svc/", space.name)]);
    // Not all at once: what a pass reads grows with the tests of its namespace.
    for (batch, urls) in urls.chunks(8).enumerate() {
        let mut names = Vec::new();
        for (i, url) in urls.iter().enumerate() {
            for measured in [false, true] {
                let name = format!("t{batch}-{i}-{measured}");
                space.cluster.create(&space.name, &load_test(&name, url, measured), false).await.unwrap();
                names.push(name);
            }
        }
        eventually("every test is refused", 120, async || refused(&space).await).await;
        for name in names {
            space.delete("loadtests", &name).await;
        }
    }
    assert!(space.list("jobs", None).await.is_empty(), "a Job was made for a refused URL");
    operator.assert_never_restarted();
}
