//! `junit.xml`: the test is a suite, a row's threshold a case. failure = it did not hold, error = Invalid, skipped = not
//! run or not asked; properties = the fingerprint.

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use crate::api::{Reason, Row, RowVerdict, Threshold, Verdict};
use crate::results::judged::judge::carries_late_figures;
use crate::results::judged::threshold::{self, Judgement};
use crate::results::judged::verdict::whole_test_judgements;

use super::ReportInput;

/// The report; empty only if XML could not be written, which is not known to happen.
pub fn junit(input: &ReportInput) -> String {
    let mut suite = TestSuite::new(format!("{}/{}", input.namespace, input.name));
    properties(&mut suite, input);
    suite.add_test_case(case("test / verdict", overall(input)));
    for planned in &input.plan.rows {
        let row = input.test.rows.iter().find(|r| r.row == planned.number);
        suite.add_test_case(case(&format!("row {} / verdict", planned.number), row.map_or_else(not_run, verdict)));
        let waits = input.test.rows.iter().any(carries_late_figures);
        for threshold in &input.plan.spec.thresholds {
            let name = format!("row {} / {}", planned.number, limits(threshold));
            match row {
                None => suite.add_test_case(case(&name, not_run())),
                // Judged once below, or in the rows that carry it.
                Some(row) if threshold::is_late(&threshold.metric) && !(waits && carries_late_figures(row)) => continue,
                Some(row) => suite.add_test_case(case(&name, of_row(row, threshold))),
            };
        }
    }
    for (threshold, judgement) in whole_test_judgements(&input.test) {
        let name = format!("whole test / {}", limits(threshold));
        suite.add_test_case(case(&name, status(&judgement, threshold.optional)));
    }
    let mut report = Report::new("loadtest");
    report.add_test_suite(suite);
    report.to_string().unwrap_or_default()
}

fn case(name: &str, status: TestCaseStatus) -> TestCase {
    TestCase::new(name, status)
}

fn properties(suite: &mut TestSuite, input: &ReportInput) {
    let mut add = |name: &str, value: &str| {
        suite.add_property(Property::new(name, value));
    };
    add("run", &input.run.to_string());
    add("plan.hash", &input.plan.hash);
    let Some(fingerprint) = input.fingerprint else { return };
    add("operatorVersion", fingerprint.operator_version.as_deref().unwrap_or("-"));
    add("nodes", &fingerprint.nodes.join(", "));
    for target in &fingerprint.targets {
        add(&format!("images.{}", target.name.0), &target.images.join(", "));
    }
    if let Some(database) = &fingerprint.database {
        let known = [&database.engine, &database.version, &database.class];
        add("database", &known.iter().filter_map(|s| s.as_deref()).collect::<Vec<_>>().join(" "));
        let limit = database.connection_limit.map_or_else(|| "-".into(), |n| n.to_string());
        add("database.connectionLimit", &limit);
    }
}

fn overall(input: &ReportInput) -> TestCaseStatus {
    let outcome = input.outcome;
    let kind = match outcome.verdict {
        Verdict::Passed => return TestCaseStatus::success(),
        Verdict::Failed => NonSuccessKind::Failure,
        Verdict::Invalid | Verdict::Aborted => NonSuccessKind::Error,
    };
    bad(kind, outcome.reason.as_str(), &outcome.message)
}

fn verdict(row: &Row) -> TestCaseStatus {
    let reason = row.reason.as_deref().unwrap_or("EvidenceMissing");
    let meaning = Reason::parse(reason).map_or("", Reason::meaning);
    let said = if row.observations.is_empty() { meaning.to_owned() } else { row.observations.join("; ") };
    match row.verdict {
        Some(RowVerdict::Passed) => TestCaseStatus::success(),
        Some(RowVerdict::Failed) => bad(NonSuccessKind::Failure, reason, &said),
        Some(RowVerdict::Invalid) | None => bad(NonSuccessKind::Error, reason, &said),
    }
}

fn of_row(row: &Row, threshold: &Threshold) -> TestCaseStatus {
    if row.verdict == Some(RowVerdict::Invalid) {
        return verdict(row);
    }
    status(&threshold::judge(threshold, row), threshold.optional)
}

fn status(judgement: &Judgement, optional: bool) -> TestCaseStatus {
    match judgement {
        Judgement::Held(_) => TestCaseStatus::success(),
        Judgement::Breached(_) => bad(NonSuccessKind::Failure, Reason::ThresholdsBreached.as_str(), &words(judgement)),
        Judgement::Missing(_) if optional => TestCaseStatus::skipped(),
        Judgement::Missing(_) => bad(NonSuccessKind::Error, Reason::EvidenceMissing.as_str(), &words(judgement)),
    }
}

/// A judgement in words.
pub fn words(judgement: &Judgement) -> String {
    match judgement {
        Judgement::Held(seen) => format!("held: {}", seen.0),
        Judgement::Breached(breach) => format!("observed {}, allowed {}", breach.observed, breach.limit),
        Judgement::Missing(why) => format!("no figure: {why}"),
    }
}

fn bad(kind: NonSuccessKind, reason: &str, message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(reason).set_message(message);
    status
}

fn not_run() -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message("the row was not run");
    status
}

/// `tasksPerSecond >= 130`.
pub fn limits(threshold: &Threshold) -> String {
    let max = threshold.max.as_ref().map(|l| format!("<= {}", l.0));
    let min = threshold.min.as_ref().map(|l| format!(">= {}", l.0));
    let both: Vec<String> = min.into_iter().chain(max).collect();
    format!("{} {}", threshold.metric, both.join(" and "))
}
