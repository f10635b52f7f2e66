//! Database Insights (`pi`): the database's load by wait class, a point a minute. Only where it is switched on.
//!
//! From the API reference and the service model: `db.load.avg` is the mean of active sessions; with a group there is a series
//! for each of its values beside the total; the timestamp of a point is the END of its period (CloudWatch's is the start); a
//! period without load has no value.

use std::collections::BTreeMap;

use aws_sdk_pi::Client;
use aws_sdk_pi::types::{DimensionGroup, MetricKeyDataPoints, MetricQuery, ServiceType};
use aws_smithy_types::DateTime;

use super::classify::{AwsError, ErrorKind};
use super::client::failure;
use crate::api::DatabaseSource;
use crate::results::gathered::series::{MINUTE_MS, Point, Series};

const METRIC: &str = "db.load.avg";
const GROUP: &str = "db.wait_event_type";
const CLASS: &str = "db.wait_event_type.name";

/// A figure of the API, and its class of wait events in PostgreSQL (docs: "Wait Event Types").
pub const CLASSES: [(&str, &str); 4] = [
    ("lockWaitPercent", "Lock"),
    ("lwlockWaitPercent", "LWLock"),
    ("ioWaitPercent", "IO"),
    ("clientWaitPercent", "Client"),
];

/// Shares of the load in percent, in the whole minutes inside `[from_ms, to_ms)` (milliseconds since the epoch), ascending. A
/// minute without load has no share.
///
/// # Errors
/// Why there is no answer.
pub async fn waits(client: &Client, resource: &str, from_ms: i64, to_ms: i64) -> Result<Vec<Series>, AwsError> {
    let start = from_ms.div_euclid(MINUTE_MS) + i64::from(from_ms.rem_euclid(MINUTE_MS) != 0);
    let end = to_ms.div_euclid(MINUTE_MS);
    let mut loads = Loads::default();
    if start < end {
        let mut pages = client
            .get_resource_metrics()
            .service_type(ServiceType::Rds)
            .identifier(resource)
            .metric_queries(query()?)
            .start_time(DateTime::from_millis(start * MINUTE_MS))
            .end_time(DateTime::from_millis(end * MINUTE_MS))
            .period_in_seconds(60)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failure("pi:GetResourceMetrics", &error))?;
            page.metric_list().iter().for_each(|series| loads.add(series));
        }
    }
    Ok(CLASSES.iter().map(|(figure, class)| loads.share(figure, class)).collect())
}

fn query() -> Result<MetricQuery, AwsError> {
    let wrong = |_| AwsError::new(ErrorKind::Invalid, "pi:GetResourceMetrics: the request could not be made");
    let group = DimensionGroup::builder().group(GROUP).limit(25).build().map_err(wrong)?;
    MetricQuery::builder().metric(METRIC).group_by(group).build().map_err(wrong)
}

/// Load by the start of its minute: in all, and by class.
#[derive(Default)]
struct Loads {
    total: BTreeMap<i64, f64>,
    classes: BTreeMap<String, BTreeMap<i64, f64>>,
}

impl Loads {
    fn add(&mut self, series: &MetricKeyDataPoints) {
        let class = series.key().and_then(|key| key.dimensions()).and_then(|dimensions| dimensions.get(CLASS));
        let into = match class {
            Some(class) => self.classes.entry(class.clone()).or_default(),
            None => &mut self.total,
        };
        for point in series.data_points() {
            let Ok(end) = point.timestamp().to_millis() else { continue };
            if point.value().is_finite() {
                into.insert(end - MINUTE_MS, point.value());
            }
        }
    }

    /// The SDK reads a value that is not there as 0, which the total is only then.
    fn share(&self, figure: &str, class: &str) -> Series {
        let nothing = BTreeMap::new();
        let of_class = self.classes.get(class).unwrap_or(&nothing);
        let loaded = self.total.iter().filter(|(_, total)| **total > 0.0);
        let points = loaded.map(|(start_ms, total)| {
            let share = of_class.get(start_ms).copied().unwrap_or(0.0) * 100.0 / total;
            Point { start_ms: *start_ms, average: share, maximum: share }
        });
        Series {
            source: DatabaseSource::DatabaseInsights,
            figure: figure.to_owned(),
            points: points.collect(),
            problem: None,
        }
    }
}
