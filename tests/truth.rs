//! The list of all planted lies: ways to look good wrongly, each at the weakest level that proves it.
//!
//! `dev/test-truth` reads the lines `planted` of the first test, runs each lie's test, and counts those that were caught.

use std::collections::BTreeSet;

use regex::Regex;

const INSTRUMENT: &str = "src/results/lies/instrument.rs";
const ANSWERS: &str = "src/results/lies/answers.rs";
const DATABASE: &str = "src/results/lies/database.rs";
const TARGETS: &str = "src/results/lies/targets.rs";
const AWS: &str = "src/evidence/aws/lies_tests.rs";
const WIRE: &str = "src/agents/local/lies_tests.rs";
const POSTGRES: &str = "src/evidence/live/lies_tests.rs";
const CLUSTER: &str = "tests/crash/lies.rs";

/// What the lie is, the file of its test, the test's name.
const LIES: &[(&str, &str, &str)] = &[
    ("saturated generator", INSTRUMENT, "saturated_generator"),
    ("unsent requests left out of the count", INSTRUMENT, "unsent_requests_left_out_of_the_count"),
    ("request of few that was never sent", INSTRUMENT, "one_request_of_few_that_was_never_sent"),
    ("rate that was never offered", INSTRUMENT, "rate_that_was_never_offered"),
    ("full in-flight cap", INSTRUMENT, "full_in_flight_cap"),
    ("full cap in front of a late generator", INSTRUMENT, "full_cap_does_not_hide_a_late_generator"),
    ("skewed clock", INSTRUMENT, "skewed_clock"),
    ("early cut", INSTRUMENT, "early_cut"),
    ("hard end before the plan was done", INSTRUMENT, "hard_end_before_the_plan_was_done"),
    ("duplicated pod", INSTRUMENT, "duplicated_pod"),
    ("one generator gone without a word", INSTRUMENT, "one_generator_gone_without_a_word"),
    ("one generator killed", INSTRUMENT, "one_generator_killed"),
    ("generator's log gone, counts left", INSTRUMENT, "log_gone_counts_only"),
    ("records of another row", INSTRUMENT, "records_of_another_row"),
    ("records of another start", INSTRUMENT, "records_of_another_start"),
    ("answers that were never asked for", INSTRUMENT, "answers_that_were_never_asked_for"),
    ("failures dropped from the count", INSTRUMENT, "failures_dropped_from_the_count"),
    ("nothing sent, nothing failed", INSTRUMENT, "nothing_sent_nothing_failed"),
    ("rows that were never run", INSTRUMENT, "rows_that_were_never_run"),
    (
        "row stopped by a threshold that shows good figures",
        INSTRUMENT,
        "a_row_that_a_threshold_stopped_is_failed_though_less_is_known_of_it",
    ),
    ("instant 500s", ANSWERS, "instant_500s"),
    ("rate of answers that came long after the end", ANSWERS, "rate_of_answers_that_came_long_after_the_end"),
    ("200 with an error body", ANSWERS, "status_200_with_an_error_body"),
    ("missing JSON pointer", ANSWERS, "missing_json_pointer"),
    ("failures allowed for another load", ANSWERS, "failures_allowed_for_one_load_are_not_allowed_for_another"),
    ("more failures than allowed", ANSWERS, "more_failures_than_allowed"),
    ("cached answers that made no task", ANSWERS, "cached_answers_that_made_no_task"),
    ("timed-out requests that ran all the same", ANSWERS, "requests_that_timed_out_and_ran_all_the_same"),
    ("count from the wrong window", ANSWERS, "count_from_the_wrong_window"),
    ("warm-up left out of the account", ANSWERS, "warmup_left_out_of_the_account"),
    ("one-sample percentile", ANSWERS, "one_sample_percentile"),
    ("averaged percentiles", ANSWERS, "averaged_percentiles"),
    ("backlog that never went down", ANSWERS, "backlog_that_never_went_down"),
    ("warm-up inside the window", DATABASE, "warmup_inside_the_window"),
    ("figure with too few points", DATABASE, "figure_with_too_few_points"),
    ("observer died", DATABASE, "observer_died"),
    ("database restarted, counters went back", DATABASE, "database_restarted"),
    ("missing CloudWatch minutes", DATABASE, "missing_minutes"),
    ("stale CloudWatch minutes", DATABASE, "minutes_of_another_time"),
    ("duplicated minutes as coverage", DATABASE, "duplicated_minutes_are_no_coverage"),
    ("Forbidden series", DATABASE, "forbidden_series"),
    ("short rows that share a minute", DATABASE, "short_rows_are_judged_once_on_the_whole_test"),
    ("late breach of a long row", DATABASE, "late_breach_of_a_long_row"),
    ("autoscaler moved the target", TARGETS, "disturbed_target"),
    ("pod restarted in mid-row", TARGETS, "pod_restarted_in_mid_row"),
    (
        "restart threshold as an excuse for a late generator",
        TARGETS,
        "restart_threshold_does_not_excuse_a_late_generator",
    ),
    ("log rotated away", TARGETS, "log_rotated_away"),
    ("measurement that is not there", TARGETS, "measurement_that_is_not_there"),
    ("instant 503s over the wire", WIRE, "every_third_answer_is_an_instant_503"),
    ("200 with an error body over the wire", WIRE, "error_body_with_status_200"),
    ("number of tasks as text", WIRE, "number_of_tasks_as_text"),
    ("item that never comes", WIRE, "item_that_never_comes"),
    ("login page with 200", WIRE, "login_page_with_status_200"),
    ("answer cut short", WIRE, "answer_cut_short"),
    ("cached answer", WIRE, "cached_answer_that_no_application_gave"),
    ("timed-out request that ran", WIRE, "request_that_timed_out_and_ran"),
    ("stall that holds back what was due", WIRE, "stall_that_holds_back_what_was_due"),
    ("database restarted in mid-row", POSTGRES, "database_restarted_so_fast_that_hardly_a_sample_is_missing"),
    ("waits hidden without pg_monitor", POSTGRES, "waits_that_are_hidden_without_pg_monitor"),
    ("foreign CloudWatch minutes", AWS, "foreign_minutes_of_another_instance"),
    ("stale CloudWatch minutes in a good answer", AWS, "stale_minutes_of_an_hour_ago"),
    ("newest CloudWatch minute not published yet", AWS, "newest_minute_not_published_yet"),
    ("every second CloudWatch minute missing", AWS, "every_second_minute_missing"),
    ("Forbidden series in a good answer", AWS, "forbidden_series_of_a_good_answer"),
    ("failed series in a good answer", AWS, "failed_series_of_a_good_answer"),
    ("CloudWatch minutes by a wrong clock", AWS, "minutes_by_a_wrong_clock"),
    ("unknown instance with empty series", AWS, "unknown_instance_with_empty_series"),
    ("unknown proxy with empty series", AWS, "unknown_proxy_with_empty_series"),
    ("Forbidden series of a proxy", AWS, "forbidden_minutes_of_the_proxy"),
    ("wrong Service", CLUSTER, "wrong_service"),
    ("Service led away in mid-row", CLUSTER, "service_that_is_led_away_in_mid_row"),
    ("Service deleted in mid-row", CLUSTER, "service_that_is_deleted_in_mid_row"),
    ("Service that cannot be read", CLUSTER, "service_that_cannot_be_read_when_the_row_is_over"),
    ("generators that may not be made", CLUSTER, "generators_that_may_not_be_made"),
    ("Service that keeps old pods", CLUSTER, "service_that_keeps_pods_of_the_old_replica_set"),
    ("old ReplicaSet still serving", CLUSTER, "old_replica_set_still_serving"),
    ("limit not applied", CLUSTER, "limit_not_applied"),
    ("limit changed by a webhook", CLUSTER, "limit_changed_by_a_webhook"),
    ("HPA moved a sized target in mid-row", CLUSTER, "autoscaler_moved_the_target_in_mid_row"),
    ("container restarted in mid-row", CLUSTER, "container_restarted_in_mid_row"),
    ("pod replaced in mid-row", CLUSTER, "pod_replaced_in_mid_row"),
    ("one of three generators gone", CLUSTER, "one_of_three_generators_gone"),
    ("backlog of the row before", CLUSTER, "backlog_of_the_row_before"),
    ("observer gone in mid-row", CLUSTER, "observer_gone_in_mid_row"),
    ("log rotated away in mid-row", CLUSTER, "log_rotated_away_in_mid_row"),
    ("two tests that watch one target", CLUSTER, "two_tests_that_watch_one_target"),
    ("two tests that size one target", CLUSTER, "two_tests_that_size_one_target"),
];

/// Lies that scenarios on a real node show once more (`dev/test node`); they are not counted here.
const ON_THE_NODE: &[(&str, &str, &str)] = &[
    (
        "one of three generators gone",
        "tests/node/generators.rs",
        "of_three_generators_one_killed_makes_the_row_invalid_the_others_count_and_nobody_takes_its_place",
    ),
    (
        "autoscaler or somebody else moved the target",
        "tests/node/disturbed.rs",
        "an_edit_and_an_autoscaler_in_mid_row_disturb_the_row_and_keep_what_they_set",
    ),
    (
        "pod restarted in mid-row, out of memory",
        "tests/node/disturbed.rs",
        "an_application_out_of_memory_in_mid_row_makes_the_row_invalid_and_is_named",
    ),
    (
        "two tests on one target",
        "tests/node/turns.rs",
        "two_tests_on_the_same_targets_in_opposite_order_run_one_after_the_other",
    ),
    (
        "generator's log gone",
        "tests/node/alone/absence.rs",
        "an_operator_away_for_the_whole_load_judges_it_afterwards_and_a_lost_log_is_not_zero",
    ),
    (
        "tasks that nobody ran",
        "tests/node/counts.rs",
        "the_tasks_of_each_row_are_those_that_postgresql_got_and_everything_is_put_back",
    ),
];

/// Tests beside the lies that are none: the truth, and how it is told.
const NO_LIES: &[&str] = &[
    "the_true_minutes_pass",
    "an_honest_application_passes",
    "the_truth_passes",
    "failures_of_a_journey_are_named_by_their_step",
    "one_late_request_of_few_is_no_late_generator_and_two_are",
    "what_never_became_due_after_a_stop_is_not_late",
];

/// Names of the tests in a file of this repository.
fn tests_of(file: &str) -> Vec<String> {
    let path = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
    let test =
        Regex::new(r"(?m)^#\[(?:tokio::)?test(?:\([^\n]*\))?\]\n(?:#\[[^\n]*\]\n)*(?:async )?fn (\w+)\(").unwrap();
    test.captures_iter(&text).map(|found| found[1].to_owned()).collect()
}

#[test]
fn every_lie_of_the_list_has_its_test() {
    for (what, file, test) in LIES.iter().chain(ON_THE_NODE) {
        assert!(tests_of(file).iter().any(|name| name == test), "{what}: {file} has no test {test}");
    }
    let names: BTreeSet<&str> = LIES.iter().map(|(_, _, test)| *test).collect();
    assert_eq!(names.len(), LIES.len(), "two lies share a test's name");
    for (what, _, test) in LIES {
        println!("planted {test} {what}");
    }
    for (what, file, _) in ON_THE_NODE {
        println!("node {file} {what}");
    }
}

#[test]
fn every_test_beside_the_lies_is_in_the_list() {
    let files: BTreeSet<&str> = LIES.iter().map(|(_, file, _)| *file).filter(|file| file.contains("lies")).collect();
    for file in files {
        for test in tests_of(file) {
            let listed = LIES.iter().any(|(_, at, name)| *at == file && *name == test);
            assert!(listed || NO_LIES.contains(&test.as_str()), "{file}: {test} is in no list of tests/truth.rs");
        }
    }
}
