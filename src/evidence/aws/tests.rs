//! The source against the double of the AWS APIs: every fault ends in a figure, a reason or a clear error, and none leaks
//! a secret.

// The SDK moved these names to a crate that is not ours to depend on.
#![allow(deprecated)]

use std::time::Duration;

use aws_config::ConfigLoader;
use aws_config::profile::profile_file::{ProfileFileKind, ProfileFiles};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_double::{
    Double, Fault, FaultKind, Instance as Scripted, Parameter, ParameterGroup, Running, Series as ScriptedSeries,
    SeriesStatus, Service, State,
};

use super::*;
use crate::results::series::MINUTE_MS;

const KEYS: &str = "[default]\naws_access_key_id = AKIACANARY\naws_secret_access_key = canary\n";
/// A minute of 2023, Unix seconds.
const START: i64 = 1_700_000_040;

/// The SDK with this profile instead of the machine's, and without waiting long.
fn quick(region: Option<&str>, profile: &str, endpoint: Option<&str>) -> ConfigLoader {
    // Nothing beyond loopback may be asked, for credentials neither; STS finds its endpoint only here.
    let endpoint = endpoint.unwrap_or("http://127.0.0.1:1");
    let text = format!("{profile}\nec2_metadata_service_endpoint = http://127.0.0.1:1\nendpoint_url = {endpoint}\n");
    let files = ProfileFiles::builder().with_contents(ProfileFileKind::Config, text).build();
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(700)).build();
    let retries = RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(5));
    client::loader(region).profile_files(files).timeout_config(timeouts).retry_config(retries)
}

fn source_of(running: &Running) -> DatabaseSource {
    let endpoint = running.endpoint();
    DatabaseSource::with_loader("demo-db", move || quick(Some("eu-west-1"), KEYS, Some(&endpoint)))
}

/// A double with one instance, three minutes of CPU and a parameter group.
async fn demo() -> Running {
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

async fn series(source: &DatabaseSource) -> Vec<Series> {
    source.series(START * 1000, (START + 180) * 1000).await.unwrap()
}

fn named<'a>(all: &'a [Series], figure: &str) -> &'a Series {
    all.iter().find(|s| s.figure == figure).unwrap()
}

fn averages(all: &[Series], figure: &str) -> Vec<f64> {
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
    assert_eq!(all.len(), FIGURES.len());
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
async fn pages_are_put_together_and_duplicates_counted_once() {
    let double = demo().await;
    double.double().script(|state| {
        state.points_per_page = Some(2);
        state.series_mut("demo-db", "CPUUtilization").duplicate_every = Some(1);
    });
    let all = series(&source_of(&double)).await;
    assert_eq!(averages(&all, "cpuPercent"), [10.0, 20.0, 30.0]);
    assert_eq!(named(&all, "cpuPercent").problem, None);
    assert!(double.double().calls().len() > 1);
}

#[tokio::test]
async fn the_status_of_each_series_is_looked_at() {
    for (status, words) in [
        (SeriesStatus::Forbidden, "does not allow"),
        (SeriesStatus::InternalError, "failed"),
        (SeriesStatus::PartialData, "only a part"),
    ] {
        let double = demo().await;
        double.double().script(|state| state.series_mut("demo-db", "CPUUtilization").status = status);
        let all = series(&source_of(&double)).await;
        let problem = named(&all, "cpuPercent").problem.clone().unwrap();
        assert!(problem.contains(words), "{problem}");
        assert_eq!(named(&all, "freeableMemoryMiB").problem, None);
    }
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
    assert!(!settled(&cpu(&first), &cpu(&second), 3));
    assert!(settled(&cpu(&second), &cpu(&series(&source).await), 3));
}

#[tokio::test]
async fn an_unknown_instance_is_not_found() {
    let double = demo().await;
    double.double().script(|state| state.instances.clear());
    let error = source_of(&double).instance().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(error.text.contains("demo-db"), "{error}");
}

/// The error that `fault` on RDS ends in, or None when the call got over it.
async fn ends_in(fault: Fault) -> Option<ErrorKind> {
    let double = demo().await;
    double.double().script(|state| state.faults.push(fault));
    let error = source_of(&double).instance().await.err()?;
    assert!(!error.text.contains("canary") && !error.text.contains("AKIA"), "{error}");
    Some(error.kind)
}

fn error(code: &str, status: u16) -> Fault {
    Fault::new(FaultKind::error(code, status, "canary: User: arn:aws:iam::123:user/canary")).on(Service::Rds)
}

#[tokio::test]
async fn every_fault_of_a_call_has_its_kind() {
    assert_eq!(ends_in(error("Throttling", 400).times(2)).await, None, "it recovers");
    assert_eq!(ends_in(error("Throttling", 400)).await, Some(ErrorKind::Throttled));
    assert_eq!(ends_in(Fault::new(FaultKind::Html(429))).await, Some(ErrorKind::Throttled));
    assert_eq!(ends_in(error("InternalFailure", 500).times(1)).await, None);
    assert_eq!(ends_in(error("InternalFailure", 500)).await, Some(ErrorKind::Transient));
    assert_eq!(ends_in(Fault::new(FaultKind::Html(502))).await, Some(ErrorKind::Transient));
    assert_eq!(ends_in(error("AccessDenied", 403)).await, Some(ErrorKind::Denied));
    assert_eq!(ends_in(Fault::new(FaultKind::Html(403))).await, Some(ErrorKind::Denied));
    assert_eq!(ends_in(error("InvalidClientTokenId", 403)).await, Some(ErrorKind::CredentialsMissing));
    assert_eq!(ends_in(error("InvalidParameterValue", 400)).await, Some(ErrorKind::Invalid));
    assert_eq!(ends_in(Fault::new(FaultKind::Reset)).await, Some(ErrorKind::Transient));
    assert_eq!(ends_in(Fault::new(FaultKind::Reset).times(1)).await, None);
    assert_eq!(ends_in(Fault::new(FaultKind::Delay(60_000))).await, Some(ErrorKind::Transient), "none hangs");
    assert_eq!(ends_in(Fault::new(FaultKind::Truncate(300))).await, Some(ErrorKind::Transient));
}

#[tokio::test]
async fn expired_credentials_are_fetched_anew_once() {
    assert_eq!(ends_in(error("ExpiredToken", 403).times(1)).await, None);
    assert_eq!(ends_in(error("ExpiredToken", 403)).await, Some(ErrorKind::CredentialsExpired));
}

#[tokio::test]
async fn a_cut_answer_of_cloudwatch_is_transient() {
    let double = demo().await;
    double.double().script(|state| state.faults.push(Fault::new(FaultKind::Truncate(40)).on(Service::CloudWatch)));
    let error = source_of(&double).series(START * 1000, (START + 180) * 1000).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Transient);
}

#[tokio::test]
async fn a_clock_that_is_ten_minutes_off_is_corrected_by_the_sdk() {
    let double = demo().await;
    double.double().script(|state| state.clock_skew_seconds = 600);
    assert!(source_of(&double).instance().await.is_ok());
}

#[tokio::test]
async fn without_a_region_nothing_is_asked_and_the_field_is_named() {
    let source = DatabaseSource::with_loader("demo-db", || quick(None, KEYS, None));
    let error = source.instance().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(error.text.contains("spec.database.rds.region"));
}

#[tokio::test]
async fn without_credentials_the_error_says_so() {
    let double = demo().await;
    let endpoint = double.endpoint();
    let source = DatabaseSource::with_loader("demo-db", move || quick(Some("eu-west-1"), "[default]", Some(&endpoint)));
    let error = source.instance().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::CredentialsMissing, "{error}");
    assert!(double.double().calls().is_empty());
}

/// Asks with a web identity, of which STS answers with `fault`.
async fn web_identity(token_file: &str, fault: Option<Fault>) -> Result<Instance, AwsError> {
    let double = demo().await;
    double.double().script(|state| state.faults.extend(fault));
    let endpoint = double.endpoint();
    let profile =
        format!("[default]\nrole_arn = arn:aws:iam::123456789012:role/canary\nweb_identity_token_file = {token_file}");
    DatabaseSource::with_loader("demo-db", move || quick(Some("eu-west-1"), &profile, Some(&endpoint))).instance().await
}

#[tokio::test]
async fn a_web_identity_that_fails_is_told_apart() {
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "canary-token").unwrap();
    let path = token.path().to_str().unwrap();
    assert!(web_identity(path, None).await.is_ok());
    for code in ["AccessDenied", "InvalidIdentityToken", "ExpiredTokenException"] {
        let fault = Fault::new(FaultKind::error(code, 400, "canary")).on(Service::Sts);
        let error = web_identity(path, Some(fault)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::CredentialsMissing, "{error}");
        assert!(error.text.contains("STS") && !error.text.contains("canary"), "{error}");
    }
    let error = web_identity("/nowhere/token", None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::CredentialsMissing, "{error}");
}
