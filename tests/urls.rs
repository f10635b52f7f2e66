//! The rules about URLs, place by place, against one table: `loadtest validate`, the controller, the pod.

mod hostile;

use hostile::{API_SERVER, HARMLESS, NAMESPACE, URLS};
use loadtest_operator::engine::http::address::AddressRules;
use loadtest_operator::engine::http::resolve::Address;
use loadtest_operator::plan::{Checked, Destination, check, destination, is_allowed};
use serde_json::{Value, json};

/// Fields that hold a URL: a load's and a measurement's.
fn documents(url: &str) -> [Value; 2] {
    let load = |url: &str| json!({"name": "m", "url": url});
    let measurement = json!({"name": "n", "http": {"url": url, "jsonPointer": "/n"}});
    let vars = json!([{"name": "host", "value": "x"}, {"name": "c", "value": "x"}, {"name": "rest", "value": "x"},
                      {"name": "port", "value": "1"}, {"name": "url", "value": "x"}]);
    let of = |spec: Value| json!({"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest", "metadata": {"name": "t"}, "spec": spec});
    [
        of(json!({"vars": vars, "loads": [load(url)]})),
        of(json!({"vars": vars, "loads": [load("http://web/")], "measurements": [measurement]})),
    ]
}

fn controller_refuses(url: &str, allowed: &[String]) -> bool {
    match destination(url, NAMESPACE) {
        Err(_) => true,
        Ok(Destination::Host(host)) => !is_allowed(&host, allowed),
        // A Service that the namespace doesn't have.
        Ok(Destination::Service(name)) => name != "web",
    }
}

/// What a pod says of a URL: names are not looked up, but for the one that needs no network.
async fn pod_refuses(url: &str) -> bool {
    let rules = AddressRules::Pod { api_server: vec![API_SERVER.parse().unwrap()] };
    let Ok(address) = Address::parse(url) else { return true };
    let host = address.host.trim_end_matches('.');
    let literal: Option<std::net::IpAddr> = host.parse().ok();
    match literal {
        Some(ip) => rules.denied(ip).is_some(),
        None if host == "localhost" => address.resolve(&rules).await.is_err(),
        None => false,
    }
}

#[test]
fn validate_refuses_what_the_table_says_in_loads_and_in_measurements() {
    for (url, refused) in URLS {
        for document in documents(url) {
            let Checked { plan, .. } = check(document);
            assert_eq!(plan.is_err(), refused.admission, "{url:?}: {plan:?}");
        }
    }
}

#[test]
fn the_controller_refuses_what_the_table_says() {
    for (url, refused) in URLS {
        assert_eq!(controller_refuses(url, &[]), refused.controller, "{url:?}: {:?}", destination(url, NAMESPACE));
    }
}

#[tokio::test]
async fn a_pod_refuses_what_the_table_says() {
    for (url, refused) in URLS {
        assert_eq!(pod_refuses(url).await, refused.pod, "{url:?}: {:?}", Address::parse(url));
    }
}

#[test]
fn every_url_of_the_table_is_refused_somewhere() {
    for (url, refused) in URLS {
        assert!(refused.admission || refused.controller || refused.pod, "{url:?} is refused by nobody");
        // The pod comes last: an address that it takes is one that an administrator may allow.
        assert!(refused.admission || refused.controller, "{url:?} gets as far as a pod");
    }
}

#[test]
fn an_address_is_no_more_allowed_when_every_name_is() {
    let allowed = ["*.com".to_owned(), "*.svc".to_owned(), "*.254".to_owned(), "*.io".to_owned()];
    for url in ["http://169.254.169.254/", "http://2852039166/", "http://[::ffff:a9fe:a9fe]/"] {
        let host = match destination(url, NAMESPACE) {
            Ok(Destination::Host(host)) => host,
            other => panic!("{url}: {other:?}"),
        };
        assert!(!is_allowed(&host, &allowed), "{url}: {host} matches a list of names");
    }
}

#[tokio::test]
async fn a_service_of_the_namespace_is_refused_by_nobody() {
    for url in HARMLESS {
        let load = check(documents(url)[0].clone());
        assert!(load.plan.is_ok(), "{url}: {:?}", load.plan);
        assert!(!controller_refuses(url, &[]) && !pod_refuses(url).await, "{url}");
    }
}
