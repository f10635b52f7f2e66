//! Lies that a real PostgreSQL can tell: what it answers goes into a row that else passes.

use serde_json::json;

use super::PostgresSource;
use super::postgres_tests::{BETWEEN_ROWS, admin, client, sampled};
use super::test_server::TestServer;
use crate::api::{Reason, Verdict};
use crate::results::figures::server::restarted;
use crate::results::fixture::{START, Scene, good};
use crate::results::gathered::sample::DatabaseFacts;

fn caught(scene: &Scene, reason: Reason, words: &str) {
    let (row, outcome) = scene.judged();
    let said = format!("{} {:?}", outcome.message, row.observations);
    assert_eq!((outcome.verdict, outcome.reason), (Verdict::Invalid, reason), "{said}");
    assert!(said.contains(words), "{words:?} is not in: {said}");
    println!("lie: {:?} {}: {}", outcome.verdict, reason.as_str(), outcome.message);
}

#[tokio::test]
async fn database_restarted_so_fast_that_hardly_a_sample_is_missing() {
    let Some(mut server) = TestServer::start(20) else { return };
    let _admin = admin(&server).await;
    let mut source = PostgresSource::new(server.server("postgres"), 1000);
    let first = source.ask(0, &BETWEEN_ROWS).await.facts.expect("said when the connection is new");
    let row_began = jiff::Timestamp::now().as_millisecond();
    assert!(first.started_ms.is_some_and(|at| at <= row_began), "{first:?}");
    server.restart();
    let again = sampled(&mut source, |seen| seen.facts.is_some()).await.facts.expect("said anew");
    let after = again.started_ms.expect("the server says it") - row_began;
    let facts = |after| DatabaseFacts { started_ms: Some(START + after), ..DatabaseFacts::default() };

    let mut scene = good(60).threshold(json!({"metric": "database.connections.maximum", "max": 80}));
    scene.later_facts.extend(restarted(Some(&facts(after)), START, scene.end_ms()));
    caught(&scene, Reason::DatabaseRestarted, "PostgreSQL was restarted");
}

#[tokio::test]
async fn waits_that_are_hidden_without_pg_monitor() {
    let Some(server) = TestServer::start(20) else { return };
    let admin = admin(&server).await;
    admin.batch_execute("create role plain login password 'canary-password'; create table t(i int)").await.unwrap();
    admin.batch_execute("begin; lock table t").await.unwrap();
    let blocked = client(&server, "postgres").await.unwrap();
    let waits = tokio::spawn(async move { blocked.batch_execute("select * from t").await });
    let mut source = PostgresSource::new(server.server("plain"), 1000);
    let seen = sampled(&mut source, |seen| seen.sample.as_ref().is_some_and(|s| s.connections >= 2)).await;

    let mut scene = good(60).threshold(json!({"metric": "database.lockWaitPercent.average", "max": 20}));
    scene.samples.iter_mut().for_each(|sample| sample.pg = seen.sample.clone());
    caught(&scene, Reason::EvidenceMissing, "grant pg_monitor");
    waits.abort();
}
