use serde_json::{Value, json};

use super::*;
use crate::results::fixture::{Scene, good};
use crate::results::gathered::record::{Bucket, Timeline};
use crate::results::row::merged_loads;
use crate::results::shown::course::course;
use crate::results::shown::detail::RowDetail;

/// Details of a row with a timeline of so many seconds.
fn detail(scene: &mut Scene, seconds: u32) -> RowDetail {
    for index in 0..2 {
        let bucket = |at: u32| Bucket {
            due: 5,
            sent: 5,
            ok: 5,
            p50: Some(20_000 + at),
            p99: Some(30_000 + at * 7),
            ..Bucket::default()
        };
        let buckets = (0..seconds).map(bucket).collect();
        scene.load(index).timeline = Timeline { start_ms: crate::results::fixture::START, bucket_ms: 1000, buckets };
    }
    let row = scene.row();
    let loads = merged_loads(&scene.planned, &scene.outcomes);
    let course = course(
        &row,
        &scene.samples,
        &[("targets.api.cpuPercent".into(), vec![(crate::results::fixture::START, 40.0)])],
    );
    RowDetail { course, ..RowDetail::new(row, &loads, &scene.outcomes, None) }
}

/// A test of so many rows, each with all that a row can have.
fn results(rows: i32) -> Results {
    let mut scene = good(600).threshold(json!({"metric": "latency.p99Ms", "max": 50}));
    let detail = detail(&mut scene, 600);
    let (row, outcome) = scene.judged();
    let rows: Vec<Value> = (1..=rows)
        .map(|number| {
            let mut row = serde_json::to_value(&row).expect("JSON");
            row["row"] = number.into();
            row["set"] = json!([{"name": "ingest.rate", "value": (number * 10).to_string()}]);
            row["observations"] = json!(["<script>alert(1)</script> & more"]);
            row["loads"][0]["requests"]["perSecond"] = json!((number.min(3) * 10).to_string());
            row["tasksPerSecond"] = json!((number.min(3) * 10).to_string());
            row["details"] = serde_json::to_value(&detail).expect("JSON");
            row
        })
        .collect();
    let json = json!({"test": {"namespace": "perf", "name": "demo", "run": 3}, "verdict": outcome.verdict,
        "startedAt": "2026-01-01T00:00:00.000Z", "finishedAt": "2026-01-01T00:10:00.000Z",
        "reason": outcome.reason.as_str(), "message": outcome.message,
        "plan": {"hash": "0".repeat(64), "rows": rows.len(), "spec": scene.spec}, "rows": rows,
        "fingerprint": {"operatorVersion": "0.1.0", "nodes": ["node-1 6.1"], "database": {"engine": "postgres", "connectionLimit": 100}}});
    Results::read(&json.to_string()).expect("results")
}

#[test]
fn the_verdict_stands_first_then_whether_it_can_be_believed_then_the_answer_and_then_the_detail() {
    let text = html(&results(3));
    let order = [
        "run 3: <span class=\"verdict Passed\">Passed",
        "The highest rate was 30 tasks/s with ingest.rate 30 (row 3)",
        "3 of 3 rows prove something",
        ">Thresholds<",
        "Can it be believed?</h2>",
        "How much it takes</h2>",
        "What limited it</h2>",
        "What happened when</h2>",
        "Latency by percentile",
        "CPU of the targets",
        "Was all the work done?</h2>",
        "Database</h2>",
        "Every row</h2>",
        "Fingerprint</h2>",
    ];
    let mut from = 0;
    for words in order {
        let found = text[from..].find(words).unwrap_or_else(|| panic!("{words:?} does not come next"));
        from += found;
    }
}

#[test]
fn it_stays_below_500_kb_and_says_whose_charts_are_left_out() {
    for rows in [1, 3, 64] {
        let text = html(&results(rows));
        assert!(text.len() < MOST_BYTES, "{rows} rows: {} bytes", text.len());
        assert_eq!(text.contains("are left out so that this file stays small"), rows == 64, "{rows} rows");
        assert!(text.contains(">Row 1: ingest.rate 10<"));
    }
}

#[test]
fn it_asks_nobody_for_anything_and_runs_nothing() {
    let text = html(&results(2));
    let outside =
        regex::Regex::new(r#"(?i)(src|href|action)="[^#"]|url\(|@import|<(link|img|iframe|object|form)\b| on\w+="#);
    let found = outside.expect("a pattern").find(&text).map(|found| found.as_str().to_owned());
    assert_eq!(found, None);
    assert_eq!(text.matches("<script").count(), 1, "only the data");
    assert!(text.contains("default-src 'none'") && !text.contains("<script>alert"), "what people wrote stays text");
}

#[test]
fn every_table_has_headers_and_a_caption_and_every_picture_words() {
    let text = html(&results(2));
    let tables: Vec<&str> = text.split("<table>").skip(1).collect();
    assert!(tables.len() >= 6);
    for table in tables {
        let table = table.split("</table>").next().expect("its end");
        assert!(
            table.starts_with("<caption>") && table.contains("<th scope=\"col\"") && table.contains("scope=\"row\""),
            "{table}"
        );
    }
    let svgs = text.split("<svg").skip(1).map(|svg| svg.split('>').next().expect("its end"));
    assert!(svgs.clone().count() > 10);
    for svg in svgs {
        assert!(svg.contains("aria-hidden") || svg.contains("role=\"img\" aria-label=\""), "{svg}");
    }
    assert!(text.contains("<html lang=\"en\">") && text.contains("name=\"viewport\""));
}

#[test]
fn what_a_program_reads_out_of_it_are_the_results() {
    let text = html(&results(2));
    let data = text.split("id=\"results\">").nth(1).and_then(|rest| rest.split("</script>").next()).expect("the data");
    let read = Results::read(data).expect("results");
    assert_eq!((read.rows.len(), read.rows[0].details.is_none()), (2, true));
    assert!(read.rows[0].row.observations[0].starts_with("<script>"));
}

#[test]
fn a_test_without_rows_says_why() {
    let mut none = results(1);
    (none.rows, none.verdict, none.reason) = (Vec::new(), crate::api::Verdict::Invalid, "UrlNotAllowed".into());
    let text = html(&none);
    assert!(
        text.contains("No row was done.") && text.contains("nor on the operator's list of allowed hosts"),
        "{text}"
    );
}

#[test]
fn a_rate_that_stops_growing_is_said_with_the_load_from_which_on() {
    let said = say::answer(&results(6));
    assert!(said.contains("From ingest.rate 30 on, more of it added nothing."), "{said}");
    let said = say::answer(&results(3));
    assert!(said.contains("It still grew at the largest ingest.rate that was tried, 30."), "{said}");
}

#[test]
fn rows_that_were_measured_until_the_work_was_done_are_compared_by_what_was_done() {
    let mut results = results(3);
    for (at, processed) in ["75.4", "90", "104.1"].into_iter().enumerate() {
        with_row(&mut results, at, |row| {
            row.measured_until = Some(crate::api::Instant::from_millis(1_000));
            row.processed_per_second = Some(crate::api::Decimal(processed.into()));
        });
    }
    let said = say::answer(&results);
    assert!(
        said.starts_with("The highest rate was 104.1 tasks/s processed with ingest.rate 30 (row 3). It still grew"),
        "{said}"
    );
}

/// What one row of results says, replaced.
fn with_row(results: &mut Results, at: usize, edit: impl FnOnce(&mut crate::api::Row)) {
    edit(&mut results.rows[at].row);
}

#[test]
fn what_gave_out_first_is_said_with_its_row_and_listed_for_each() {
    let mut results = results(3);
    let percent = |text: &str| Some(crate::api::Decimal(text.into()));
    with_row(&mut results, 1, |row| row.targets[0].cpu_max_percent = percent("97"));
    with_row(&mut results, 2, |row| {
        row.targets[0].cpu_max_percent = percent("99");
        row.targets[0].oom_kills = Some(1);
    });
    assert_eq!(say::limited(&results), "CPU of api: its busiest pod used 97 % of its limit (row 2, ingest.rate 20).");
    results.rows.remove(1);
    assert!(
        say::limited(&results).ends_with("(row 3, ingest.rate 30); beside it CPU of api."),
        "{}",
        say::limited(&results)
    );
    let mut closed = results.clone();
    closed.plan.spec["loads"] = json!([{"name": "ingest", "url": "http://api"}]);
    for (at, clients) in [(0, "1"), (1, "8")] {
        with_row(&mut closed, at, |row| {
            row.targets.clear();
            row.set = vec![crate::api::Setting { name: "ingest.clients".into(), value: clients.into() }];
        });
    }
    assert!(say::limited(&closed).starts_with("- ("), "one client of a sweep: {}", say::limited(&closed));
    with_row(&mut closed, 1, |row| row.set[0].value = "1".into());
    assert!(say::limited(&closed).starts_with("one client: "), "{}", say::limited(&closed));
    let text = html(&results);
    assert!(text.contains("Limited by: memory of api"), "{text}");
    assert!(text.contains("<td>-</td><td>-</td>"), "row 1 was at no limit");
}

#[test]
fn repeats_are_one_place_with_their_range_and_their_median_counts() {
    let mut results = results(9);
    for (at, rate) in [10, 12, 11, 30, 20, 25, 28, 24, 26].into_iter().enumerate() {
        with_row(&mut results, at, |row| {
            row.set[0].value = (at / 3 + 1).to_string();
            row.tasks_per_second = Some(crate::api::Decimal(rate.to_string()));
        });
    }
    let curve = capacity::curve(&results).expect("a curve");
    let places: Vec<_> = curve.places().iter().map(|p| (p.x, p.least, p.rate, p.most, p.rows)).collect();
    assert_eq!(places, [(1.0, 10.0, 11.0, 12.0, 3), (2.0, 20.0, 25.0, 30.0, 3), (3.0, 24.0, 26.0, 28.0, 3)]);
    assert!(html(&results).contains("median of the rows at a place, with their range"));
    assert!(
        say::answer(&results).contains("From ingest.rate 2 on, more of it added at most 4 %."),
        "{}",
        say::answer(&results)
    );
}

#[test]
fn actions_are_marked_in_the_charts_and_listed_with_their_times() {
    let mut results = results(1);
    let detail = results.rows[0].details.as_mut().expect("details");
    let act = |action: &str, undo: bool, at: i64, more: Value| {
        let started = crate::api::Instant::from_millis(crate::results::fixture::START + at);
        let mut act = json!({"action": action, "undo": undo, "plannedMs": at, "startedAt": started, "tookMs": 300});
        act.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        serde_json::from_value(act).expect("an act")
    };
    detail.acts = vec![
        act("away", false, 20_000, json!({})),
        act("kill", false, 30_000, json!({"pods": 1})),
        act("away", true, 40_000, json!({"failed": true})),
    ];
    let marks = acts::marks(detail);
    let mark = |number, from, to| chart::Mark { number, from, to };
    assert_eq!(marks, [mark(1, 20.0, Some(40.3)), mark(2, 30.0, None)]);
    let text = html(&results);
    let line = |cells: &str| text.contains(&cells.replace('|', "</td><td class=\"n\">"));
    assert!(line("away</td><td class=\"n\">20|20|300|40|-</td><td>✗ failed"), "{text}");
    assert!(line("kill</td><td class=\"n\">30|30|300|-|1</td><td>✓ done"), "{text}");
    assert!(!html(&self::results(1)).contains("Actions, by the numbers"), "no action, no list");
}

#[test]
fn outages_and_the_growth_of_memory_are_shown() {
    let mut results = results(1);
    with_row(&mut results, 0, |row| {
        row.targets[0].memory_slope_percent_per_minute = Some(crate::api::Decimal("1.2".into()));
        row.loads[0].recovery =
            serde_json::from_value(json!({"outages": 2, "longestMs": "20400", "recoveryMs": "800"})).expect("figures");
    });
    let row = results.rows[0].row.clone();
    let detail = results.rows[0].details.as_mut().expect("details");
    detail.row = row;
    let course = detail.course.as_mut().expect("a course");
    let points = course.figures["connections"].len();
    course.figures.insert("targets.api.memoryPercent".into(), vec![Some(50.0); points]);
    let text = html(&results);
    assert!(text.contains("api: +1.2 % a minute"), "{text}");
    assert!(text.contains("api memory growth % a minute"), "{text}");
    let cells = ["2", "20,400", "800", "-"].map(|cell| format!("<td class=\"n\">{cell}</td>")).concat();
    assert!(text.contains(&format!("<td>ingest</td>{cells}")), "{text}");
}

#[test]
fn what_was_not_asked_is_not_told_as_good() {
    let results = results(1);
    let row = results.plain_rows().next().expect("a row").clone();
    let spec = results.spec();
    let of = |row: &crate::api::Row, local| belief::answers(row, spec.as_ref(), local).map(|(answer, _)| answer);
    use belief::Answer::{Bad, Good, Look, NotAsked};
    assert_eq!(of(&row, false), [Good, Good, Good, Good, Good, Good, Good, Good]);
    assert_eq!(of(&row, true)[1..4], [NotAsked, Good, NotAsked]);
    let mut late = row.clone();
    (late.verdict, late.reason) = (Some(crate::api::RowVerdict::Invalid), Some("GeneratorSaturated".into()));
    assert_eq!(of(&late, false)[0], Bad);
    let mut few = row.clone();
    few.loads[0].latency.as_mut().expect("latency").p99_ms = None;
    few.observations = vec!["ingest: the latency still grew: median 1, 2, 3 ms in the thirds of the load".into()];
    assert_eq!(of(&few, false)[6..], [Look, Look]);
    let nothing = crate::results::row::empty(&good(60).planned);
    assert_eq!(of(&nothing, false), [NotAsked, NotAsked, NotAsked, NotAsked, NotAsked, NotAsked, NotAsked, NotAsked]);
}

#[test]
fn a_row_in_which_everything_failed_is_not_praised() {
    let mut results = results(1);
    with_row(&mut results, 0, |row| {
        (row.verdict, row.reason) = (Some(crate::api::RowVerdict::Failed), Some("RequestsFailed".into()));
        row.tasks_per_second = None;
        row.loads[0].latency = None;
        let all = row.loads[0].requests.as_mut().expect("requests");
        (all.ok, all.failed) = (Some(crate::api::Count(0)), all.sent);
        all.failed_percent = Some(crate::api::Decimal("100".into()));
    });
    assert!(
        say::answer(&results).starts_with("No request was answered well with ingest.rate 10 (row 1): 6,000 of 6,000"),
        "{}",
        say::answer(&results)
    );
    assert!(say::belief(&results).starts_with("The row is valid, and it failed"), "{}", say::belief(&results));
    with_row(&mut results, 0, |row| {
        let all = row.loads[0].requests.as_mut().expect("requests");
        (all.ok, all.failed) = (Some(crate::api::Count(5_400)), Some(crate::api::Count(600)));
        all.failed_percent = Some(crate::api::Decimal("10".into()));
    });
    assert!(say::answer(&results).ends_with(" 10 % of its requests failed."), "{}", say::answer(&results));
}

#[test]
fn more_late_than_sent_is_no_share_of_the_sent() {
    let results = results(1);
    let mut row = results.plain_rows().next().expect("a row").clone();
    let all = row.loads[0].requests.as_mut().expect("requests");
    (all.late, all.sent) = (Some(crate::api::Count(334)), Some(crate::api::Count(116)));
    let (_, text) = &belief::answers(&row, None, false)[0];
    assert!(text.starts_with("334 late or not sent, 116 sent"), "{text}");
}

#[test]
fn a_rate_that_the_sweep_gives_has_an_in_flight_cap() {
    let results = results(1);
    let row = results.plain_rows().next().expect("a row");
    let mut spec = results.spec().expect("a spec");
    spec.loads[0].rate = None;
    assert_eq!(belief::answers(row, Some(&spec), false)[2], (belief::Answer::Good, "not reached".to_owned()));
    let mut clients = row.clone();
    clients.loads[0].requests.as_mut().expect("requests").offered_per_second = None;
    assert_eq!(belief::answers(&clients, Some(&spec), false)[2].1, "clients have none");
}
