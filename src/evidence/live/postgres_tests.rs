//! Tests against a real PostgreSQL server; skipped with a message when none is installed.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_postgres::NoTls;

use super::test_server::TestServer;
use crate::plan::ObservedRow;

use super::{PostgresSource, Seen, Server, SqlSource, Values, run_statement};

pub const BETWEEN_ROWS: ObservedRow = ObservedRow { row: 0, start_ms: None, end_ms: None };
const TIMEOUT: Duration = Duration::from_secs(20);

/// A client of the application, not of the observer.
pub async fn client(server: &TestServer, user: &str) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(&server.url(user, ""), NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Its superuser's client.
pub async fn admin(server: &TestServer) -> tokio_postgres::Client {
    client(server, "postgres").await.expect("the server answers")
}

/// Samples until one fits.
pub async fn sampled(source: &mut PostgresSource, fits: impl Fn(&Seen) -> bool) -> Seen {
    let begun = std::time::Instant::now();
    loop {
        let seen = source.ask(0, &BETWEEN_ROWS).await;
        if fits(&seen) {
            return seen;
        }
        assert!(begun.elapsed() < TIMEOUT, "never seen; last: {seen:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn sessions_are_counted_by_state_and_the_observers_own_left_out() {
    let Some(server) = TestServer::start(20) else { return };
    let holder = admin(&server).await;
    holder.batch_execute("create table t(i int)").await.unwrap();
    holder.batch_execute("begin; lock table t").await.unwrap();
    let blocked = client(&server, "postgres").await.unwrap();
    let waits = tokio::spawn(async move { blocked.batch_execute("select * from t").await });
    let sleeper = client(&server, "postgres").await.unwrap();
    let sleeps = tokio::spawn(async move { sleeper.batch_execute("select pg_sleep(30)").await });
    let own = server.server("postgres").connect("loadtest-observer-sql", TIMEOUT).await.unwrap();

    let mut source = PostgresSource::new(server.server("postgres"), 50);
    let first = source.ask(0, &BETWEEN_ROWS).await;
    let facts = first.facts.expect("said when the connection is new");
    assert_eq!((facts.max_connections, facts.sees_all), (Some(20), true));
    assert!(facts.version.is_some());
    let fits = |seen: &Seen| seen.sample.as_ref().is_some_and(|s| s.slow == Some(2) && s.lock == Some(1));
    let sample = sampled(&mut source, fits).await.sample.unwrap();
    assert_eq!((sample.connections, sample.active, sample.waiting), (3, Some(2), Some(2)));
    assert_eq!((sample.idle_in_transaction, sample.io), (Some(1), Some(0)));
    assert!(sample.transactions > Some(0) && sample.blocks_hit > Some(0) && sample.deadlocks == Some(0));
    drop(own);
    waits.abort();
    sleeps.abort();
}

#[tokio::test]
async fn without_pg_monitor_states_are_missing_and_not_zero() {
    let Some(server) = TestServer::start(20) else { return };
    let admin = admin(&server).await;
    admin.batch_execute("create role plain login password 'canary-password'").await.unwrap();
    let other = client(&server, "postgres").await.unwrap();
    let mut source = PostgresSource::new(server.server("plain"), 1000);
    let seen = source.ask(0, &BETWEEN_ROWS).await;
    let sample = seen.sample.unwrap();
    assert!(!seen.facts.unwrap().sees_all);
    assert_eq!((sample.connections, sample.active, sample.slow, sample.idle_in_transaction), (2, None, None, None));
    assert!(sample.transactions.is_some());
    admin.batch_execute("grant pg_monitor to plain").await.unwrap();
    let sample = sampled(&mut source, |s| s.sample.as_ref().is_some_and(|s| s.active.is_some())).await.sample.unwrap();
    assert_eq!((sample.connections, sample.active), (2, Some(0)));
    drop(other);
}

#[tokio::test]
async fn a_full_server_refuses_and_that_is_counted() {
    let Some(server) = TestServer::start(5) else { return };
    let admin = admin(&server).await;
    admin.batch_execute("create role plain login password 'canary-password'").await.unwrap();
    let mut held = Vec::new();
    while let Ok(client) = client(&server, "plain").await {
        held.push(client);
        assert!(held.len() < 10);
    }
    let refused = server.server("plain").probe("loadtest-observer-connect").await.unwrap_err();
    assert!(refused.refused, "{refused}");
    let seen = PostgresSource::new(server.server("plain"), 1000).ask(0, &BETWEEN_ROWS).await;
    assert_eq!((seen.refused, seen.sample.is_none()), (1, true));
    assert!(server.server("postgres").probe("loadtest-observer-connect").await.unwrap() > 0.0);
}

#[tokio::test]
async fn a_server_that_ends_is_lost_with_a_reason_and_no_secret() {
    let Some(mut server) = TestServer::start(20) else {
        return;
    };
    let _admin = admin(&server).await;
    let mut source = PostgresSource::new(server.server("postgres"), 1000);
    assert!(source.ask(0, &BETWEEN_ROWS).await.sample.is_some());
    server.kill();
    let seen = sampled(&mut source, |s| s.sample.is_none()).await;
    let why = seen.lost.unwrap();
    assert!(!why.contains("canary") && !why.contains("postgres@") && !why.contains(&server.port.to_string()), "{why}");
    assert!(source.ask(0, &BETWEEN_ROWS).await.sample.is_none());
}

#[tokio::test]
async fn a_wrong_password_is_said_without_the_user() {
    let Some(server) = TestServer::start(20) else { return };
    let _admin = admin(&server).await;
    let url = format!("postgres://canary-user:canary-wrong@127.0.0.1:{}/postgres", server.port);
    let lost = PostgresSource::new(Server::from_url(&url).unwrap(), 1000).ask(0, &BETWEEN_ROWS).await.lost.unwrap();
    assert_eq!(lost, "the server refused the user or the password");
}

#[tokio::test]
async fn tls_that_is_required_is_not_left_out() {
    let Some(server) = TestServer::start(20) else { return };
    let _admin = admin(&server).await;
    let url = server.url("postgres", "?sslmode=require");
    let lost = Server::from_url(&url).unwrap().probe("loadtest-observer-connect").await;
    assert!(lost.is_err(), "the server has no certificate");
}

fn values() -> Values {
    let vars = BTreeMap::from([("state".into(), "waiting".into()), ("least".into(), "2".into())]);
    Values::of_run("demo-1", 1_000_000, &vars)
}

#[tokio::test]
async fn a_statement_answers_one_number_of_any_kind() {
    let Some(server) = TestServer::start(20) else { return };
    let admin = admin(&server).await;
    let rows = "create table task(state text, n int, at timestamptz);
        insert into task values ('waiting', 1, 'epoch'), ('waiting', 2, now()), ('done', 3, now())";
    admin.batch_execute(rows).await.unwrap();
    let mut source = SqlSource::new(server.server("postgres"));
    let mut ask = async |statement: &str| source.ask(statement, &values()).await.map_err(|lost| lost.text);
    assert_eq!(ask("select count(*) from task where state = $(vars.state)").await, Ok(2.0));
    assert_eq!(ask("select count(*) from task where n >= $(vars.least)").await, Ok(2.0));
    assert_eq!(ask("select count(*) from task where at >= $(run.start) and at > $(run.start)").await, Ok(2.0));
    assert_eq!(ask("select 12.34::numeric").await, Ok(12.34));
    assert_eq!(ask("select -0.00001::numeric").await, Ok(-0.00001));
    assert_eq!(ask("select 1e20::numeric").await, Ok(1e20));
    assert_eq!(ask("select extract(epoch from $(run.start)::timestamptz)").await, Ok(1000.0));
    assert_eq!(ask("select 1.5::float4").await, Ok(1.5));
    assert_eq!(ask("select 7::int2").await, Ok(7.0));
    assert_eq!(ask("with a as (select 1 as x) select x from a").await, Ok(1.0));
}

#[tokio::test]
async fn what_is_no_number_is_an_error_and_never_zero() {
    let Some(server) = TestServer::start(20) else { return };
    let admin = admin(&server).await;
    admin.batch_execute("create table task(n int)").await.unwrap();
    let mut source = SqlSource::new(server.server("postgres"));
    let wrong = [
        ("select n from task", "0 rows"),
        ("select generate_series(1, 2)", "2 rows"),
        ("select 1, 2", "2 columns"),
        ("select max(n) from task", "NULL"),
        ("select 'NaN'::numeric", "finite"),
        ("select 'NaN'::float8", "finite"),
        ("select 'text'", "not a number"),
        ("insert into task values (1) returning n", "25006"),
        ("select 1 from nowhere", "42P01"),
        ("selec 1", "42601"),
        ("select $(row.start)", "not known"),
    ];
    for (statement, words) in wrong {
        let lost = source.ask(statement, &values()).await.unwrap_err();
        assert!(lost.text.contains(words), "{statement}: {lost}");
        assert_eq!(source.ask("select 1", &values()).await, Ok(1.0), "after {statement}");
    }
    assert_eq!(admin.query_one("select count(*) from task", &[]).await.unwrap().get::<_, i64>(0), 0);
}

#[tokio::test]
async fn a_value_that_looks_like_sql_stays_a_value() {
    let Some(server) = TestServer::start(20) else { return };
    let _admin = admin(&server).await;
    let vars = BTreeMap::from([("x".into(), "' or true --".into())]);
    let values = Values::of_run("demo-1", 0, &vars);
    let mut source = SqlSource::new(server.server("postgres"));
    let answer = source.ask("select count(*) from pg_class where relname = $(vars.x)", &values).await;
    assert_eq!(answer, Ok(0.0));
}

#[tokio::test]
async fn a_statement_of_an_action_writes_and_its_values_are_bound() {
    let Some(server) = TestServer::start(20) else { return };
    let reader = admin(&server).await;
    let target = Server::from_url(&server.url("postgres", "")).unwrap();
    let vars = BTreeMap::from([("who".to_owned(), "x'); drop table t; --".to_owned())]);
    let values = Values::of_run("demo-1", 0, &vars);
    let run = |statement: &'static str| run_statement(&target, statement, &values, Duration::from_secs(2));
    run("create table t (who text); insert into t values ('$$(vars.who)')").await.unwrap();
    run("insert into t values ($(vars.who))").await.unwrap();
    let rows = reader.query("select who from t order by who", &[]).await.unwrap();
    let mut written: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    written.sort();
    assert_eq!(written, ["$(vars.who)", "x'); drop table t; --"]);
    assert!(run("select pg_sleep(30)").await.unwrap_err().text.contains("took too long"));
    let wrong = run("selec 'canary'").await.unwrap_err().text;
    assert!(wrong.contains("syntax error") && !wrong.contains("canary"), "{wrong}");
}
