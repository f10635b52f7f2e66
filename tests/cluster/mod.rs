//! The API server as JSON: what a scenario reads and writes there, and kubectl for what only a client program does. Shared by
//! the test programs that need a cluster.

#![allow(dead_code)] // each test program uses its own part

pub mod eventually;
pub mod space;

use std::process::Command;

use http::Request;
use kube::Client;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::Value;

/// The cluster named by the environment.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    /// Its program kubectl.
    pub kubectl: String,
    /// File that names it.
    pub config: String,
}

/// Where objects of a resource are: its API, and whether they live in a namespace.
fn api_of(resource: &str) -> (&'static str, bool) {
    match resource {
        "namespaces" => ("/api/v1", false),
        "mutatingadmissionpolicies" | "mutatingadmissionpolicybindings" => {
            ("/apis/admissionregistration.k8s.io/v1", false)
        }
        "customresourcedefinitions" => ("/apis/apiextensions.k8s.io/v1", false),
        "deployments" | "replicasets" | "statefulsets" => ("/apis/apps/v1", true),
        "jobs" | "cronjobs" => ("/apis/batch/v1", true),
        "horizontalpodautoscalers" => ("/apis/autoscaling/v2", true),
        "events" => ("/apis/events.k8s.io/v1", true),
        "loadtests" => ("/apis/loadtest.dev/v1alpha1", true),
        "pods" | "services" | "secrets" | "configmaps" | "resourcequotas" => ("/api/v1", true),
        other => panic!("tests/cluster/mod.rs does not know the resource {other}"),
    }
}

impl Cluster {
    /// The cluster, or nothing when none is named.
    pub async fn of_environment() -> Option<Self> {
        let config = std::env::var("LOADTEST_KUBECONFIG").ok()?;
        let kubectl = std::env::var("LOADTEST_KUBECTL").unwrap_or_else(|_| "kubectl".into());
        // Both TLS libraries may be linked in; without a choice a client panics. A second test finds it made.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let file = Kubeconfig::read_from(&config).unwrap_or_else(|error| panic!("{config}: {error}"));
        let options = KubeConfigOptions::default();
        let file = kube::Config::from_custom_kubeconfig(file, &options).await.unwrap();
        Some(Self { client: Client::try_from(file).unwrap(), kubectl, config })
    }

    fn path(resource: &str, namespace: &str, rest: &str) -> String {
        match api_of(resource) {
            (api, true) => format!("{api}/namespaces/{namespace}/{resource}{rest}"),
            (api, false) => format!("{api}/{resource}{rest}"),
        }
    }

    /// Sends a request; what the API server says against it is the error.
    pub async fn send(&self, request: http::request::Builder, body: Vec<u8>) -> Result<Value, kube::Error> {
        self.client.request::<Value>(request.body(body).unwrap()).await
    }

    /// The object, or nothing when it is not there.
    pub async fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        let path = Self::path(resource, namespace, &format!("/{name}"));
        match self.send(Request::get(path), Vec::new()).await {
            Ok(object) => Some(object),
            Err(kube::Error::Api(status)) if status.code == 404 => None,
            Err(error) => panic!("reading {resource} {name}: {error}"),
        }
    }

    /// All objects of a namespace, or those with a label (`name=value`).
    pub async fn list(&self, resource: &str, namespace: &str, label: Option<&str>) -> Vec<Value> {
        let query = label.map(|label| format!("?labelSelector={label}")).unwrap_or_default();
        let path = Self::path(resource, namespace, &query);
        let mut list = self.send(Request::get(path), Vec::new()).await.unwrap();
        serde_json::from_value(list["items"].take()).unwrap()
    }

    /// Creates one object; what the API server says against it is the error.
    pub async fn create(&self, namespace: &str, object: &Value, dry_run: bool) -> Result<Value, kube::Error> {
        let kind = object["kind"].as_str().expect("kind").to_lowercase();
        let resource = kind.strip_suffix('y').map_or(format!("{kind}s"), |stem| format!("{stem}ies"));
        let path = Self::path(&resource, namespace, if dry_run { "?dryRun=All" } else { "" });
        self.post(&path, object).await
    }

    /// Sends an object to a path; what the API server says against it is the error.
    pub async fn post(&self, path: &str, object: &Value) -> Result<Value, kube::Error> {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(request, serde_json::to_vec(object).unwrap()).await
    }

    /// A merge patch; what the API server says against it is the error.
    pub async fn merge(
        &self,
        resource: &str,
        namespace: &str,
        name: &str,
        patch: &Value,
    ) -> Result<Value, kube::Error> {
        let path = Self::path(resource, namespace, &format!("/{name}"));
        let request = Request::patch(path).header("content-type", "application/merge-patch+json");
        self.send(request, serde_json::to_vec(patch).unwrap()).await
    }

    /// Deletes an object with its dependents behind it; with `at_once` its pod gets no time to end.
    pub async fn delete(&self, resource: &str, namespace: &str, name: &str, at_once: bool) {
        let grace = if at_once { "&gracePeriodSeconds=0" } else { "" };
        let path = Self::path(resource, namespace, &format!("/{name}?propagationPolicy=Background{grace}"));
        self.send(Request::delete(path), Vec::new()).await.unwrap_or_else(|error| panic!("deleting {name}: {error}"));
    }

    /// Runs kubectl and gives what it printed.
    pub fn kubectl(&self, args: &[&str]) -> Result<String, String> {
        let output = Command::new(&self.kubectl).args(["--kubeconfig", &self.config]).args(args).output();
        let output = output.map_err(|error| format!("{}: {error}", self.kubectl))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }
}
