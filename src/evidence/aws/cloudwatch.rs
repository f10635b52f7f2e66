//! CloudWatch: the figures of `AWS/RDS`, one point a minute.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StatusCode};
use aws_smithy_types::DateTime;

use super::classify::AwsError;
use super::client::failure;
use crate::results::gathered::series::{MINUTE_MS, Point, Series};

const MIB: f64 = 1_048_576.0;

/// A figure of the API, its metric, and what its value is multiplied by.
/// Units: RDS user guide, "Amazon CloudWatch metrics for Amazon RDS".
pub const FIGURES: &[(&str, &str, f64)] = &[
    ("instanceConnections", "DatabaseConnections", 1.0),
    ("cpuPercent", "CPUUtilization", 1.0),
    ("freeableMemoryMiB", "FreeableMemory", 1.0 / MIB),
    ("swapMiB", "SwapUsage", 1.0 / MIB),
    ("readLatencyMs", "ReadLatency", 1000.0),
    ("writeLatencyMs", "WriteLatency", 1000.0),
    ("readIops", "ReadIOPS", 1.0),
    ("writeIops", "WriteIOPS", 1.0),
    ("queueDepth", "DiskQueueDepth", 1.0),
    ("dbLoad", "DBLoad", 1.0),
    ("dbLoadCpu", "DBLoadCPU", 1.0),
    ("dbLoadNonCpu", "DBLoadNonCPU", 1.0),
];

const STATISTICS: [&str; 2] = ["Average", "Maximum"];

/// All figures of an instance in the whole minutes inside `[from_ms, to_ms)` (milliseconds since the epoch), ascending.
/// A minute that lacks its average or its maximum is left out. An unknown instance has empty series: ask RDS first.
///
/// # Errors
/// Why there is no answer at all; what is wrong with one series stands in its `problem`.
pub async fn series(client: &Client, instance: &str, from_ms: i64, to_ms: i64) -> Result<Vec<Series>, AwsError> {
    let start = from_ms.div_euclid(MINUTE_MS) + i64::from(from_ms.rem_euclid(MINUTE_MS) != 0);
    let end = to_ms.div_euclid(MINUTE_MS);
    let mut merged = Merged::default();
    if start < end {
        let mut pages = client
            .get_metric_data()
            .set_metric_data_queries(Some(queries(instance)))
            .start_time(DateTime::from_millis(start * MINUTE_MS))
            .end_time(DateTime::from_millis(end * MINUTE_MS))
            .scan_by(ScanBy::TimestampAscending)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failure("cloudwatch:GetMetricData", &error))?;
            merged.messages |= !page.messages().is_empty();
            page.metric_data_results().iter().for_each(|result| merged.add(result));
        }
    }
    Ok(FIGURES.iter().enumerate().map(|(index, figure)| merged.series(index, figure)).collect())
}

fn id(statistic: usize, figure: usize) -> String {
    format!("{}{figure}", ["a", "m"][statistic])
}

fn queries(instance: &str) -> Vec<MetricDataQuery> {
    let dimension = Dimension::builder().name("DBInstanceIdentifier").value(instance).build();
    let query = |(index, (_, metric, _)): (usize, &(&str, &str, f64)), statistic: usize| {
        let metric = Metric::builder().namespace("AWS/RDS").metric_name(*metric).dimensions(dimension.clone()).build();
        let stat = MetricStat::builder().metric(metric).period(60).stat(STATISTICS[statistic]).build();
        MetricDataQuery::builder().id(id(statistic, index)).metric_stat(stat).return_data(true).build()
    };
    FIGURES.iter().enumerate().flat_map(|figure| [query(figure, 0), query(figure, 1)]).collect()
}

/// The pages of one answer, put together by the id of the query.
#[derive(Default)]
struct Merged {
    values: BTreeMap<String, BTreeMap<i64, f64>>,
    /// Of the last page that had the series: earlier ones are PartialData by nature.
    status: BTreeMap<String, StatusCode>,
    /// CloudWatch had something to say about the whole answer.
    messages: bool,
}

impl Merged {
    fn add(&mut self, result: &MetricDataResult) {
        let id = result.id().unwrap_or_default().to_owned();
        let values = self.values.entry(id.clone()).or_default();
        for (at, value) in result.timestamps().iter().zip(result.values()) {
            let Ok(ms) = at.to_millis() else { continue };
            if value.is_finite() {
                values.insert(ms, *value);
            }
        }
        if let Some(status) = result.status_code() {
            self.status.insert(id, status.clone());
        }
    }

    fn series(&self, index: usize, (figure, metric, factor): &(&str, &str, f64)) -> Series {
        let nothing = BTreeMap::new();
        let [average, maximum] = [0, 1].map(|statistic| self.values.get(&id(statistic, index)).unwrap_or(&nothing));
        let point = |(start_ms, average): (&i64, &f64)| {
            let maximum = maximum.get(start_ms)? * factor;
            Some(Point { start_ms: *start_ms, average: average * factor, maximum })
        };
        let problem = [0, 1].iter().find_map(|statistic| problem(self.status.get(&id(*statistic, index)), metric));
        let problem = problem.or_else(|| self.messages.then(|| "CloudWatch says that its answer is not whole".into()));
        Series::of_cloudwatch(figure, average.iter().filter_map(point).collect(), problem)
    }
}

fn problem(status: Option<&StatusCode>, metric: &str) -> Option<String> {
    match status? {
        StatusCode::Complete => None,
        StatusCode::Forbidden => Some(format!("CloudWatch does not allow {metric} to be read")),
        StatusCode::InternalError => Some(format!("CloudWatch failed for {metric}")),
        StatusCode::PartialData => Some(format!("CloudWatch answered only a part of {metric}")),
        _ => Some(format!("CloudWatch answered {metric} with a status that is not known")),
    }
}
