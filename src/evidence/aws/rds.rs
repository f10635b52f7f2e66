//! The RDS API: the instance, the parameter that limits its connections, and the proxy before it.

use aws_sdk_rds::Client;
use aws_sdk_rds::types::{DbInstance, DbProxy};

use super::classes;
use super::classify::{AwsError, ErrorKind};
use super::client::failure;
use super::formula;
use crate::api::LimitSource;

/// An RDS instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// `db.m6g.large`.
    pub class: String,
    /// `postgres`.
    pub engine: String,
    pub version: String,
    /// `available`, …
    pub status: String,
    /// Identifier of Database Insights.
    pub dbi_resource_id: String,
    pub parameter_group: Option<ParameterGroup>,
    /// Performance Insights (Database Insights) is switched on.
    pub insights: bool,
}

/// The parameter group of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterGroup {
    pub name: String,
    /// False: the instance must be restarted before its values hold.
    pub in_sync: bool,
}

/// Asks for the instance.
///
/// # Errors
/// NotFound when AWS doesn't know it in this region; Transient when the answer lacks what every instance has, as a cut
/// XML answer does without any error of the SDK.
pub async fn describe(client: &Client, instance: &str) -> Result<Instance, AwsError> {
    let action = "rds:DescribeDBInstances";
    let asked = client.describe_db_instances().db_instance_identifier(instance).send().await;
    let answer = asked.map_err(|error| unknown(failure(action, &error), "instance", instance))?;
    // Of a name that it doesn't know RDS says so; an answer without any instance is a part of one.
    answer.db_instances().first().and_then(read).ok_or_else(|| cut_off(action))
}

/// Asks whether there is a proxy of that name.
///
/// # Errors
/// As for [`describe`].
pub async fn proxy(client: &Client, name: &str) -> Result<(), AwsError> {
    let action = "rds:DescribeDBProxies";
    let asked = client.describe_db_proxies().db_proxy_name(name).send().await;
    let answer = asked.map_err(|error| unknown(failure(action, &error), "proxy", name))?;
    let whole = |found: &DbProxy| found.db_proxy_name().is_some() && found.status().is_some();
    answer.db_proxies().first().is_some_and(whole).then_some(()).ok_or_else(|| cut_off(action))
}

/// An error; of what is not there, by its name.
fn unknown(error: AwsError, what: &str, name: &str) -> AwsError {
    match error.kind {
        ErrorKind::NotFound => {
            AwsError::new(ErrorKind::NotFound, format!("AWS knows no RDS {what} {name} in this region"))
        }
        _ => error,
    }
}

fn cut_off(action: &str) -> AwsError {
    AwsError::new(ErrorKind::Transient, format!("{action}: the answer of AWS was cut off"))
}

fn read(found: &DbInstance) -> Option<Instance> {
    let group = found.db_parameter_groups().first();
    Some(Instance {
        class: found.db_instance_class()?.to_owned(),
        engine: found.engine()?.to_owned(),
        version: found.engine_version()?.to_owned(),
        status: found.db_instance_status()?.to_owned(),
        dbi_resource_id: found.dbi_resource_id()?.to_owned(),
        parameter_group: group.and_then(|g| {
            let in_sync = g.parameter_apply_status() == Some("in-sync");
            Some(ParameterGroup { name: g.db_parameter_group_name()?.to_owned(), in_sync })
        }),
        insights: found.performance_insights_enabled().unwrap_or(false),
    })
}

/// The most connections by the instance's parameter group: a number in it is exact, a formula over the class's memory an
/// estimate. None: no group, no such parameter, a value that doesn't hold yet, or an unknown class.
///
/// # Errors
/// Why AWS didn't answer.
pub async fn connection_limit(client: &Client, instance: &Instance) -> Result<Option<(i32, LimitSource)>, AwsError> {
    let Some(group) = instance.parameter_group.as_ref().filter(|g| g.in_sync) else {
        return Ok(None);
    };
    let mut pages = client.describe_db_parameters().db_parameter_group_name(&group.name).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| failure("rds:DescribeDBParameters", &error))?;
        let found = page.parameters().iter().find(|p| p.parameter_name() == Some("max_connections"));
        if let Some(value) = found.and_then(|p| p.parameter_value()) {
            return Ok(limit(value, &instance.class));
        }
    }
    Ok(None)
}

/// PURE: the limit that the parameter's text sets for a class.
pub fn limit(value: &str, class: &str) -> Option<(i32, LimitSource)> {
    let (number, source) = match value.trim().parse::<i64>() {
        Ok(number) => (number, LimitSource::ParameterGroup),
        Err(_) => {
            let usable = classes::usable_bytes(classes::memory_bytes(class)?);
            (formula::evaluate(value, usable).ok()?, LimitSource::Estimated)
        }
    };
    i32::try_from(number).ok().filter(|n| *n > 0).map(|n| (n, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_exact_and_a_formula_an_estimate() {
        assert_eq!(limit("200", "db.unknown.large"), Some((200, LimitSource::ParameterGroup)));
        let formula = "LEAST({DBInstanceClassMemory/9531392},5000)";
        assert_eq!(limit(formula, "db.m6g.large"), Some((855, LimitSource::Estimated)));
    }

    #[test]
    fn what_cannot_be_told_is_not_told() {
        assert_eq!(limit("LEAST({DBInstanceClassMemory/9531392},5000)", "db.serverless"), None);
        assert_eq!(limit("many", "db.m6g.large"), None);
        assert_eq!(limit("0", "db.m6g.large"), None);
    }
}
