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

    /// Where the plan asks for more than the limits allow.
    pub fn exceeded(&self, plan: &Plan) -> Vec<FieldError> {
        let mut errors = Vec::new();
        for row in &plan.rows {
            let rate: f64 = row
                .loads
                .iter()
                .filter_map(|load| Some(f64::from(load.rate?) / f64::from(load.per_seconds.unwrap_or(1).max(1))))
                .sum();
            if rate > self.limits.max_rate_per_second {
                let most = self.limits.max_rate_per_second;
                let message = format!("row {} sends {rate} requests a second; this operator allows {most}", row.number);
                errors.push(FieldError::new("spec.loads", message));
            }
            let generators: i32 = row.loads.iter().map(|load| load.generators).sum();
            if generators > self.limits.max_generators {
                let most = self.limits.max_generators;
                let message = format!("row {} needs {generators} generators; this operator allows {most}", row.number);
                errors.push(FieldError::new("spec.loads", message));
            }
        }
        let seconds: i64 = plan.rows.iter().map(least_row_seconds).sum();
        if seconds > self.limits.max_duration_seconds {
            let most = self.limits.max_duration_seconds;
            let message = format!("the loads alone take {seconds} s; this operator allows {most} s for a whole test");
            errors.push(FieldError::new("spec", message));
        }
        errors.dedup_by(|a, b| a.path == b.path);
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
}
