use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::results::fixture::{START, Scene, good};
use crate::results::gathered::series::{MINUTE_MS, Point, Series};
use crate::results::judged::verdict::whole_test_figures;

/// All files of a test of one row.
pub fn files_of(scene: &Scene, details: &BTreeMap<i32, Value>) -> BTreeMap<String, String> {
    files_of_plan(scene, &scene.plan(), details)
}

/// The same of a plan that may have more rows than were done.
fn files_of_plan(scene: &Scene, plan: &crate::plan::Plan, details: &BTreeMap<i32, Value>) -> BTreeMap<String, String> {
    let (row, outcome) = scene.judged();
    let rows = [row];
    let database = whole_test_figures(&rows, &scene.series);
    let test = TestInput {
        spec: &scene.spec,
        planned_rows: plan.rows.len(),
        rows: &rows,
        database: &database,
        series: &scene.series,
        early: None,
    };
    let input = ReportInput {
        namespace: "perf",
        name: "demo",
        run: 3,
        started_at: Some(Instant::from_millis(0)),
        finished_at: Some(Instant::from_millis(600_000)),
        plan,
        test,
        outcome: &outcome,
        connection_limit: Some((100, LimitSource::PostgreSql)),
        fingerprint: None,
        details,
        row_config_maps: &BTreeMap::from([(1, "demo-abcde-3-1".to_owned())]),
    };
    files(&input)
}

#[test]
fn a_person_reads_verdict_table_and_thresholds() {
    let scene = good(60)
        .threshold(json!({"metric": "latency.p99Ms", "max": 10}))
        .threshold(json!({"metric": "database.cpuPercent.maximum", "max": 90}));
    let text = &files_of(&scene, &BTreeMap::new())["table.md"];
    for words in [
        "# Load test perf/demo, run 3: Failed (ThresholdsBreached)",
        "| Run | ingest.rate | Tasks | Tasks/s |",
        "12 of 100",
        "| latency.p99Ms <= 10 | observed 20.015, allowed max 10 | row 1 |",
        "| database.cpuPercent.maximum <= 90 | held: 45 | whole test |",
        "Whole test: cpuPercent 40 on average, 45 at most (CloudWatch, 1 of 1 minutes).",
    ] {
        assert!(text.contains(words), "{words:?} is not in:\n{text}");
    }
    assert!(!text.contains("DB CPU %"), "no column without any figure:\n{text}");
}

#[test]
fn the_wait_for_a_connection_of_an_rds_proxy_is_in_the_table_its_key_the_csv_and_junit() {
    let mut scene = good(180).threshold(json!({"metric": "database.proxyBorrowLatencyMs.average", "max": "2.5"}));
    let point = |(minute, average)| Point { start_ms: START + minute * MINUTE_MS, average, maximum: average + 4.0 };
    let minutes = (0..).zip([1.0, 2.0, 6.0]).map(point).collect();
    scene.series.push(Series::of_cloudwatch("proxyBorrowLatencyMs", minutes, None));
    let files = files_of(&scene, &BTreeMap::new());
    let table = &files["table.md"];
    for words in [
        "| Proxy wait ms |",
        "Proxy wait: mean time of the RDS proxy to get a connection, by CloudWatch's whole minutes",
        "| database.proxyBorrowLatencyMs.average <= 2.5 | observed 3, allowed max 2.5 | row 1 |",
    ] {
        assert!(table.contains(words), "{words:?} is not in:\n{table}");
    }
    let lines: Vec<Vec<&str>> = files["results.csv"].lines().map(|line| line.split(',').collect()).collect();
    for (column, value) in [("average", "3"), ("maximum", "10"), ("last", "6")] {
        let name = format!("database.proxyBorrowLatencyMs.{column}");
        let at = lines[0].iter().position(|head| *head == name).unwrap_or_else(|| panic!("no column {name}"));
        assert_eq!(lines[1][at], value, "{name}");
    }
    assert!(files["junit.xml"].contains(r#"name="row 1 / database.proxyBorrowLatencyMs.average &lt;= 2.5""#));
    let without = &files_of(&good(180), &BTreeMap::new())["table.md"];
    assert!(!without.contains("Proxy wait"), "no column and no key without the figure:\n{without}");
}

#[test]
fn junit_tells_failures_from_errors_and_what_was_not_run() {
    let breached = good(60).threshold(json!({"metric": "latency.p99Ms", "max": 10}));
    let text = files_of(&breached, &BTreeMap::new())["junit.xml"].clone();
    assert!(text.contains(r#"name="row 1 / latency.p99Ms &lt;= 10""#), "{text}");
    assert!(text.contains("<failure") && !text.contains("<error") && !text.contains("<skipped"), "{text}");
    let mut late = good(60).threshold(json!({"metric": "latency.p99Ms", "max": 100}));
    late.later(0, 100, 50_000);
    let text = files_of(&late, &BTreeMap::new())["junit.xml"].clone();
    assert!(text.contains(r#"type="GeneratorSaturated""#) && !text.contains("<failure"), "{text}");
}

#[test]
fn junit_says_of_a_row_that_was_not_run_that_it_was_skipped() {
    let scene = good(60).threshold(json!({"metric": "latency.p99Ms", "max": 100}));
    let mut plan = scene.plan();
    plan.rows.push(crate::plan::PlannedRow { number: 2, ..scene.planned.clone() });
    let text = files_of_plan(&scene, &plan, &BTreeMap::new())["junit.xml"].clone();
    assert_eq!(
        text.matches("<skipped message=\"the row was not run\"").count(),
        2,
        "its verdict and its threshold: {text}"
    );
    assert!(text.contains("skipped=\"2\""), "{text}");
}

#[test]
fn csv_has_a_line_a_row_and_leaves_the_missing_empty() {
    let text = files_of(&good(60), &BTreeMap::new())["results.csv"].clone();
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let line = reader.records().next().expect("a row").expect("as long as the header");
    let of =
        |name: &str| line.get(header.iter().position(|h| h == name).expect("a column")).expect("a cell").to_owned();
    assert_eq!(of("timestamp"), "1970-01-01T00:20:00.000Z");
    assert_eq!((of("tasks").as_str(), of("set.ingest.rate").as_str()), ("600", "10"));
    assert_eq!(of("targets.api.cpuMaxPercent"), "", "not known is not 0");
}

#[test]
fn csv_table_and_html_have_the_plans_own_headings_and_a_dash_where_a_figure_is_missing() {
    let mut scene = good(60);
    let columns = json!([{"title": "Run", "metric": "run"}, {"title": "=Infra", "text": "k8s"},
        {"title": "Tasks, all", "metric": "tasks"}, {"title": "CPU", "metric": "targets.api.cpuMaxPercent"}]);
    scene.spec.columns = serde_json::from_value(columns).expect("columns");
    let files = files_of(&scene, &BTreeMap::new());
    assert_eq!(files["results.csv"], "Run,'=Infra,\"Tasks, all\",CPU\n1,k8s,600,-\n");
    assert!(files["table.md"].contains("| Run | =Infra | Tasks, all | CPU |"), "{}", files["table.md"]);
    let html = html::html(&Results::read(&files["results.json"]).expect("results"));
    let (_, own) = html.split_once("The plan's own table").expect("the plan's own table");
    let (own, _) = own.split_once("</table>").expect("its end");
    for words in ["Tasks, all</th>", ">600</td>", ">-</td>", ">k8s</td>"] {
        assert!(own.contains(words), "{words:?} is not in:\n{own}");
    }
}

#[test]
fn secrets_of_the_spec_are_in_no_file() {
    let mut scene = good(60);
    let load = json!({"name": "ingest", "url": "http://api:8000/?key=sesame", "rate": 10, "durationSeconds": 60,
        "generators": 2, "headers": [{"name": "Authorization", "value": "Bearer sesame"}],
        "basicAuth": {"username": "sesame", "password": "sesame"},
        "steps": [{"name": "post", "path": "/a?token=sesame", "body": "sesame", "timeoutSeconds": 60,
            "tasks": {"perResponse": 1}}]});
    scene.spec.loads = vec![serde_json::from_value(load).expect("a load")];
    scene.spec.vars = serde_json::from_value(json!([{"name": "pw", "value": "sesame"}])).expect("vars");
    for (name, text) in files_of(&scene, &BTreeMap::new()) {
        assert!(!text.contains("sesame"), "{name}");
    }
}

#[test]
fn what_does_not_fit_stays_in_the_rows_config_maps() {
    let small = BTreeMap::from([(1, json!({"histogram": "abc"}))]);
    let all: Value = serde_json::from_str(&files_of(&good(60), &small)["results.json"]).expect("JSON");
    assert_eq!(all["rows"][0]["details"]["histogram"], "abc");
    let large = BTreeMap::from([(1, json!({"histogram": "x".repeat(MOST_BYTES)}))]);
    let files = files_of(&good(60), &large);
    assert!(files.values().map(String::len).sum::<usize>() <= MOST_BYTES);
    let all: Value = serde_json::from_str(&files["results.json"]).expect("JSON");
    assert_eq!(all["rows"][0]["detailsIn"]["configMap"], "demo-abcde-3-1");
}

#[test]
fn what_was_written_is_read_back_with_all_its_details() {
    let scene = good(60).threshold(json!({"metric": "database.cpuPercent.maximum", "max": 90}));
    let loads = crate::results::row::merged_loads(&scene.planned, &scene.outcomes);
    let detail = crate::results::shown::detail::RowDetail::new(scene.row(), &loads, &scene.outcomes, None);
    let details = BTreeMap::from([(1, serde_json::to_value(&detail).expect("JSON"))]);
    let read = Results::read(&files_of(&scene, &details)["results.json"]).expect("results");
    assert_eq!((read.name().as_str(), read.test.run, read.rows.len()), ("perf/demo", 3, 1));
    assert_eq!(read.rows[0].details.as_ref(), Some(&detail));
    assert_eq!(read.rows[0].row, scene.judged().0);
    assert_eq!(read.whole_test_thresholds[0].judgement, "held: 45");
    assert_eq!(read.spec().expect("the spec").loads.len(), 1);
}

#[test]
fn a_threshold_that_several_rows_broke_names_the_worst_of_them() {
    let scene = good(60)
        .threshold(json!({"metric": "latency.p99Ms", "max": 10}))
        .threshold(json!({"metric": "requests.perSecond", "min": 100}));
    let worst = |seen: [(&str, &str); 3]| {
        let (row, outcome) = scene.judged();
        let rows = [1, 2, 3].map(|number: i32| {
            let mut row = crate::api::Row { row: number, ..row.clone() };
            let (p99, rate) = seen[number as usize - 1];
            row.loads[0].latency.as_mut().expect("latency").p99_ms = Some(crate::api::Decimal(p99.into()));
            row.loads[0].requests.as_mut().expect("requests").per_second = Some(crate::api::Decimal(rate.into()));
            row
        });
        let plan = scene.plan();
        let (series, database) = (scene.series.clone(), Vec::new());
        let test = TestInput {
            spec: &scene.spec,
            planned_rows: 3,
            rows: &rows,
            database: &database,
            series: &series,
            early: None,
        };
        let details = BTreeMap::new();
        let names = BTreeMap::new();
        let input = ReportInput {
            namespace: "perf",
            name: "demo",
            run: 3,
            started_at: None,
            finished_at: None,
            plan: &plan,
            test,
            outcome: &outcome,
            connection_limit: None,
            fingerprint: None,
            details: &details,
            row_config_maps: &names,
        };
        files(&input)["table.md"].clone()
    };
    let text = worst([("20", "90"), ("400", "9"), ("30", "50")]);
    assert!(text.contains("| observed 400, allowed max 10 | row 2 |"), "{text}");
    assert!(text.contains("| observed 9, allowed min 100 | row 2 |"), "{text}");
    let text = worst([("5", "150"), ("11", "99"), ("11", "99")]);
    assert!(text.contains("| observed 11, allowed max 10 | row 2 |"), "of equal ones the first: {text}");
}
