//! A ramp of workers: so many are online as each row sets.

use crate::application::tasks;
use crate::checks::row;
use crate::examples::{cells, figure, headings, number, shortened_demo};
use crate::space::Space;

#[tokio::test]
async fn as_many_workers_stay_online_as_each_row_sets() {
    let Some(space) = Space::new("scalability").await else { return };
    space.create(&tasks()).await;
    space.all_ready().await;
    let before = space.written().await;
    let test = shortened_demo(
        "scalability.yaml",
        &[
            ("durationSeconds: 60", "durationSeconds: 30"),
            ("replicas: [1, 2, 4, 6]", "replicas: [1, 3]"),
            ("cpu: 50m", "cpu: 40m"),
            ("cpu: 250m", "cpu: 100m"),
        ],
    );
    let ended = space.judged(&test).await;
    let table = cells(&ended);
    assert_eq!(table[0], headings(&test));
    for (number_of, workers) in [(1, 1), (2, 3)] {
        let row = row(&ended, number_of);
        let online = figure(row, "measurements", "online");
        assert_eq!(number(&online["minimum"]), f64::from(workers), "{row}");
        assert_eq!((figure(row, "targets", "worker")["replicas"].as_i64()), Some(i64::from(workers)), "{row}");
        assert_eq!(figure(row, "targets", "worker")["restarts"], 0, "{row}");
        let line = &table[usize::try_from(number_of).unwrap() + 1];
        assert_eq!(line[..3], [number_of, i64::from(workers), i64::from(workers)].map(|cell| cell.to_string()));
    }
    space.assert_put_back(&before).await;
}
