//! Documents that are ready later: every one is accounted for, line by line, and somebody is told once.

use crate::application::tasks;
use crate::checks::row;
use crate::examples::{cells, figure, headings, number, shortened_demo};
use crate::space::Space;

/// Uploads in the shortened form.
const DOCUMENTS: usize = 40;

#[tokio::test]
async fn every_document_is_a_line_of_the_report_and_the_end_is_told_once() {
    let Some(space) = Space::new("documents").await else { return };
    space.create(&tasks()).await;
    space.all_ready().await;
    let test = shortened_demo(
        "documents.yaml",
        &[
            ("durationSeconds: 60", "durationSeconds: 20"),
            ("timeoutSeconds: 5}", "timeoutSeconds: 60}"),
            // The notification is a task of the application, so that PostgreSQL counts it.
            ("http://demo-api:8080/echo", "http://demo-api:8080/tasks"),
            // Forty have no 95th percentile, and a busy node may be slow.
            ("  - {metric: latency.p95Ms, max: 2000}\n", ""),
            ("cpu: 250m", "cpu: 100m"),
        ],
    );
    let ended = space.judged(&test).await;
    let row = row(&ended, 1);
    assert_eq!(row["tasks"], DOCUMENTS, "{row}");
    let load = figure(row, "loads", "documents");
    // A login, an upload and all polls together, of each.
    let count = |name: &str| load["requests"][name].as_u64();
    assert_eq!((count("ok"), count("failed")), (Some(3 * DOCUMENTS as u64), Some(0)), "{load}");

    let report = ended["status"]["reportRef"]["name"].as_str().unwrap();
    let report = space.get("configmaps", report).await.unwrap();
    let items = report["data"]["items.csv"].as_str().unwrap();
    let lines: Vec<Vec<&str>> = items.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines[0], ["row", "load", "step", "seq", "due", "seconds", "done"]);
    assert_eq!(lines.len(), 1 + DOCUMENTS, "{items}");
    for (seq, line) in lines[1..].iter().enumerate() {
        assert_eq!((&line[..3], line[3], line[6]), (&["1", "documents", "ready"][..], &*seq.to_string(), "true"));
    }
    // The application takes half a second for a document.
    let seconds: Vec<f64> = lines[1..].iter().map(|line| line[5].parse().unwrap()).collect();
    assert!(seconds.iter().all(|seconds| *seconds >= 0.5), "{items}");
    let most = seconds.into_iter().fold(0.0, f64::max) * 1000.0;
    assert!((number(&load["latency"]["maxMs"]) - most).abs() <= 0.01 * most, "{most} ms is not in {load}");

    let table = cells(&ended);
    assert_eq!(table[0], headings(&test));
    assert_eq!(table[2][..3], ["1", "api as the demo has it", "40"]);
    let told = space.ask("select payload->'task'->>'text' from tasks");
    assert_eq!(told.lines().count(), 1, "{told}");
    let verdict = ended["status"]["verdict"].as_str().unwrap();
    assert!(told.starts_with("documents documents-") && told.contains(&format!(": {verdict}. ")), "{told}");
    space.assert_no_job().await;
}
