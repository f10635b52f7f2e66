//! The operator's own configuration: one YAML file from chart values; unknown keys are refused.

use std::path::Path;

use serde::Deserialize;

use crate::api::Rds;
use crate::plan::{FieldError, Plan};

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Config {
    /// Namespaces whose LoadTests are run; empty: all of them.
    pub watch_namespaces: Vec<String>,
    /// Hosts beside the Services of a test's namespace; `*.example.com` is every host below it.
    pub allowed_hosts: Vec<String>,
    pub limits: Limits,
    /// RDS instances that a namespace may read.
    pub rds: Vec<RdsRule>,
    /// Region of instances for which the test names none; empty: the AWS environment's.
    pub aws_region: String,
}

/// What a LoadTest may ask for at most.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Limits {
    /// All loads of a row together.
    pub max_rate_per_second: f64,
    /// Length of one test, with preparation and settling.
    pub max_duration_seconds: i64,
    /// Generator pods of a row, all loads together.
    pub max_generators: i32,
    /// Tests running at the same time in one namespace; the others wait.
    pub max_concurrent_tests: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_rate_per_second: 10_000.0,
            max_duration_seconds: 14_400,
            max_generators: 32,
            max_concurrent_tests: 2,
        }
    }
}

/// One namespace's instances.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RdsRule {
    pub namespace: String,
    pub instances: Vec<String>,
    /// Empty: any region.
    pub regions: Vec<String>,
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// A sentence with the file's name: it can't be read, or a key is unknown or has another type.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        serde_saphyr::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
    }

    /// Where the plan asks for more than the limits allow: of each limit the first row that does.
    pub fn exceeded(&self, plan: &Plan) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let most = self.limits.max_rate_per_second;
        let mut rates =
            plan.rows.iter().map(|row| (row.number, row.loads.iter().filter_map(requests_per_second).sum::<f64>()));
        if let Some((row, rate)) = rates.find(|(_, rate)| *rate > most) {
            let message = format!("row {row} sends {rate} requests a second; this operator allows {most}");
            errors.push(FieldError::new("spec.loads", message));
        }
        let most = self.limits.max_generators;
        let mut generators =
            plan.rows.iter().map(|row| (row.number, row.loads.iter().map(|load| load.generators).sum::<i32>()));
        if let Some((row, generators)) = generators.find(|(_, generators)| *generators > most) {
            let message = format!("row {row} needs {generators} generators; this operator allows {most}");
            errors.push(FieldError::new("spec.loads", message));
        }
        let seconds: i64 = plan.rows.iter().map(least_row_seconds).sum();
        if seconds > self.limits.max_duration_seconds {
            let most = self.limits.max_duration_seconds;
            let message = format!("the loads alone take {seconds} s; this operator allows {most} s for a whole test");
            errors.push(FieldError::new("spec", message));
        }
        errors
    }

    /// Whether tests of `namespace` may read `rds`.
    pub fn may_read(&self, namespace: &str, rds: &Rds) -> bool {
        let region = rds.region.as_deref().unwrap_or(&self.aws_region);
        self.rds.iter().any(|rule| {
            rule.namespace == namespace
                && rule.instances.contains(&rds.instance)
                && (rule.regions.is_empty() || rule.regions.iter().any(|r| r == region))
        })
    }
}

/// Requests in a second that an open load sends at most: each start goes through all of its steps. A closed load has no rate.
fn requests_per_second(load: &crate::api::Load) -> Option<f64> {
    let starts = f64::from(load.rate?) / f64::from(load.per_seconds.unwrap_or(1).max(1));
    Some(starts * load.steps.len().max(1) as f64)
}

fn least_row_seconds(row: &crate::plan::PlannedRow) -> i64 {
    let of = |load: &crate::api::Load| {
        i64::from(load.duration_seconds.unwrap_or(0)) + i64::from(load.warmup_seconds.unwrap_or(0))
    };
    row.loads.iter().map(of).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_refused() {
        let error = serde_saphyr::from_str::<Config>("allowedHost: [a]").unwrap_err().to_string();
        assert!(error.contains("allowedHost"), "{error}");
    }

    #[test]
    fn a_namespace_reads_only_its_instances() {
        let config: Config =
            serde_saphyr::from_str("rds: [{namespace: a, instances: [db], regions: [eu-central-1]}]").unwrap();
        let rds = |region: Option<&str>| Rds { instance: "db".into(), region: region.map(Into::into) };
        assert!(config.may_read("a", &rds(Some("eu-central-1"))));
        assert!(!config.may_read("a", &rds(None)));
        assert!(!config.may_read("b", &rds(Some("eu-central-1"))));
    }

    /// What a manifest with this spec asks for beyond limits of 100 requests a second, 600 seconds and 4 generators.
    fn exceeded(spec: serde_json::Value) -> String {
        let limits = "limits: {maxRatePerSecond: 100, maxDurationSeconds: 600, maxGenerators: 4}";
        let config: Config = serde_saphyr::from_str(limits).unwrap();
        let plan = crate::plan::plan(&serde_json::from_value(spec).unwrap()).unwrap();
        config.exceeded(&plan).iter().map(|error| format!("{error}\n")).collect()
    }

    #[test]
    fn no_manifest_gets_more_than_the_limits_however_it_asks() {
        use serde_json::json;
        let load = |name: &str, more: serde_json::Value| {
            let mut load = json!({"name": name, "url": "http://web/"});
            load.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            load
        };
        let rate = |name, rate, unit, steps: usize| {
            let steps: Vec<_> = (0..steps).map(|i| json!({"name": format!("s{i}")})).collect();
            load(name, json!({"rate": rate, "perSeconds": unit, "durationSeconds": 60, "steps": steps}))
        };
        let lasting = |seconds, warmup| load("a", json!({"durationSeconds": seconds, "warmupSeconds": warmup}));
        let from = |name, generators| load(name, json!({"clients": 32, "generators": generators}));
        let sweep = |field: &str, values: [i32; 2]| json!([{"load": "a", field: values}]);
        // The limit itself, one more, and what the message says.
        let cases = [
            (json!({"loads": [rate("a", 100, 1, 0)]}), json!({"loads": [rate("a", 101, 1, 0)]}), "sends 101 requests"),
            (
                json!({"loads": [rate("a", 6000, 60, 1)]}),
                json!({"loads": [rate("a", 6060, 60, 1)]}),
                "sends 101 requests",
            ),
            (json!({"loads": [rate("a", 50, 1, 2)]}), json!({"loads": [rate("a", 51, 1, 2)]}), "sends 102 requests"),
            (
                json!({"loads": [rate("a", 50, 1, 1), rate("b", 50, 1, 1)]}),
                json!({"loads": [rate("a", 50, 1, 1), rate("b", 51, 1, 1)]}),
                "sends 101 requests",
            ),
            (
                json!({"loads": [rate("a", 9, 1, 1)], "sweep": sweep("rate", [9, 100])}),
                json!({"loads": [rate("a", 9, 1, 1)], "sweep": sweep("rate", [9, 101])}),
                "row 2 sends 101 requests",
            ),
            (json!({"loads": [lasting(600, 0)]}), json!({"loads": [lasting(600, 1)]}), "take 601 s"),
            (
                json!({"loads": [lasting(300, 0)], "repeats": 2}),
                json!({"loads": [lasting(300, 0)], "repeats": 3}),
                "take 900 s",
            ),
            (json!({"loads": [from("a", 4)]}), json!({"loads": [from("a", 5)]}), "needs 5 generators"),
            (
                json!({"loads": [from("a", 2), from("b", 2)]}),
                json!({"loads": [from("a", 2), from("b", 3)]}),
                "needs 5 generators",
            ),
        ];
        for (at_the_limit, beyond, words) in cases {
            assert_eq!(exceeded(at_the_limit.clone()), "", "{at_the_limit}");
            assert!(exceeded(beyond.clone()).contains(words), "{beyond}: {:?}", exceeded(beyond.clone()));
        }
    }

    #[test]
    fn each_limit_that_is_exceeded_is_said() {
        let load = serde_json::json!({"name": "a", "url": "http://web/", "rate": 101, "durationSeconds": 601, "generators": 5});
        let said = exceeded(serde_json::json!({"loads": [load]}));
        for words in ["101 requests", "5 generators", "601 s"] {
            assert!(said.contains(words), "{words} is missing in {said}");
        }
    }
}
