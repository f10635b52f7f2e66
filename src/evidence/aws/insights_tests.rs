//! Database Insights against the double.

use aws_double::{Fault, FaultKind, InsightsSeries, Running, Service};

use super::tests::{START, averages, demo, named, source_of};
use super::*;
use crate::api::DatabaseSource as From;
use crate::results::gathered::series::MINUTE_MS;

/// Switched on, with three minutes of load: half of it, all and nothing of it waits for locks; the fourth minute has no load.
async fn switched_on() -> Running {
    let double = demo().await;
    double.double().script(|state| {
        state.instances[0].insights_enabled = true;
        let resource = state.instances[0].resource_id.clone();
        let mut add = |class: Option<&str>, values: [Option<f64>; 4]| {
            let end = |i: usize| START + 60 * (i as i64 + 1);
            state.insights.push(InsightsSeries {
                resource_id: resource.clone(),
                metric: "db.load.avg".into(),
                dimension: class.map(|class| ("db.wait_event_type.name".into(), class.into())),
                points: values.into_iter().enumerate().map(|(i, value)| (end(i), value)).collect(),
            });
        };
        add(None, [Some(4.0), Some(2.0), Some(1.0), None]);
        add(Some("Lock"), [Some(2.0), Some(2.0), None, None]);
        add(Some("CPU"), [Some(2.0), None, Some(1.0), None]);
    });
    double
}

#[tokio::test]
async fn shares_of_the_load_are_by_class_and_minute_and_a_minute_without_load_has_none() {
    let all = source_of(&switched_on().await).insights(START * 1000, (START + 240) * 1000).await.unwrap();
    assert_eq!(averages(&all, "lockWaitPercent"), [50.0, 100.0, 0.0]);
    assert_eq!(averages(&all, "ioWaitPercent"), [0.0, 0.0, 0.0], "there was load, and none of it waited for I/O");
    assert!(all.iter().all(|series| series.source == From::DatabaseInsights));
}

#[tokio::test]
async fn a_point_at_the_end_of_its_minute_is_of_the_minute_that_cloudwatch_calls_by_its_start() {
    let double = switched_on().await;
    let source = source_of(&double);
    let all = source.insights(START * 1000, (START + 240) * 1000).await.unwrap();
    assert_eq!(named(&all, "lockWaitPercent").points[0].start_ms, START * 1000);
    let cpu = source.series(START * 1000, (START + 180) * 1000).await.unwrap();
    assert_eq!(named(&cpu, "cpuPercent").points[0].start_ms, named(&all, "lockWaitPercent").points[0].start_ms);
    let one = source.insights((START + 60) * 1000, (START + 120) * 1000).await.unwrap();
    let points = &named(&one, "lockWaitPercent").points;
    assert_eq!((points.len(), points[0].start_ms, points[0].average), (1, START * 1000 + MINUTE_MS, 100.0));
    let cut = source.insights(START * 1000 + 1, (START + 240) * 1000 - 1).await.unwrap();
    assert_eq!(averages(&cut, "lockWaitPercent"), [100.0, 0.0], "only whole minutes inside the window");
}

#[tokio::test]
async fn switched_off_it_is_not_asked() {
    let double = demo().await;
    let all = source_of(&double).insights(START * 1000, (START + 240) * 1000).await.unwrap();
    assert!(all.is_empty());
    assert!(double.double().calls().iter().all(|call| call.service != Service::Insights));
}

#[tokio::test]
async fn what_it_refuses_is_an_error_of_its_own_and_no_other_figure_is_touched() {
    let double = switched_on().await;
    let source = source_of(&double);
    for (code, kind) in
        [("NotAuthorizedException", ErrorKind::Denied), ("InvalidArgumentException", ErrorKind::Invalid)]
    {
        let fault = Fault::new(FaultKind::error(code, 400, "canary")).on(Service::Insights);
        double.double().script(|state| state.faults = vec![fault]);
        let error = source.insights(START * 1000, (START + 240) * 1000).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(!error.text.contains("canary"), "{error}");
        assert_eq!(averages(&source.series(START * 1000, (START + 180) * 1000).await.unwrap(), "cpuPercent").len(), 3);
    }
}
