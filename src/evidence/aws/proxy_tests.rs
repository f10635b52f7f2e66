//! The RDS proxy against the double: its figures, and what may be wrong with them.

use aws_double::{Fault, FaultKind, Point, Proxy, Running, Series as Scripted, Service};
use serde_json::json;

use super::tests::{START, averages, demo, named, series, source_of};
use super::*;
use crate::api::{Decimal, Reason, Row, Verdict};
use crate::results::fixture;

pub const LATENCY: &str = "DatabaseConnectionsBorrowLatency";
const BORROWED: &str = "DatabaseConnectionsCurrentlyBorrowed";

/// Two machines serve the proxy: a minute's point holds a sample of each.
fn point(minute: i64, samples: [f64; 2]) -> Point {
    let [one, other] = samples;
    let start = START + 60 * minute;
    Point { start, minimum: one.min(other), maximum: one.max(other), sum: one + other, count: 2.0 }
}

/// A double whose instance has a proxy of two machines, with three minutes of figures, spoilt.
pub async fn pooled(spoil: impl FnOnce(&mut aws_double::State)) -> Running {
    let double = demo().await;
    double.double().script(|state| {
        state.proxies.push(Proxy::postgres("demo-pool"));
        let minutes = |samples: [[f64; 2]; 3]| (0..).zip(samples).map(|(i, two)| point(i, two)).collect::<Vec<_>>();
        let of = |metric, samples| Scripted { points: minutes(samples), ..Scripted::of_proxy("demo-pool", metric, []) };
        state.series.push(of(LATENCY, [[500.0, 1_500.0], [2_000.0, 4_000.0], [1_000.0, 9_000.0]]));
        state.series.push(of(BORROWED, [[3.0, 4.0], [5.0, 5.0], [0.0, 1.0]]));
        state.series.push(of("ClientConnections", [[10.0, 12.0], [20.0, 20.0], [6.0, 6.0]]));
        spoil(state);
    });
    double
}

fn pool_of(double: &Running) -> DatabaseSource {
    source_of(double).with_proxy(Some("demo-pool"))
}

fn maxima(all: &[Series], figure: &str) -> Vec<f64> {
    named(all, figure).points.iter().map(|p| p.maximum).collect()
}

/// All series of the proxy, spoilt.
async fn spoilt(spoil: impl FnOnce(&mut aws_double::State)) -> Vec<Series> {
    series(&pool_of(&pooled(spoil).await)).await
}

#[tokio::test]
async fn microseconds_become_milliseconds_and_connections_are_the_sum_over_the_proxys_machines() {
    let double = pooled(|_| {}).await;
    let source = pool_of(&double);
    assert_eq!(source.proxy().await, Ok(()));
    let all = series(&source).await;
    assert_eq!(averages(&all, "proxyBorrowLatencyMs"), [1.0, 3.0, 5.0]);
    assert_eq!(maxima(&all, "proxyBorrowLatencyMs"), [1.5, 4.0, 9.0]);
    assert_eq!(averages(&all, "proxyBorrowedConnections"), [7.0, 10.0, 1.0]);
    assert_eq!(maxima(&all, "proxyBorrowedConnections"), [7.0, 10.0, 1.0]);
    assert_eq!(maxima(&all, "proxyClientConnections"), [22.0, 40.0, 12.0]);
    assert_eq!(averages(&all, "cpuPercent"), [10.0, 20.0, 30.0], "those of the instance are there as well");
    let asked = double.double().calls().into_iter().filter(|call| call.service == Service::CloudWatch).count();
    assert_eq!(asked, 1, "one question for both");
}

#[tokio::test]
async fn figures_of_another_proxy_or_of_an_instance_of_that_name_are_not_taken() {
    let foreign = spoilt(|state| {
        state.series.iter_mut().filter(|s| s.proxy.is_some()).for_each(|s| s.proxy = Some("other".into()))
    })
    .await;
    assert!(named(&foreign, "proxyBorrowLatencyMs").points.is_empty());
    let instance = spoilt(|state| {
        state.series.retain(|s| s.proxy.is_none());
        state.series.push(Scripted::of("demo-pool", BORROWED, [(START, 9.0)]));
    })
    .await;
    assert!(named(&instance, "proxyBorrowedConnections").points.is_empty());
}

#[tokio::test]
async fn points_that_are_late_missing_or_on_other_pages_are_never_zero() {
    let late = spoilt(|state| state.proxy_series_mut("demo-pool", LATENCY).missing_newest = 1).await;
    assert_eq!(averages(&late, "proxyBorrowLatencyMs"), [1.0, 3.0]);
    let gaps = spoilt(|state| state.proxy_series_mut("demo-pool", BORROWED).missing_every = Some(2)).await;
    assert_eq!(maxima(&gaps, "proxyBorrowedConnections"), [7.0, 1.0]);
    let pages = spoilt(|state| state.points_per_page = Some(2)).await;
    assert_eq!(maxima(&pages, "proxyClientConnections"), [22.0, 40.0, 12.0]);
    let silent = spoilt(|state| state.series.retain(|s| s.proxy.is_none())).await;
    let of_proxy = |s: &&Series| s.figure.starts_with("proxy");
    assert_eq!(silent.iter().filter(of_proxy).count(), 3);
    assert!(
        silent.iter().filter(of_proxy).all(|s| s.points.is_empty() && s.problem.is_none()),
        "it is there, and idle"
    );
}

#[tokio::test]
async fn a_proxy_that_aws_does_not_know_is_not_found_though_its_series_are_complete_and_empty() {
    let double = pooled(|state| {
        state.proxies.clear();
        state.series.retain(|s| s.proxy.is_none());
    })
    .await;
    let error = pool_of(&double).proxy().await.unwrap_err();
    assert_eq!(
        (error.kind, error.text.as_str()),
        (ErrorKind::NotFound, "AWS knows no RDS proxy demo-pool in this region")
    );
    let all = series(&pool_of(&double)).await;
    assert_eq!(named(&all, "proxyBorrowLatencyMs").problem.as_deref(), Some(error.text.as_str()));
    assert_eq!(named(&all, "cpuPercent").problem, None, "the instance has nothing to do with it");
}

#[tokio::test]
async fn a_missing_right_is_named_where_the_figures_are_missing_and_stops_nothing_where_they_are_there() {
    let denied = || {
        Fault::new(FaultKind::error("AccessDenied", 403, "canary: arn:aws:iam::1:user/canary"))
            .operation("DescribeDBProxies")
    };
    let silent = spoilt(|state| {
        state.faults.push(denied());
        state.series.retain(|s| s.proxy.is_none());
    })
    .await;
    let told = named(&silent, "proxyBorrowedConnections").problem.clone().unwrap_or_default();
    assert!(told.contains("rds:DescribeDBProxies is not allowed") && told.contains("IAM policy"), "{told}");
    assert!(!told.contains("canary"), "{told}");
    let there = pooled(|state| state.faults.push(denied())).await;
    assert_eq!(pool_of(&there).proxy().await.unwrap_err().kind, ErrorKind::Denied);
    assert_eq!(averages(&series(&pool_of(&there)).await, "proxyBorrowLatencyMs"), [1.0, 3.0, 5.0]);
}

#[tokio::test]
async fn rds_that_throttles_breaks_off_or_is_cut_is_told_apart_from_a_proxy_that_is_not_there() {
    let kind = async |kind: FaultKind| {
        let double = pooled(|state| state.faults.push(Fault::new(kind).operation("DescribeDBProxies"))).await;
        pool_of(&double).proxy().await.err().map(|error| error.kind)
    };
    assert_eq!(kind(FaultKind::error("Throttling", 400, "Rate exceeded")).await, Some(ErrorKind::Throttled));
    assert_eq!(kind(FaultKind::error("InternalFailure", 500, "")).await, Some(ErrorKind::Transient));
    assert_eq!(kind(FaultKind::Reset).await, Some(ErrorKind::Transient));
    assert_eq!(kind(FaultKind::Html(404)).await, Some(ErrorKind::Transient), "a machine in between says nothing of it");
    for bytes in (0..160).step_by(8) {
        assert_eq!(kind(FaultKind::Truncate(bytes)).await, Some(ErrorKind::Transient), "{bytes}");
    }
}

#[tokio::test]
async fn without_a_proxy_nothing_is_asked_about_one() {
    let double = pooled(|_| {}).await;
    let all = series(&source_of(&double)).await;
    assert!(all.iter().all(|s| !s.figure.starts_with("proxy")));
    assert_eq!(source_of(&double).proxy().await, Ok(()));
    assert!(double.double().calls().iter().all(|call| call.operation != "DescribeDBProxies"));
}

/// A row of three minutes with a threshold on the wait for a connection, at most 4 ms on average; and what it says.
pub async fn judged(double: &Running) -> (Verdict, Reason, String, Row) {
    let mut scene = fixture::good(180).threshold(json!({"metric": "database.proxyBorrowLatencyMs.average", "max": 4}));
    scene.series = pool_of(double).series(fixture::START, fixture::START + 180_000).await.expect("an answer");
    let (row, outcome) = scene.judged();
    (outcome.verdict, outcome.reason, outcome.message, row)
}

/// The double's minutes are those of the row.
pub fn in_the_row(state: &mut aws_double::State) {
    let shift = fixture::START / 1000 - START;
    state.series.iter_mut().flat_map(|s| &mut s.points).for_each(|p| p.start += shift);
}

#[tokio::test]
async fn a_threshold_on_the_wait_is_judged_by_the_row_s_whole_minutes_and_the_row_has_the_figures() {
    let (verdict, _, message, row) = judged(&pooled(in_the_row).await).await;
    assert_eq!(verdict, Verdict::Passed, "{message}");
    let figure =
        |name: &str| row.database.iter().find(|f| f.name == name).map(|f| f.statistics.clone()).expect("a figure");
    let text = |decimal: Option<Decimal>| decimal.map(|d| d.0).unwrap_or_default();
    let latency = figure("proxyBorrowLatencyMs");
    assert_eq!((text(latency.average), text(latency.maximum)), ("3".into(), "9".into()));
    assert_eq!((latency.points, latency.expected), (Some(3), Some(3)));
    assert_eq!(text(figure("proxyBorrowedConnections").maximum), "10");
    assert_eq!(text(figure("proxyClientConnections").maximum), "40");
    let slow = |state: &mut aws_double::State| {
        in_the_row(state);
        state.proxy_series_mut("demo-pool", LATENCY).points.iter_mut().for_each(|p| p.sum *= 2.0);
    };
    let (verdict, reason, message, _) = judged(&pooled(slow).await).await;
    assert_eq!((verdict, reason), (Verdict::Failed, Reason::ThresholdsBreached), "{message}");
}
