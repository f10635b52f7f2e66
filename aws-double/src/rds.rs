//! RDS over awsQuery: DescribeDBInstances, DescribeDBProxies and DescribeDBParameters.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::answer::{Answer, Protocol, Refusal, element};
use crate::state::State;
use crate::state::instance::{Instance, Parameter, Proxy};

/// XML namespace of RDS.
pub const NAMESPACE: &str = "http://rds.amazonaws.com/doc/2014-10-31/";

/// The fields of an awsQuery form.
pub type Form = BTreeMap<String, String>;

/// DescribeDBInstances: one by its identifier, or all, by pages.
pub fn describe_db_instances(state: &State, form: &Form) -> Result<Answer, Refusal> {
    let wanted = form.get("DBInstanceIdentifier");
    let fits = |instance: &&Instance| wanted.is_none_or(|wanted| instance.identifier.eq_ignore_ascii_case(wanted));
    let instances: Vec<&Instance> = state.instances.iter().filter(fits).collect();
    if let (Some(wanted), []) = (wanted, instances.as_slice()) {
        return Err(Refusal::new("DBInstanceNotFound", 404, format!("DBInstance {wanted} not found.")));
    }
    let (page, marker) = page(&instances, form)?;
    let list: String = page.iter().map(|instance| instance_xml(instance)).collect();
    Ok(Protocol::result(NAMESPACE, "DescribeDBInstances", &format!("{marker}<DBInstances>{list}</DBInstances>")))
}

/// DescribeDBProxies: one by its name, or all, by pages. The code of its error is that of the service model.
pub fn describe_db_proxies(state: &State, form: &Form) -> Result<Answer, Refusal> {
    let wanted = form.get("DBProxyName");
    let proxies: Vec<&Proxy> =
        state.proxies.iter().filter(|proxy| wanted.is_none_or(|wanted| proxy.name == *wanted)).collect();
    if let (Some(wanted), []) = (wanted, proxies.as_slice()) {
        return Err(Refusal::new("DBProxyNotFoundFault", 404, format!("DB Proxy {wanted} not found.")));
    }
    let (page, marker) = page(&proxies, form)?;
    let list: String = page.iter().map(|proxy| proxy_xml(proxy)).collect();
    Ok(Protocol::result(NAMESPACE, "DescribeDBProxies", &format!("<DBProxies>{list}</DBProxies>{marker}")))
}

/// DescribeDBParameters of a group, by pages, all or those of one source.
pub fn describe_db_parameters(state: &State, form: &Form) -> Result<Answer, Refusal> {
    let name = form.get("DBParameterGroupName").map_or("", String::as_str);
    let Some(group) = state.parameter_groups.iter().find(|group| group.name == name) else {
        return Err(Refusal::new("DBParameterGroupNotFound", 404, format!("DBParameterGroup not found: {name}")));
    };
    let source = form.get("Source");
    let fits = |parameter: &&Parameter| source.is_none_or(|source| *source == parameter.source);
    let parameters: Vec<&Parameter> = group.parameters.iter().filter(fits).collect();
    let (page, marker) = page(&parameters, form)?;
    let list: String = page.iter().map(|parameter| parameter_xml(parameter)).collect();
    Ok(Protocol::result(NAMESPACE, "DescribeDBParameters", &format!("{marker}<Parameters>{list}</Parameters>")))
}

/// The page that MaxRecords (20..100, default 100) and Marker ask for, and the next marker's element.
fn page<'a, T>(all: &'a [&'a T], form: &Form) -> Result<(&'a [&'a T], String), Refusal> {
    let size: usize = match form.get("MaxRecords") {
        None => 100,
        Some(text) => text.parse().ok().filter(|size| (20..=100).contains(size)).ok_or_else(|| {
            Refusal::new("InvalidParameterValue", 400, "Invalid value for MaxRecords. Must be between 20 and 100")
        })?,
    };
    let first: usize = match form.get("Marker") {
        None => 0,
        Some(marker) => marker
            .parse()
            .ok()
            .filter(|first| *first <= all.len())
            .ok_or_else(|| Refusal::new("InvalidParameterValue", 400, "The marker is invalid"))?,
    };
    let last = (first + size).min(all.len());
    let marker = if last < all.len() { element("Marker", &last.to_string()) } else { String::new() };
    Ok((&all[first..last], marker))
}

fn instance_xml(instance: &Instance) -> String {
    let mut xml = String::from("<DBInstance>");
    for (name, value) in [
        ("DBInstanceIdentifier", instance.identifier.as_str()),
        ("DBInstanceClass", &instance.class),
        ("Engine", &instance.engine),
        ("DBInstanceStatus", &instance.status),
        ("EngineVersion", &instance.engine_version),
        ("DbiResourceId", &instance.resource_id),
        ("PerformanceInsightsEnabled", if instance.insights_enabled { "true" } else { "false" }),
    ] {
        xml += &element(name, value);
    }
    if let Some(mode) = &instance.insights_mode {
        xml += &element("DatabaseInsightsMode", mode);
    }
    if let Some((name, status)) = &instance.parameter_group {
        let (name, status) = (element("DBParameterGroupName", name), element("ParameterApplyStatus", status));
        let _ =
            write!(xml, "<DBParameterGroups><DBParameterGroup>{name}{status}</DBParameterGroup></DBParameterGroups>");
    }
    xml + "</DBInstance>"
}

fn proxy_xml(proxy: &Proxy) -> String {
    let Proxy { name, engine_family, status } = proxy;
    let members = [("DBProxyName", name), ("Status", status), ("EngineFamily", engine_family)];
    let xml: String = members.into_iter().map(|(name, value)| element(name, value)).collect();
    format!("<member>{xml}</member>")
}

fn parameter_xml(parameter: &Parameter) -> String {
    let value = parameter.value.as_deref().map_or_else(String::new, |value| element("ParameterValue", value));
    let (name, source) = (element("ParameterName", &parameter.name), element("Source", &parameter.source));
    format!("<Parameter>{name}{value}{source}</Parameter>")
}
