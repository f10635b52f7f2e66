//! What a request's address means.

use std::collections::BTreeMap;

use http::Method;

/// The kinds that are known: address up to the resource, resource, kind.
const KINDS: [(&str, &str, &str); 16] = [
    ("/apis/loadtest.dev/v1alpha1", "loadtests", "LoadTest"),
    ("/apis/apps/v1", "deployments", "Deployment"),
    ("/apis/apps/v1", "statefulsets", "StatefulSet"),
    ("/apis/apps/v1", "replicasets", "ReplicaSet"),
    ("/apis/batch/v1", "jobs", "Job"),
    ("/apis/batch/v1", "cronjobs", "CronJob"),
    ("/api/v1", "pods", "Pod"),
    ("/api/v1", "services", "Service"),
    ("/api/v1", "configmaps", "ConfigMap"),
    ("/api/v1", "resourcequotas", "ResourceQuota"),
    ("/api/v1", "events", "Event"),
    ("/apis/events.k8s.io/v1", "events", "Event"),
    ("/apis/discovery.k8s.io/v1", "endpointslices", "EndpointSlice"),
    ("/apis/autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
    ("/apis/keda.sh/v1alpha1", "scaledobjects", "ScaledObject"),
    ("/apis/metrics.k8s.io/v1beta1", "pods", "PodMetrics"),
];

/// Where a request goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// `jobs`; with its group before it where another group has the same word: `events.k8s.io/events`.
    pub resource: String,
    pub kind: String,
    pub api_version: String,
    /// Empty: all of them.
    pub namespace: String,
    /// Empty: the collection.
    pub name: String,
    /// `status`, `log` or empty.
    pub sub: String,
    pub query: BTreeMap<String, String>,
    /// get, list, watch, create, patch, delete.
    pub verb: String,
}

impl Path {
    /// Reads a request's method and address.
    pub fn of(method: &Method, uri: &http::Uri) -> Option<Self> {
        let (prefix, rest, resource, kind) = KINDS.iter().find_map(|(prefix, resource, kind)| {
            let rest = uri.path().strip_prefix(prefix)?.strip_prefix('/')?;
            let parts: Vec<&str> = rest.split('/').collect();
            let at = if parts[0] == "namespaces" && parts.len() > 2 { 2 } else { 0 };
            (parts[at] == *resource).then_some((prefix, rest, resource, kind))
        })?;
        let mut parts: Vec<&str> = rest.split('/').collect();
        let mut path = Self { kind: (*kind).into(), ..Self::default() };
        if parts[0] == "namespaces" {
            path.namespace = parts[1].into();
            parts.drain(..2);
        }
        path.name = parts.get(1).unwrap_or(&"").to_string();
        path.sub = parts.get(2).unwrap_or(&"").to_string();
        let group = prefix.trim_start_matches("/apis/").trim_start_matches("/api/");
        path.api_version = group.into();
        path.resource = match group.split_once('/') {
            Some((group @ ("events.k8s.io" | "metrics.k8s.io" | "keda.sh"), _)) => format!("{group}/{resource}"),
            _ => (*resource).into(),
        };
        let query = uri.query().unwrap_or_default();
        path.query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        path.verb = match *method {
            Method::GET if path.query.get("watch").is_some_and(|on| on == "true") => "watch",
            Method::GET if path.name.is_empty() => "list",
            Method::GET => "get",
            Method::POST => "create",
            Method::PATCH => "patch",
            Method::DELETE => "delete",
            _ => return None,
        }
        .into();
        Some(path)
    }

    /// Nothing is stored.
    pub fn is_dry_run(&self) -> bool {
        self.query.contains_key("dryRun")
    }

    /// It changes something.
    pub fn writes(&self) -> bool {
        matches!(self.verb.as_str(), "create" | "patch" | "delete") && !self.is_dry_run()
    }

    /// Verb and resource.
    pub fn class(&self) -> String {
        let sub = if self.sub.is_empty() { String::new() } else { format!("/{}", self.sub) };
        let dry = if self.is_dry_run() { " (dry run)" } else { "" };
        format!("{} {}{sub}{dry}", self.verb, self.resource)
    }
}
