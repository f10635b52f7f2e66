//! The closed list of figures, asked of a real PostgreSQL as the observer does.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::postgres_tests::admin;
use super::test_server::TestServer;
use super::{Secrets, Sources};
use crate::plan::{ObservedRow, ObserverInput};
use crate::results::figures::database::{Window, database_figures};
use crate::results::fixture::closed_list;
use crate::results::gathered::sample::{ObserverLine, Sample};

#[tokio::test]
async fn each_figure_of_the_closed_list_that_is_postgresqls_comes_from_its_server() {
    let Some(server) = TestServer::start(20) else { return };
    let client = admin(&server).await;
    let input: ObserverInput = serde_json::from_value(json!({"protocol": 1, "runId": "r", "runStartMs": 0,
        "measurements": [], "vars": [], "postgres": {"urlEnv": "U", "slowQueryMilliseconds": 1000}}))
    .unwrap();
    let secrets = Secrets { postgres_url: Some(server.url("postgres", "")), vars: Default::default() };
    let mut sources = Sources::start(&input, &secrets, Arc::new(|_| None)).unwrap();
    let (mut samples, mut limit) = (Vec::<Sample>::new(), None);
    // Seconds that pass faster; the first is before the row.
    for second in 0..14 {
        sources.ask(second * 1000, &ObservedRow { row: 1, start_ms: Some(1000), end_ms: None });
        client.batch_execute("select count(*) from pg_class").await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        for line in sources.answered() {
            match line {
                ObserverLine::Sample(sample) => samples.push(sample),
                ObserverLine::Database(facts) => limit = facts.max_connections,
                ObserverLine::Statements(_) => {}
            }
        }
    }
    let window = Window { start_ms: 0, end_ms: 12_000, settled_ms: None };
    let (figures, notes) = database_figures(&samples, &window, limit);
    let told = figures.iter().filter(|f| f.statistics.points > Some(0) && f.statistics.average.is_some());
    let told: BTreeSet<String> = told.map(|figure| figure.name.clone()).collect();
    assert_eq!(told, closed_list().0, "a figure of the API has no source; {notes:?}");
}
