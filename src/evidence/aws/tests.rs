//! The source against the double of the AWS APIs, when all is well; what may go wrong is in `faults_tests`.

// The SDK moved these names to a crate that is not ours to depend on.
#![allow(deprecated)]

use std::time::Duration;

use aws_config::ConfigLoader;
use aws_config::profile::profile_file::{ProfileFileKind, ProfileFiles};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_double::{
    Double, Fault, Instance as Scripted, Parameter, ParameterGroup, Running, Series as ScriptedSeries, State,
};

use super::*;
use crate::results::gathered::series::MINUTE_MS;

pub const KEYS: &str = "[default]\naws_access_key_id = AKIACANARY\naws_secret_access_key = canary\n";
/// A minute of 2023, Unix seconds.
pub const START: i64 = 1_700_000_040;

/// The SDK with this profile instead of the machine's, and without waiting long.
pub fn quick(region: Option<&str>, profile: &str, endpoint: Option<&str>) -> ConfigLoader {
    // Nothing beyond loopback may be asked, for credentials neither; STS finds its endpoint only here.
    let endpoint = endpoint.unwrap_or("http://127.0.0.1:1");
    let text = format!("{profile}\nec2_metadata_service_endpoint = http://127.0.0.1:1\nendpoint_url = {endpoint}\n");
    let files = ProfileFiles::builder().with_contents(ProfileFileKind::Config, text).build();
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(700)).build();
    let retries = RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(5));
    client::loader(region).profile_files(files).timeout_config(timeouts).retry_config(retries)
}

pub fn source_of(running: &Running) -> DatabaseSource {
    let endpoint = running.endpoint();
    DatabaseSource::with_loader("demo-db", move || quick(Some("eu-west-1"), KEYS, Some(&endpoint)))
}

/// A double with one instance, three minutes of CPU and a parameter group.
pub async fn demo() -> Running {
    let mut instance = Scripted::postgres("demo-db");
    instance.parameter_group = Some(("group".into(), "in-sync".into()));
    let parameters = vec![
        Parameter::new("autovacuum", "1", "system"),
        Parameter::new("max_connections", "LEAST({DBInstanceClassMemory/9531392},5000)", "engine-default"),
    ];
    let state = State {
        instances: vec![instance],
        parameter_groups: vec![ParameterGroup { name: "group".into(), parameters }],
        series: vec![
            ScriptedSeries::of("demo-db", "CPUUtilization", [(START, 10.0), (START + 60, 20.0), (START + 120, 30.0)]),
            ScriptedSeries::of("demo-db", "FreeableMemory", [(START, 1_073_741_824.0)]),
            ScriptedSeries::of("demo-db", "ReadLatency", [(START, 0.002)]),
        ],
        ..State::default()
    };
    Double::with_state(state).start().await.unwrap()
}

pub async fn series(source: &DatabaseSource) -> Vec<Series> {
    source.series(START * 1000, (START + 180) * 1000).await.unwrap()
}

pub fn named<'a>(all: &'a [Series], figure: &str) -> &'a Series {
    all.iter().find(|s| s.figure == figure).unwrap()
}

pub fn averages(all: &[Series], figure: &str) -> Vec<f64> {
    named(all, figure).points.iter().map(|p| p.average).collect()
}

#[tokio::test]
async fn the_instance_says_what_it_is_and_how_many_connections_it_takes() {
    let double = demo().await;
    let source = source_of(&double);
    let instance = source.instance().await.unwrap();
    assert_eq!((instance.class.as_str(), instance.engine.as_str()), ("db.m6g.large", "postgres"));
    assert_eq!((instance.version.as_str(), instance.status.as_str()), ("16.4", "available"));
    assert_eq!(source.connection_limit(&instance).await, Ok(Some((855, LimitSource::Estimated))));
    double.double().script(|state| state.parameter_groups[0].parameters[1].value = Some("150".into()));
    assert_eq!(source.connection_limit(&instance).await, Ok(Some((150, LimitSource::ParameterGroup))));
    double
        .double()
        .script(|state| state.instances[0].parameter_group = Some(("group".into(), "pending-reboot".into())));
    let pending = source.instance().await.unwrap();
    assert_eq!(source.connection_limit(&pending).await, Ok(None), "the value does not hold before the restart");
}

#[tokio::test]
async fn figures_come_in_the_units_of_the_api() {
    let all = series(&source_of(&demo().await)).await;
    assert!(all.iter().all(|s| !s.figure.starts_with("proxy")), "none was named");
    assert_eq!(averages(&all, "cpuPercent"), [10.0, 20.0, 30.0]);
    assert_eq!(named(&all, "cpuPercent").points[1].start_ms, START * 1000 + MINUTE_MS);
    assert_eq!(averages(&all, "freeableMemoryMiB"), [1024.0]);
    assert_eq!(averages(&all, "readLatencyMs"), [2.0]);
    assert!(named(&all, "dbLoad").points.is_empty() && named(&all, "dbLoad").problem.is_none());
}

#[tokio::test]
async fn only_whole_minutes_inside_the_window_are_asked_for() {
    let double = demo().await;
    let source = source_of(&double);
    let all = source.series(START * 1000 + 1, (START + 180) * 1000 - 1).await.unwrap();
    assert_eq!(averages(&all, "cpuPercent"), [20.0]);
    let none = source.series(START * 1000 + 1, START * 1000 + 59_000).await.unwrap();
    assert!(none.iter().all(|s| s.points.is_empty()));
}

#[tokio::test]
async fn points_that_are_late_are_missing_and_not_zero() {
    let double = demo().await;
    double.double().script(|state| {
        let cpu = state.series_mut("demo-db", "CPUUtilization");
        (cpu.missing_newest, cpu.missing_newest_calls) = (1, Some(2));
    });
    let source = source_of(&double);
    let first = series(&source).await;
    assert_eq!(averages(&first, "cpuPercent"), [10.0, 20.0]);
    let second = series(&source).await;
    assert_eq!(averages(&second, "cpuPercent"), [10.0, 20.0, 30.0]);
    let cpu = |all: &[Series]| vec![named(all, "cpuPercent").clone()];
    assert!(!settled(&cpu(&first), &cpu(&second), 3, false));
    assert!(settled(&cpu(&second), &cpu(&series(&source).await), 3, false));
}

/// Asks with a web identity, of which STS answers with `fault`.
pub async fn web_identity(token_file: &str, fault: Option<Fault>) -> Result<Instance, AwsError> {
    let double = demo().await;
    double.double().script(|state| state.faults.extend(fault));
    let endpoint = double.endpoint();
    let profile =
        format!("[default]\nrole_arn = arn:aws:iam::123456789012:role/canary\nweb_identity_token_file = {token_file}");
    DatabaseSource::with_loader("demo-db", move || quick(Some("eu-west-1"), &profile, Some(&endpoint))).instance().await
}

#[tokio::test]
async fn each_figure_of_the_closed_list_that_is_cloudwatchs_comes_from_a_metric() {
    let double = demo().await;
    double.double().script(|state| {
        let points = || (0..3).map(|i| (START + 60 * i, 5.0));
        let of = |figure: &figures::Figure| match figure.of {
            figures::Of::Instance => ScriptedSeries::of("demo-db", figure.metric, points()),
            figures::Of::Proxy => ScriptedSeries::of_proxy("demo-pool", figure.metric, points()),
        };
        state.series = FIGURES.iter().map(of).collect();
    });
    let all = series(&source_of(&double).with_proxy(Some("demo-pool"))).await;
    let figures: Vec<_> = all.iter().map(|s| s.over(START * 1000, (START + 180) * 1000, None)).collect();
    let told = figures.iter().filter(|f| f.statistics.average.is_some() && f.statistics.points == Some(3));
    let told: std::collections::BTreeSet<String> = told.map(|figure| figure.name.clone()).collect();
    assert_eq!(told, crate::results::fixture::closed_list().1, "a figure of the API has no source");
}
