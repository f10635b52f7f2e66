//! Statements of a test without a cluster, in a real PostgreSQL.

use serde_json::{Value, json};

use super::lies_tests::{application, ended_with};
use crate::api::Verdict;
use crate::evidence::live::postgres_tests::admin;
use crate::evidence::live::test_server::TestServer;
use crate::plan::POSTGRES_URL_ENV;

/// Two rows of three seconds, and a table of jobs that statements make, fill and thin out.
fn spec(url: &str) -> Value {
    json!({
        "loads": [{"name": "ask", "url": url, "durationSeconds": 3, "steps": [{"name": "get"}]}],
        "sweep": [{"load": "ask", "clients": [1, 2]}],
        "database": {"postgres": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}},
        "measurements": [{"name": "jobs", "sql": "select count(*) from jobs", "intervalSeconds": 1}],
        "settle": {"seconds": 0},
        "actions": [
            {"name": "tell", "when": "AfterRun", "sql": "create table told(verdict text)"},
            {"name": "thin", "when": "AfterRow", "sql": "delete from jobs where i > 1"},
            {"name": "fill", "when": "BeforeRow", "sql": "insert into jobs select generate_series(1, 7)"},
            {"name": "begin", "when": "BeforeRun", "sql": "create table jobs(i int)"},
        ]
    })
}

#[tokio::test]
async fn statements_run_at_their_moments_and_a_measurement_sees_what_they_wrote() {
    let Some(server) = TestServer::start(20) else { return };
    let application = application(|_, _, _| None).await;
    let url = (POSTGRES_URL_ENV.to_owned(), server.url("postgres", ""));
    let ended = ended_with(spec(&application.url()), [url].into()).await;
    assert_eq!(ended.outcome.verdict, Verdict::Passed, "{} {:?}", ended.outcome.message, ended.rows);
    let most = |row: usize| ended.rows[row].measurements[0].statistics.maximum.clone().map(|most| most.0);
    assert_eq!((most(0).as_deref(), most(1).as_deref()), (Some("7"), Some("8")), "one is left for the second row");
    let times: Vec<_> = ended.rows[1].actions.iter().map(|act| (act.name.0.as_str(), act.times)).collect();
    assert_eq!(times, [("thin", 1), ("fill", 1)]);
    let counted = "select (select count(*) from jobs), (select count(*) from told)";
    let left = admin(&server).await.query_one(counted, &[]).await.expect("both tables are there");
    assert_eq!((left.get::<_, i64>(0), left.get::<_, i64>(1)), (2, 0));
}

#[tokio::test]
async fn a_statement_that_fails_before_a_row_ends_the_run_and_is_told_without_the_password() {
    let Some(server) = TestServer::start(20) else { return };
    let application = application(|_, _, _| None).await;
    let mut spec = spec(&application.url());
    spec["actions"][2]["sql"] = "insert into nowhere values (1)".into();
    let url = (POSTGRES_URL_ENV.to_owned(), server.url("postgres", ""));
    let ended = ended_with(spec, [url].into()).await;
    let said = &ended.outcome.message;
    assert_eq!(ended.outcome.verdict, Verdict::Invalid, "{said}");
    assert!(
        said.contains("action fill before row 1: a table of the statement does not exist (SQLSTATE 42P01)"),
        "{said}"
    );
    assert!(!said.contains("canary-password"), "{said}");
}
