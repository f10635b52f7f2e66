//! Every figure of PostgreSQL on a real server of each major that is here; one that isn't is named as untested.

use tokio::time::{Duration, sleep};

use super::PostgresSource;
use super::postgres_tests::{BETWEEN_ROWS, admin, client, sampled};
use super::test_server::TestServer;
use crate::plan::ObservedRow;

const SETTINGS: [(&str, &str); 5] = [
    ("shared_preload_libraries", "pg_stat_statements"),
    ("max_connections", "30"),
    ("deadlock_timeout", "10ms"),
    ("work_mem", "64kB"),
    ("autovacuum", "off"),
];

macro_rules! majors {
    ($($name:ident $major:literal)*) => {$(
        #[tokio::test]
        async fn $name() {
            let Some(server) = TestServer::of($major, &SETTINGS) else { return };
            every_figure(&server, $major).await;
        }
    )*};
}

majors! {
    postgresql_10_gives_every_figure 10
    postgresql_11_gives_every_figure 11
    postgresql_12_gives_every_figure 12
    postgresql_13_gives_every_figure 13
    postgresql_14_gives_every_figure 14
    postgresql_15_gives_every_figure 15
    postgresql_16_gives_every_figure 16
    postgresql_17_gives_every_figure 17
    postgresql_18_gives_every_figure 18
}

async fn every_figure(server: &TestServer, major: u32) {
    let admin = admin(server).await;
    admin
        .batch_execute("create extension pg_stat_statements; create table a(i int); create table b(i int)")
        .await
        .unwrap();
    let mut source = PostgresSource::new(server.server("postgres"), 50);
    let first = source.ask(0, &BETWEEN_ROWS).await;
    let facts = first.facts.expect("the server says what it is");
    assert!(facts.version.is_some_and(|v| v.starts_with(&format!("{major}."))), "PostgreSQL {major}");
    assert_eq!((facts.max_connections, facts.sees_all), (Some(30), true));

    states_and_waits(server, &mut source).await;
    counters(server, &mut source).await;
    statements(server, &mut source).await;
    own_transactions_are_known(&mut source).await;
}

async fn states_and_waits(server: &TestServer, source: &mut PostgresSource) {
    let holder = admin(server).await;
    holder.batch_execute("begin; lock table a").await.unwrap();
    let blocked = client(server, "postgres").await.unwrap();
    let waits = tokio::spawn(async move { blocked.batch_execute("select * from a").await });
    let sleeper = client(server, "postgres").await.unwrap();
    let sleeps = tokio::spawn(async move { sleeper.batch_execute("select pg_sleep(60)").await });
    let seen = sampled(source, |s| s.sample.as_ref().is_some_and(|s| s.slow == Some(2) && s.lock == Some(1))).await;
    let sample = seen.sample.unwrap();
    assert_eq!((sample.active, sample.waiting, sample.idle_in_transaction), (Some(2), Some(2), Some(1)));
    assert_eq!((sample.lwlock.is_some(), sample.io.is_some(), sample.client), (true, true, Some(0)));
    holder.batch_execute("rollback").await.unwrap();
    waits.await.unwrap().unwrap();
    sleeps.abort();
}

/// A deadlock, and a sort that does not fit into memory.
async fn counters(server: &TestServer, source: &mut PostgresSource) {
    let (one, two) = (client(server, "postgres").await.unwrap(), client(server, "postgres").await.unwrap());
    one.batch_execute("begin; lock table a").await.unwrap();
    two.batch_execute("begin; lock table b").await.unwrap();
    let (left, right) = tokio::join!(one.batch_execute("lock table b"), two.batch_execute("lock table a"));
    assert!(left.is_err() != right.is_err(), "one of the two is the deadlock's victim");
    one.batch_execute("rollback; select count(*) from (select i from generate_series(1, 50000) i order by i desc) s")
        .await
        .unwrap();
    drop((one, two));
    let fits = |s: &super::Seen| s.sample.as_ref().is_some_and(|s| s.deadlocks == Some(1) && s.temp_bytes > Some(0));
    let sample = sampled(source, fits).await.sample.unwrap();
    assert!(sample.blocks_hit > Some(0) && sample.blocks_read.is_some() && sample.transactions > Some(0));
}

async fn statements(server: &TestServer, source: &mut PostgresSource) {
    let row = ObservedRow { row: 1, start_ms: Some(1_000_000), end_ms: None };
    assert_eq!(source.ask(999_000, &row).await.statements, None, "the first reading has nothing to tell");
    let client = client(server, "postgres").await.unwrap();
    for _ in 0..3 {
        client.batch_execute("select 'canary', pg_sleep(0.1)").await.unwrap();
    }
    client.batch_execute("select count(*) from a where i = 4711").await.unwrap();
    client.batch_execute("create role other password 'canary'").await.unwrap();
    let ended = ObservedRow { end_ms: Some(1_030_000), ..row };
    let said = source.ask(1_031_000, &ended).await.statements.expect("the row is over");
    assert_eq!((said.row, said.from_ms, said.to_ms, &said.problem), (1, 999_000, 1_031_000, &None));
    assert!(said.top[0].text.contains("pg_sleep") && said.top[0].calls == 3, "{:?}", said.top);
    assert!(said.top[0].added_ms >= 300.0 && said.top[0].rows == 3, "{:?}", said.top);
    let all = format!("{:?}", said.top);
    assert!(all.contains("from a where i =") && !all.contains("4711") && !all.contains("canary"), "{all}");
    assert!(!all.contains("pg_stat"), "the observer's own statements are left out: {all}");
    assert_eq!(source.ask(1_032_000, &ended).await.statements, None, "the end is told once");
}

/// Nobody else asks anything: what the server counts is the observer's, whatever it does.
async fn own_transactions_are_known(source: &mut PostgresSource) {
    let mut net = async || {
        let sample = source.ask(0, &BETWEEN_ROWS).await.sample.unwrap();
        (sample.transactions.unwrap() - sample.own_transactions.unwrap(), sample.own_transactions.unwrap())
    };
    // A session publishes its counts with the first transaction that ends a second after the last time.
    let second = Duration::from_millis(1_500);
    for _ in 0..2 {
        sleep(second).await;
        net().await;
    }
    let (before, ours) = net().await;
    for _ in 0..20 {
        sleep(Duration::from_millis(50)).await;
        net().await;
    }
    for _ in 0..2 {
        sleep(second).await;
        net().await;
    }
    let (after, now) = net().await;
    assert!(now - ours >= 22, "{}", now - ours);
    assert!((after - before).abs() <= 3, "the observer's {} transactions left {}", now - ours, after - before);
}
