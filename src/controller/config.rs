//! The operator's own configuration: one YAML file from chart values; unknown keys are refused.

use std::path::Path;

use serde::Deserialize;

use super::limits::Limits;
use crate::api::Rds;

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
