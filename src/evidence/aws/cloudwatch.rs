//! CloudWatch: the figures of `AWS/RDS`, one point a minute.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StatusCode};
use aws_smithy_types::DateTime;

use super::classify::AwsError;
use super::client::failure;
use super::figures::{FIGURES, Figure, Of};
use crate::results::gathered::series::{MINUTE_MS, Point, Series};

/// What is asked for: the whole minutes inside `[from_ms, to_ms)`, milliseconds since the epoch.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub instance: &'a str,
    /// Its figures are asked for only where there is one.
    pub proxy: Option<&'a str>,
    pub from_ms: i64,
    pub to_ms: i64,
}

impl Asked<'_> {
    /// The value of a figure's dimension.
    fn name(&self, of: Of) -> Option<&str> {
        match of {
            Of::Instance => Some(self.instance),
            Of::Proxy => self.proxy,
        }
    }

    /// Each figure to be asked for, with its number, which is part of its queries' ids.
    fn figures(&self) -> impl Iterator<Item = (usize, &'static Figure)> {
        FIGURES.iter().enumerate().filter(|(_, figure)| self.name(figure.of).is_some())
    }
}

/// All figures of an instance and its proxy, ascending. A minute that lacks its average or its maximum is left out. What
/// CloudWatch doesn't know has empty series: ask RDS first.
///
/// # Errors
/// Why there is no answer at all; what is wrong with one series stands in its `problem`.
pub async fn series(client: &Client, asked: &Asked<'_>) -> Result<Vec<Series>, AwsError> {
    let start = asked.from_ms.div_euclid(MINUTE_MS) + i64::from(asked.from_ms.rem_euclid(MINUTE_MS) != 0);
    let end = asked.to_ms.div_euclid(MINUTE_MS);
    let mut merged = Merged::default();
    if start < end {
        let mut pages = client
            .get_metric_data()
            .set_metric_data_queries(Some(queries(asked)))
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
    Ok(asked.figures().map(|(index, figure)| merged.series(index, figure)).collect())
}

fn id(statistic: &str, figure: usize) -> String {
    format!("{}{figure}", statistic.to_ascii_lowercase())
}

fn queries(asked: &Asked) -> Vec<MetricDataQuery> {
    let of = |(index, figure): (usize, &Figure)| {
        let (name, of) = (asked.name(figure.of).unwrap_or_default(), figure.of.dimension());
        let dimension = Dimension::builder().name(of).value(name).build();
        let metric = Metric::builder().namespace("AWS/RDS").metric_name(figure.metric).dimensions(dimension).build();
        let query = |statistic: &&str| {
            let stat = MetricStat::builder().metric(metric.clone()).period(60).stat(*statistic).build();
            MetricDataQuery::builder().id(id(statistic, index)).metric_stat(stat).return_data(true).build()
        };
        figure.statistic.asked().iter().map(query).collect::<Vec<_>>()
    };
    asked.figures().flat_map(of).collect()
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

    fn series(&self, index: usize, figure: &Figure) -> Series {
        let nothing = BTreeMap::new();
        let ids: Vec<String> = figure.statistic.asked().iter().map(|statistic| id(statistic, index)).collect();
        let values = |id: Option<&String>| id.and_then(|id| self.values.get(id)).unwrap_or(&nothing);
        let (average, maximum) = (values(ids.first()), values(ids.last()));
        let point = |(start_ms, average): (&i64, &f64)| {
            let maximum = maximum.get(start_ms)? * figure.factor;
            Some(Point { start_ms: *start_ms, average: average * figure.factor, maximum })
        };
        let problem = ids.iter().find_map(|id| problem(self.status.get(id), figure.metric));
        let problem = problem.or_else(|| self.messages.then(|| "CloudWatch says that its answer is not whole".into()));
        Series::of_cloudwatch(figure.name, average.iter().filter_map(point).collect(), problem)
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
