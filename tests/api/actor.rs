//! Somebody else than the administrator: the same API server, asked under another name (impersonation).

use http::Request;
use kube::Client;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};

use crate::cluster::Cluster;

/// Who the chart's operator is, as `dev/test api` installs it.
pub const OPERATOR: &str = "system:serviceaccount:loadtest-system:loadtest-operator";

/// A user whose rights and policies count.
pub struct Actor(Client);

impl Actor {
    /// One of this name.
    pub async fn named(cluster: &Cluster, user: &str) -> Self {
        let mut file = Kubeconfig::read_from(&cluster.config).unwrap();
        for named in &mut file.auth_infos {
            named.auth_info.as_mut().unwrap().impersonate = Some(user.to_owned());
        }
        let config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.unwrap();
        Self(Client::try_from(config).unwrap())
    }

    async fn send(&self, request: http::request::Builder, body: &Value) -> Result<Value, String> {
        let request = request.body(serde_json::to_vec(body).unwrap()).unwrap();
        self.0.request(request).await.map_err(|error| error.to_string())
    }

    /// Creates an object below a path; what the API server says against it is the error.
    pub async fn create(&self, path: &str, object: &Value) -> Result<Value, String> {
        self.send(Request::post(path).header("content-type", "application/json"), object).await
    }

    /// A JSON Patch of what is at a path.
    pub async fn patch(&self, path: &str, patch: &Value) -> Result<Value, String> {
        self.send(Request::patch(path).header("content-type", "application/json-patch+json"), patch).await
    }

    /// A merge patch of what is at a path.
    pub async fn merge(&self, path: &str, patch: &Value) -> Result<Value, String> {
        self.send(Request::patch(path).header("content-type", "application/merge-patch+json"), patch).await
    }

    /// What is at a path.
    pub async fn get(&self, path: &str) -> Result<Value, String> {
        self.send(Request::get(path), &Value::Null).await
    }

    /// Deletes what is at a path.
    pub async fn delete(&self, path: &str) -> Result<Value, String> {
        self.send(Request::delete(path), &json!({"propagationPolicy": "Background"})).await
    }

    /// Deletes what is at a path, if it is that one.
    pub async fn delete_that(&self, path: &str, uid: &Value) -> Result<Value, String> {
        self.send(Request::delete(path), &json!({"preconditions": {"uid": uid}})).await
    }

    /// Deletes what is at a path, if it is as it was read.
    pub async fn delete_as_read(&self, path: &str, read: &Value) -> Result<Value, String> {
        let meta = &read["metadata"];
        let preconditions = json!({"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]});
        self.send(Request::delete(path), &json!({"preconditions": preconditions, "propagationPolicy": "Background"}))
            .await
    }
}

/// Refused, and with these words.
pub fn assert_refused(what: &str, answer: &Result<Value, String>, words: &str) {
    match answer {
        Ok(object) => panic!("{what}: accepted: {object}"),
        Err(error) => assert!(error.contains(words), "{what}: refused without saying {words:?}: {error}"),
    }
}

/// Accepted; gives what the API server stored.
pub fn accepted(what: &str, answer: Result<Value, String>) -> Value {
    answer.unwrap_or_else(|error| panic!("{what}: {error}"))
}
