//! PURE: what a manifest needs to know of a workload that runs.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::WorkloadKind;
use crate::build::container_index;
use crate::evidence::cluster::route::selects;

/// Longest name of a target or load.
const LONGEST_NAME: usize = 32;

/// A workload with what is around it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Name of the target: the workload's, as far as a target may be called so.
    pub name: String,
    pub workload: String,
    pub is_stateful_set: bool,
    pub replicas: i64,
    /// The container that a size is for; `None`: none of several bears the workload's name, and the first is taken.
    pub container: Option<String>,
    /// Its name must be written.
    pub container_is_a_guess: bool,
    /// `requests.cpu`, `limits.memory` …; absent: not set.
    pub resources: BTreeMap<String, String>,
    /// Where requests go.
    pub service: Option<Way>,
    /// Other Services that lead to it.
    pub other_services: Vec<String>,
    /// Path of the readiness probe, which surely answers.
    pub probe_path: Option<String>,
    /// What else sets its size.
    pub managers: Vec<String>,
}

/// A Service's port.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    pub service: String,
    pub port: i64,
    pub https: bool,
}

/// Reads a workload and the Services of its namespace.
pub fn found(kind: WorkloadKind, workload: &Value, services: &[Value], managers: Vec<String>) -> Found {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let name = text(&workload["metadata"]["name"]).unwrap_or_default();
    let index = container_index(workload, None);
    let container = &workload["spec"]["template"]["spec"]["containers"][index.unwrap_or(0)];
    let labels = &workload["spec"]["template"]["metadata"]["labels"];
    let labels: BTreeMap<String, String> = serde_json::from_value(labels.clone()).unwrap_or_default();
    let mut ways = services.iter().filter_map(|service| way(service, &labels));
    let mut resources = BTreeMap::new();
    for kind in ["requests", "limits"] {
        for unit in ["cpu", "memory"] {
            resources
                .extend(text(&container["resources"][kind][unit]).map(|amount| (format!("{kind}.{unit}"), amount)));
        }
    }
    Found {
        name: short(&name),
        workload: name,
        is_stateful_set: kind == WorkloadKind::StatefulSet,
        replicas: workload["spec"]["replicas"].as_i64().unwrap_or(1),
        container: text(&container["name"]),
        container_is_a_guess: index.is_none(),
        resources,
        service: ways.next(),
        other_services: ways.map(|way| way.service).collect(),
        probe_path: text(&container["readinessProbe"]["httpGet"]["path"]).filter(|path| path.starts_with('/')),
        managers,
    }
}

/// The port of a Service that selects these labels: the one called http or https, else the first over TCP.
fn way(service: &Value, labels: &BTreeMap<String, String>) -> Option<Way> {
    let selector: BTreeMap<String, String> = serde_json::from_value(service["spec"]["selector"].clone()).ok()?;
    if selector.is_empty() || !selects(&selector, labels) {
        return None;
    }
    let tcp = |port: &&Value| port["protocol"].as_str().is_none_or(|protocol| protocol == "TCP");
    let ports: Vec<&Value> = service["spec"]["ports"].as_array()?.iter().filter(tcp).collect();
    let called = |name: &str| ports.iter().find(|port| port["name"] == name);
    let port = called("http").or_else(|| called("https")).or(ports.first())?;
    let number = port["port"].as_i64()?;
    let https = number == 443 || port["name"] == "https";
    Some(Way { service: service["metadata"]["name"].as_str()?.to_owned(), port: number, https })
}

/// As a target may be called: lower case letters, digits and dashes, a letter first, at most 32.
fn short(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let lettered = if plain.starts_with(|c: char| c.is_ascii_lowercase()) { plain } else { format!("t-{plain}") };
    let cut: String = lettered.chars().take(LONGEST_NAME).collect();
    cut.trim_end_matches('-').to_owned()
}

impl Found {
    /// What a person should know before the first run, a sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let workload = &self.workload;
        let mut all: Vec<String> = self
            .managers
            .iter()
            .map(|manager| {
                format!("{manager} also sets the size of {workload}: pause it, or write whenManaged: Override, before you give a size")
            })
            .collect();
        if self.container_is_a_guess {
            let container = self.container.as_deref().unwrap_or("-");
            all.push(format!("{workload} has several containers; {container}, the first, was taken"));
        }
        if !self.other_services.is_empty() {
            all.push(format!("other Services lead to {workload} too: {}", self.other_services.join(", ")));
        }
        all
    }
}
