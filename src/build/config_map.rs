//! ConfigMaps: what agents are given, what a row found, the report.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::names::{OBSERVE, RunName};

fn config_map(run: &RunName, name: String, part: &str, data: BTreeMap<String, String>) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name),
            namespace: Some(run.namespace.clone()),
            labels: Some(run.labels(part)),
            owner_references: Some(vec![run.owner()]),
            ..ObjectMeta::default()
        },
        data: Some(data),
        ..ConfigMap::default()
    }
}

/// `plan.json` of a row's generators, or of the observer (`row` absent).
pub fn plan_config_map(run: &RunName, row: Option<i32>, plan: String) -> ConfigMap {
    let (name, part) = match row {
        Some(row) => (run.row_plan(row), row.to_string()),
        None => (run.observer_plan(), OBSERVE.to_owned()),
    };
    config_map(run, name, &part, BTreeMap::from([("plan.json".into(), plan)]))
}

/// `plan.json` of an act.
pub fn act_config_map(run: &RunName, part: &str, plan: String) -> ConfigMap {
    config_map(run, run.act_plan(part), part, BTreeMap::from([("plan.json".into(), plan)]))
}

/// `row.json`: what a row found.
pub fn row_config_map(run: &RunName, row: i32, json: String) -> ConfigMap {
    config_map(run, run.row(row), &row.to_string(), BTreeMap::from([("row.json".into(), json)]))
}

/// The report's files.
pub fn report_config_map(run: &RunName, files: BTreeMap<String, String>) -> ConfigMap {
    config_map(run, run.report(), "report", files)
}
