//! A backlog that is worked off: the figures of the row are those of the database.

use serde_json::Value;

use crate::application::tasks;
use crate::checks::row;
use crate::examples::{cells, figure, headings, number, shortened_demo};
use crate::space::Space;

/// Tasks of each row in the shortened form: of four clients thirty.
const TASKS: i64 = 120;
/// By how much the end may be seen late, seconds: an interval of the measurement, and what a busy node takes to ask.
const RESOLUTION: f64 = 6.0;

/// What the database says of a row's tasks: their number, those done, the mean wait in seconds, and the seconds from the row's
/// start to the last one's end.
fn truth(space: &Space, row: &Value) -> [f64; 4] {
    let (from, to) = (row["startedAt"].as_str().unwrap(), row["endedAt"].as_str().unwrap());
    let said = space.ask(&format!(
        "select count(*), count(*) filter (where state = 'done'), avg(extract(epoch from started_at - created_at)), \
         extract(epoch from max(finished_at) - '{from}') from tasks where created_at between '{from}' and '{to}'"
    ));
    let numbers: Vec<f64> = said.split('|').map(|number| number.parse().unwrap()).collect();
    numbers.try_into().unwrap_or_else(|_| panic!("psql answered {said:?}"))
}

#[tokio::test]
async fn a_backlog_is_worked_off_as_fast_as_the_database_says_and_every_page_of_tasks_is_timed() {
    let Some(space) = Space::new("throughput").await else { return };
    space.create(&tasks()).await;
    space.all_ready().await;
    let before = space.written().await;
    let test = shortened_demo(
        "throughput.yaml",
        &[
            ("replicas: 0}", "replicas: 0, env: [{name: WORK_MS, value: '100'}]}"),
            ("iterations: 500", "iterations: 30"),
            ("replicas: [1, 2, 4]", "replicas: [1, 2]"),
            // Three pages and a last one that isn't full.
            ("/tasks?since=", "/tasks?limit=35&since="),
            ("timeoutSeconds: 600", "timeoutSeconds: 150"),
            ("cpu: 250m", "cpu: 100m"),
        ],
    );
    let ended = space.judged(&test).await;
    let table = cells(&ended);
    assert_eq!(table[0], headings(&test));
    for (number_of, workers) in [(1, "1"), (2, "2")] {
        let row = row(&ended, number_of);
        let [count, done, wait, until] = truth(&space, row);
        assert_eq!((row["tasks"].as_i64(), count, done), (Some(TASKS), TASKS as f64, TASKS as f64), "{row}");
        let seen = count / number(&row["processedPerSecond"]);
        assert!((until - 1.0..until + RESOLUTION).contains(&seen), "{seen} s, the database {until} s: {row}");
        let timed = figure(row, "measurements", "wait");
        assert_eq!((timed["points"].as_i64(), timed["expected"].as_i64()), (Some(TASKS), Some(TASKS)), "{row}");
        assert!((number(&timed["average"]) - wait).abs() < 0.001, "{wait} s on average, by the database: {timed}");
        assert!(number(&timed["p95"]) >= number(&timed["p50"]), "{timed}");
        let line = &table[usize::try_from(number_of).unwrap() + 1];
        assert_eq!(line[..3], [&*number_of.to_string(), workers, "120"]);
        assert!(line[3..6].iter().all(|cell| cell != "-"), "{line:?}");
    }
    space.assert_put_back(&before).await;
}
