//! What may go wrong between the operator and AWS, a test for each row of the table; each ends in a figure, a figure that is missing
//! with a reason, or a clear error. None hangs, and none tells a secret.

use std::time::Duration;

use aws_double::{Fault, FaultKind, Running, SeriesStatus, Service};

use super::tests::{KEYS, START, averages, demo, named, quick, series, source_of, web_identity};
use super::*;

/// Longest that anything here may take.
const BOUND: Duration = Duration::from_secs(60);

/// One test for each row, named by the function and by the words of the table.
macro_rules! rows {
    ($($name:ident $row:literal $body:block)*) => {
        /// The rows of the table.
        const ROWS: &[&str] = &[$($row),*];
        $(
            #[tokio::test]
            async fn $name() {
                tokio::time::timeout(BOUND, async $body).await.expect(concat!("hangs: ", $row));
            }
        )*
    };
}

fn error(code: &str, status: u16) -> Fault {
    Fault::new(FaultKind::error(code, status, "canary: User: arn:aws:iam::123:user/canary")).on(Service::Rds)
}

/// The error that a fault of RDS ends in, and how often it was asked; no error when the call got over it.
async fn ends_in(fault: Fault) -> (Option<ErrorKind>, usize) {
    let double = demo().await;
    double.double().script(|state| state.faults.push(fault));
    let error = source_of(&double).instance().await.err();
    let told = error.as_ref().map(|error| error.text.clone()).unwrap_or_default();
    assert!(!told.contains("canary") && !told.contains("AKIA") && !told.contains("arn:"), "{told}");
    (error.map(|error| error.kind), double.double().calls().len())
}

async fn kind(fault: Fault) -> Option<ErrorKind> {
    ends_in(fault).await.0
}

/// The same fault met by CloudWatch.
async fn of_cloudwatch(kind: FaultKind) -> AwsError {
    let double = demo().await;
    double.double().script(|state| state.faults.push(Fault::new(kind).on(Service::CloudWatch)));
    source_of(&double).series(START * 1000, (START + 180) * 1000).await.unwrap_err()
}

async fn spoilt(spoil: impl FnOnce(&mut aws_double::State)) -> (Running, Vec<Series>) {
    let double = demo().await;
    double.double().script(spoil);
    let all = series(&source_of(&double)).await;
    (double, all)
}

rows! {
    throttling_is_waited_for_and_told_apart "throttling, by any of its codes" {
        for code in ["Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException", "LimitExceededException"] {
            for status in [400, 429, 503] {
                assert_eq!(kind(error(code, status)).await, Some(ErrorKind::Throttled), "{code} {status}");
            }
            assert_eq!(of_cloudwatch(FaultKind::error(code, 400, "canary")).await.kind, ErrorKind::Throttled, "{code}");
        }
        assert_eq!(ends_in(error("Throttling", 400).times(2)).await, (None, 3), "it recovers");
    }
    a_bare_429_is_throttling "429 without a code" {
        assert_eq!(kind(Fault::new(FaultKind::Html(429))).await, Some(ErrorKind::Throttled));
    }
    errors_of_the_server_may_pass "500 or 503 with a code, 502 of a proxy" {
        for fault in [error("InternalFailure", 500), error("ServiceUnavailable", 503), Fault::new(FaultKind::Html(502))] {
            assert_eq!(ends_in(fault.clone()).await, (Some(ErrorKind::Transient), 3));
            assert_eq!(kind(fault.times(1)).await, None);
        }
    }
    expired_credentials_are_fetched_anew_once "expired credentials" {
        for (code, status) in [("ExpiredToken", 403), ("ExpiredTokenException", 400)] {
            assert_eq!(ends_in(error(code, status).times(1)).await, (None, 2), "{code}");
            assert_eq!(ends_in(error(code, status)).await, (Some(ErrorKind::CredentialsExpired), 2), "{code}");
        }
    }
    a_missing_right_names_the_action_and_not_the_user "access denied" {
        assert_eq!(ends_in(error("AccessDenied", 403)).await, (Some(ErrorKind::Denied), 1));
        let told = of_cloudwatch(FaultKind::error("AccessDenied", 403, "canary")).await;
        assert!(told.text.contains("cloudwatch:GetMetricData") && told.text.contains("IAM policy"), "{told}");
    }
    a_403_of_a_proxy_is_decided_by_its_status "403 without a code" {
        assert_eq!(ends_in(Fault::new(FaultKind::Html(403))).await, (Some(ErrorKind::Denied), 1));
    }
    keys_that_aws_does_not_know_are_a_matter_of_credentials "unknown access key" {
        assert_eq!(ends_in(error("InvalidClientTokenId", 403)).await, (Some(ErrorKind::CredentialsMissing), 1));
    }
    an_unknown_instance_is_not_found_though_its_series_are_complete_and_empty "database not found" {
        let (double, all) = spoilt(|state| {
            state.instances.clear();
            state.series.clear();
        }).await;
        assert!(all.iter().all(|series| series.points.is_empty() && series.problem.is_none()));
        assert_eq!(source_of(&double).instance().await.unwrap_err().kind, ErrorKind::NotFound);
    }
    a_wrong_question_is_not_asked_again "invalid parameter value" {
        assert_eq!(ends_in(error("InvalidParameterValue", 400)).await, (Some(ErrorKind::Invalid), 1));
    }
    a_broken_connection_is_tried_again "connection reset or refused" {
        assert_eq!(kind(Fault::new(FaultKind::Reset)).await, Some(ErrorKind::Transient));
        assert_eq!(kind(Fault::new(FaultKind::Reset).times(1)).await, None);
        let refused = DatabaseSource::with_loader("demo-db", || quick(Some("eu-west-1"), KEYS, None));
        assert_eq!(refused.instance().await.unwrap_err().kind, ErrorKind::Transient);
    }
    a_slow_answer_ends_by_the_time_limit "slow answer" {
        assert_eq!(kind(Fault::new(FaultKind::Delay(120_000))).await, Some(ErrorKind::Transient));
    }
    a_cut_answer_of_cloudwatch_is_none "truncated CBOR" {
        for bytes in [0, 1, 40, 200] {
            assert_eq!(of_cloudwatch(FaultKind::Truncate(bytes)).await.kind, ErrorKind::Transient, "{bytes}");
        }
    }
    a_cut_answer_of_rds_is_none "truncated XML" {
        for bytes in (0..320).step_by(10) {
            assert_eq!(kind(Fault::new(FaultKind::Truncate(bytes))).await, Some(ErrorKind::Transient), "{bytes}");
        }
    }
    pages_are_put_together_by_id "paging" {
        let (double, all) = spoilt(|state| state.points_per_page = Some(2)).await;
        assert_eq!(averages(&all, "cpuPercent"), [10.0, 20.0, 30.0]);
        assert!(all.iter().all(|series| series.problem.is_none()), "PartialData of a page is no problem of the series");
        assert!(double.double().calls().len() > 1);
    }
    each_series_has_a_status_of_its_own "Forbidden, InternalError or messages in a good answer" {
        for (status, words) in [(SeriesStatus::Forbidden, "does not allow"), (SeriesStatus::InternalError, "failed")] {
            let (_, all) = spoilt(|state| state.series_mut("demo-db", "CPUUtilization").status = status).await;
            let cpu = named(&all, "cpuPercent");
            assert!(cpu.points.is_empty() && cpu.problem.as_ref().is_some_and(|why| why.contains(words)), "{cpu:?}");
            assert_eq!(named(&all, "freeableMemoryMiB").problem, None);
        }
        let (_, all) = spoilt(|state| state.messages.push(("Partial".into(), "canary".into()))).await;
        assert!(all.iter().all(|s| s.problem.as_ref().is_some_and(|p| p.contains("not whole") && !p.contains("canary"))));
    }
    points_that_are_not_there_are_missing_and_never_zero "late, missing, duplicate or no points" {
        let (_, late) = spoilt(|state| state.series_mut("demo-db", "CPUUtilization").missing_newest = 1).await;
        assert_eq!(averages(&late, "cpuPercent"), [10.0, 20.0]);
        let (_, gaps) = spoilt(|state| state.series_mut("demo-db", "CPUUtilization").missing_every = Some(2)).await;
        assert_eq!(averages(&gaps, "cpuPercent"), [10.0, 30.0]);
        let (_, twice) = spoilt(|state| state.series_mut("demo-db", "CPUUtilization").duplicate_every = Some(1)).await;
        assert_eq!(averages(&twice, "cpuPercent"), [10.0, 20.0, 30.0]);
        let (_, none) = spoilt(|state| state.series_mut("demo-db", "CPUUtilization").empty = true).await;
        assert!(named(&none, "cpuPercent").points.is_empty());
    }
    what_database_insights_refuses_touches_nothing_else "Database Insights refuses" {
        let double = demo().await;
        let fault = Fault::new(FaultKind::error("NotAuthorizedException", 400, "canary")).on(Service::Insights);
        double.double().script(|state| {
            state.instances[0].insights_enabled = true;
            state.faults.push(fault);
        });
        let source = source_of(&double);
        let told = source.insights(START * 1000, (START + 180) * 1000).await.unwrap_err();
        assert!(told.kind == ErrorKind::Denied && !told.text.contains("canary"), "{told}");
        assert_eq!(averages(&series(&source).await, "cpuPercent").len(), 3);
    }
    database_insights_that_is_off_is_not_asked "Database Insights is off" {
        let double = demo().await;
        assert_eq!(source_of(&double).insights(START * 1000, (START + 180) * 1000).await, Ok(vec![]));
        assert!(double.double().calls().iter().all(|call| call.service != Service::Insights));
    }
    a_clock_that_is_off_is_corrected_for_the_signature_and_told_for_the_minutes "clock skew" {
        for code in ["RequestTimeTooSkewed", "InvalidSignatureException"] {
            let skewed = |state: &mut aws_double::State| {
                (state.clock_skew_seconds, state.clock_skew_code) = (600, Some(code.to_owned()));
            };
            let (double, all) = spoilt(skewed).await;
            assert!(source_of(&double).instance().await.is_ok(), "{code}");
            let cpu = named(&all, "cpuPercent");
            let told = cpu.problem.clone().unwrap_or_default();
            assert!(cpu.points.is_empty() && told.contains("s behind that of AWS"), "{code}: {cpu:?}");
        }
        let (_, all) = spoilt(|state| state.clock_skew_seconds = 20).await;
        assert_eq!(averages(&all, "cpuPercent").len(), 3, "20 s don't matter");
        assert_eq!(kind(error("RequestExpired", 400)).await, Some(ErrorKind::CredentialsExpired));
    }
    without_a_region_nothing_is_asked "no region" {
        let source = DatabaseSource::with_loader("demo-db", || quick(None, KEYS, None));
        let told = source.instance().await.unwrap_err();
        assert!(told.kind == ErrorKind::Invalid && told.text.contains("spec.database.rds.region"), "{told}");
    }
    without_credentials_nothing_is_asked "no credentials" {
        let double = demo().await;
        let endpoint = double.endpoint();
        let source = DatabaseSource::with_loader("demo-db", move || quick(Some("eu-west-1"), "[default]", Some(&endpoint)));
        assert_eq!(source.instance().await.unwrap_err().kind, ErrorKind::CredentialsMissing);
        assert!(double.double().calls().is_empty());
    }
    a_web_identity_that_fails_is_told_with_the_word_of_sts "web identity refused, or its file missing" {
        let token = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(token.path(), "canary-token").unwrap();
        let path = token.path().to_str().unwrap();
        for code in ["AccessDenied", "InvalidIdentityToken", "ExpiredTokenException"] {
            let fault = Fault::new(FaultKind::error(code, 400, "canary")).on(Service::Sts);
            let told = web_identity(path, Some(fault)).await.unwrap_err();
            assert!(told.kind == ErrorKind::CredentialsMissing && told.text.contains(code.trim_end_matches("Exception")), "{told}");
            assert!(!told.text.contains("canary"), "{told}");
        }
        let told = web_identity("/nowhere/token", None).await.unwrap_err();
        assert!(told.kind == ErrorKind::CredentialsMissing && !told.text.contains("/nowhere"), "{told}");
    }
    sts_that_failed_once_is_asked_again "STS fails once" {
        let token = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(token.path(), "canary-token").unwrap();
        let fault = Fault::new(FaultKind::error("InternalFailure", 500, "canary")).on(Service::Sts).times(1);
        assert!(web_identity(token.path().to_str().unwrap(), Some(fault)).await.is_ok());
    }
}

#[test]
fn the_table_names_each_row_once() {
    let names: std::collections::BTreeSet<&str> = ROWS.iter().copied().collect();
    assert_eq!((names.len(), ROWS.len()), (23, 23), "a row of the fault table is missing, or stands twice");
}
