//! Lies that AWS can tell: what it answers goes into a row that else passes, with a threshold on it.

use aws_double::{Running, Series as Scripted, SeriesStatus};
use serde_json::json;

use super::tests::{demo, source_of};
use super::*;
use crate::api::{Reason, Verdict};
use crate::results::fixture::{START, good};

/// Three whole minutes, as in the row.
fn minutes(values: [f64; 3]) -> impl Iterator<Item = (i64, f64)> {
    values.into_iter().enumerate().map(|(i, value)| (START / 1000 + 60 * i as i64, value))
}

/// A double whose instance used 40 % in the row's minutes, spoilt.
async fn lying(spoil: impl FnOnce(&mut aws_double::State)) -> Running {
    let double = demo().await;
    double.double().script(|state| {
        state.series = vec![Scripted::of("demo-db", "CPUUtilization", minutes([40.0, 40.0, 40.0]))];
        spoil(state);
    });
    double
}

/// The verdict of a row of three minutes, with what the double says about it.
async fn judged(double: &Running) -> (Verdict, Reason, String) {
    let mut scene = good(180).threshold(json!({"metric": "database.cpuPercent.maximum", "max": 90}));
    scene.series = source_of(double).series(START, START + 180_000).await.expect("an answer");
    let (_, outcome) = scene.judged();
    (outcome.verdict, outcome.reason, outcome.message)
}

async fn caught(double: Running, words: &str) {
    let (verdict, reason, message) = judged(&double).await;
    assert_eq!((verdict, reason), (Verdict::Invalid, Reason::EvidenceMissing), "{message}");
    assert!(message.contains(words), "{words:?} is not in: {message}");
    println!("lie: {verdict:?} {}: {message}", reason.as_str());
}

#[tokio::test]
async fn the_true_minutes_pass() {
    let (verdict, _, message) = judged(&lying(|_| {}).await).await;
    assert_eq!(verdict, Verdict::Passed, "{message}");
}

#[tokio::test]
async fn foreign_minutes_of_another_instance() {
    caught(lying(|state| state.series[0].instance = "other-db".into()).await, "cpuPercent").await;
}

#[tokio::test]
async fn stale_minutes_of_an_hour_ago() {
    let stale = |state: &mut aws_double::State| state.series[0].points.iter_mut().for_each(|p| p.start -= 3_600);
    caught(lying(stale).await, "cpuPercent").await;
}

#[tokio::test]
async fn newest_minute_not_published_yet() {
    caught(lying(|state| state.series[0].missing_newest = 1).await, "2 of 3 points").await;
}

#[tokio::test]
async fn every_second_minute_missing() {
    caught(lying(|state| state.series[0].missing_every = Some(2)).await, "2 of 3 points").await;
}

#[tokio::test]
async fn forbidden_series_of_a_good_answer() {
    caught(lying(|state| state.series[0].status = SeriesStatus::Forbidden).await, "does not allow").await;
}

#[tokio::test]
async fn failed_series_of_a_good_answer() {
    caught(lying(|state| state.series[0].status = SeriesStatus::InternalError).await, "failed for").await;
}

#[tokio::test]
async fn minutes_by_a_wrong_clock() {
    caught(lying(|state| state.clock_skew_seconds = 120).await, "s behind that of AWS").await;
}

#[tokio::test]
async fn unknown_instance_with_empty_series() {
    let double = lying(|state| {
        state.instances.clear();
        state.series.clear();
    })
    .await;
    let error = source_of(&double).instance().await.expect_err("AWS does not know it");
    assert_eq!(error.kind, ErrorKind::NotFound);
    let (verdict, reason, message) = judged(&double).await;
    assert_eq!((verdict, reason), (Verdict::Invalid, Reason::EvidenceMissing), "{message}");
    println!("lie: Refused DatabaseNotFound: {error}");
}

/// The verdict of a row with a threshold on its proxy, and that it has no figure of it.
async fn caught_of_the_proxy(spoil: impl FnOnce(&mut aws_double::State), words: &str) {
    let (verdict, reason, message, row) = proxy_tests::judged(&proxy_tests::pooled(spoil).await).await;
    assert_eq!((verdict, reason), (Verdict::Invalid, Reason::EvidenceMissing), "{message}");
    assert!(message.contains(words), "{words:?} is not in: {message}");
    let figures: Vec<&str> = row.database.iter().map(|figure| figure.name.as_str()).collect();
    assert!(!figures.contains(&"proxyBorrowLatencyMs"), "a figure that is missing is not 0: {figures:?}");
    println!("lie: {verdict:?} {}: {message}", reason.as_str());
}

#[tokio::test]
async fn unknown_proxy_with_empty_series() {
    let gone = |state: &mut aws_double::State| {
        state.proxies.clear();
        state.series.retain(|series| series.proxy.is_none());
    };
    caught_of_the_proxy(gone, "AWS knows no RDS proxy demo-pool").await;
}

#[tokio::test]
async fn forbidden_minutes_of_the_proxy() {
    let forbidden = |state: &mut aws_double::State| {
        proxy_tests::in_the_row(state);
        state.proxy_series_mut("demo-pool", proxy_tests::LATENCY).status = SeriesStatus::Forbidden;
    };
    caught_of_the_proxy(forbidden, "does not allow DatabaseConnectionsBorrowLatency").await;
}
