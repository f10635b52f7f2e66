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
    /// RDS proxies before them; empty: none.
    pub proxies: Vec<String>,
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

    /// What of `rds` tests of `namespace` may not read, in words: the instance, or its proxy. Both must stand in one entry.
    pub fn unreadable(&self, namespace: &str, rds: &Rds) -> Option<String> {
        let region = rds.region.as_deref().unwrap_or(&self.aws_region);
        let fits = |rule: &&RdsRule| {
            rule.namespace == namespace
                && rule.instances.contains(&rds.instance)
                && (rule.regions.is_empty() || rule.regions.iter().any(|r| r == region))
        };
        let fitting: Vec<&RdsRule> = self.rds.iter().filter(fits).collect();
        match &rds.proxy {
            _ if fitting.is_empty() => Some(format!("RDS instance {}", rds.instance)),
            Some(proxy) if !fitting.iter().any(|rule| rule.proxies.contains(proxy)) => {
                Some(format!("RDS proxy {proxy} before instance {}", rds.instance))
            }
            _ => None,
        }
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
        let rds = |region: Option<&str>| Rds { instance: "db".into(), region: region.map(Into::into), proxy: None };
        assert_eq!(config.unreadable("a", &rds(Some("eu-central-1"))), None);
        assert_eq!(config.unreadable("a", &rds(None)).as_deref(), Some("RDS instance db"));
        assert_eq!(config.unreadable("b", &rds(Some("eu-central-1"))).as_deref(), Some("RDS instance db"));
    }

    #[test]
    fn a_namespace_reads_only_its_proxies_each_before_its_own_instance() {
        let config: Config = serde_saphyr::from_str(
            "rds: [{namespace: a, instances: [db, old], proxies: [pool]}, {namespace: a, instances: [other], proxies: [its]}]",
        )
        .unwrap();
        let said = |namespace: &str, instance: &str, proxy: &str| {
            let rds = Rds { instance: instance.into(), region: None, proxy: Some(proxy.into()) };
            config.unreadable(namespace, &rds)
        };
        assert_eq!(said("a", "db", "pool"), None);
        assert_eq!(said("a", "db", "its").as_deref(), Some("RDS proxy its before instance db"));
        assert_eq!(said("b", "db", "pool").as_deref(), Some("RDS instance db"));
    }
}
